// What proxies write in the coordinator, and the question every slot move asks of it: who must still acknowledge?

import { CodisError } from './errors.ts';
import { asEpoch, asProxyId, type Epoch, type ProxyId } from './ids.ts';

/** `proxies/<id>`: persistent; there from start to clean shutdown. `wanted` is what an operator asked for. */
export interface ProxyRegistration {
  readonly id: ProxyId;
  /** Where clients connect, `host:port`. */
  readonly addr: string;
  /** Where `/status` and `/metrics` are, `host:port`. */
  readonly adminAddr: string;
  readonly wanted: 'online' | 'offline';
  /** With `offline`: how long its clients may go on. Not there unless an operator said it. */
  readonly drainSeconds?: number;
}

/** `proxies/<id>/live`: ephemeral. `epoch` is acknowledged: every worker routes by it and what it locks is drained. */
export interface ProxyLive {
  readonly epoch: Epoch;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Process ids of its workers that died, the last ones; what they have sent may still be on its way. */
  readonly goneWorkers?: readonly number[];
  /** Masters that may still carry out what it gave up there: they have not yet confirmed that its connections are gone. */
  readonly unconfirmed?: readonly string[];
}

/** A registered proxy as the coordinator shows it; `live` is null while its session is gone. */
export interface ProxyView extends ProxyRegistration {
  readonly live: ProxyLive | null;
}

/** Which proxies stand between a lock and the move it prepares. */
export interface MissingAcks {
  /** Alive, but not at the epoch yet. */
  readonly behind: readonly ProxyId[];
  /** Registered, but without a session: dead, frozen or cut off, whatever was wanted of it. Not an ack; must be fenced to count as one. */
  readonly lost: readonly ProxyId[];
}

/** Read `proxies` after the lock was written: a proxy that registers later reads the lock itself before it listens. What was wanted of a
 *  proxy does not matter: one that is wanted offline may still be finishing what it has, or may have frozen before it heard of it. */
export function missingAcks(proxies: readonly ProxyView[], epoch: Epoch): MissingAcks {
  const behind: ProxyId[] = [];
  const lost: ProxyId[] = [];
  for (const proxy of proxies) {
    if (proxy.live === null) lost.push(proxy.id);
    else if (proxy.live.epoch < epoch) behind.push(proxy.id);
  }
  return { behind, lost };
}

/** Why no slot should be locked whose requests go to `servers`: a proxy that gave up a connection there would not acknowledge it. Null when nothing is known. */
export function whyUnconfirmed(proxies: readonly ProxyView[], servers: readonly string[]): string | null {
  for (const { id, live } of proxies) {
    const server = live?.unconfirmed?.find((addr) => servers.includes(addr));
    if (server !== undefined)
      return `proxy ${id} gave up a connection to ${server} with commands under way, which might run there yet; it goes on when ${server} has answered ${id} that the connection is gone`;
  }
  return null;
}

export const encodeProxyRegistration = (value: ProxyRegistration): Buffer => Buffer.from(JSON.stringify(value));
export const encodeProxyLive = (value: ProxyLive): Buffer => Buffer.from(JSON.stringify(value));

/** Throws CODIS_E_COORDINATOR_CORRUPT. */
export function decodeProxyRegistration(data: Uint8Array): ProxyRegistration {
  return decode('proxy registration', data, (value) => {
    const { addr, adminAddr, wanted } = value;
    if (typeof addr !== 'string' || typeof adminAddr !== 'string') throw new TypeError('an address is missing');
    if (wanted !== 'online' && wanted !== 'offline') throw new TypeError(`wanted is ${JSON.stringify(wanted)}`);
    const drainSeconds = value['drainSeconds'];
    if (drainSeconds !== undefined && !Number.isSafeInteger(drainSeconds))
      throw new TypeError(`drainSeconds is ${JSON.stringify(drainSeconds)}`);
    const drain = drainSeconds === undefined ? {} : { drainSeconds: drainSeconds as number };
    return { id: asProxyId(value['id'] as string), addr, adminAddr, wanted, ...drain };
  });
}

/** Throws CODIS_E_COORDINATOR_CORRUPT. */
export function decodeProxyLive(data: Uint8Array): ProxyLive {
  return decode('proxy session', data, (value) => {
    const { pid, startedAt } = value;
    if (typeof pid !== 'number' || typeof startedAt !== 'string') throw new TypeError('pid or startedAt is missing');
    const gone = value['goneWorkers'] ?? [];
    if (!Array.isArray(gone) || !gone.every(Number.isSafeInteger)) throw new TypeError(`goneWorkers is ${JSON.stringify(gone)}`);
    const unconfirmed = value['unconfirmed'] ?? [];
    if (!Array.isArray(unconfirmed) || !unconfirmed.every((addr) => typeof addr === 'string'))
      throw new TypeError(`unconfirmed is ${JSON.stringify(unconfirmed)}`);
    return {
      epoch: asEpoch(value['epoch'] as number),
      pid,
      startedAt,
      ...(gone.length === 0 ? {} : { goneWorkers: gone as number[] }),
      ...(unconfirmed.length === 0 ? {} : { unconfirmed }),
    };
  });
}

function decode<T>(what: string, data: Uint8Array, read: (value: Record<string, unknown>) => T): T {
  try {
    return read(JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>);
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a ${what} can't be read: ${(cause as Error).message}`, { cause });
  }
}
