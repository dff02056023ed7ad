// Proxies as the coordinator shows them: which are registered, which are alive, and what an operator wants of them.

import { connect } from 'node:net';
import { type Coordinator, PATHS, proxyLivePath, proxyPath } from '../coordinator/index.ts';
import {
  asProxyId,
  CodisError,
  decodeProxyLive,
  decodeProxyRegistration,
  encodeProxyRegistration,
  type ProxyId,
  type ProxyRegistration,
  type ProxyView,
  parseAddr,
} from '../model/index.ts';
import type { Caller } from './caller.ts';
import { commitAudited } from './commit.ts';

/** How long a proxy that is wanted online or offline is waited for. */
const TAKE_UP_MS = 10_000;
const POLL_MS = 100;
const CONNECT_MS = 500;

/** In order of id. A proxy that deregisters while this reads is left out. */
export async function listProxies(coordinator: Coordinator): Promise<ProxyView[]> {
  const names = await coordinator.list(PATHS.proxies);
  const views = await Promise.all(names.map((name) => viewOf(coordinator, asProxyId(name))));
  return views.filter((view) => view !== null);
}

/** Throws CODIS_E_UNKNOWN_PROXY. */
export async function readProxy(coordinator: Coordinator, id: ProxyId): Promise<ProxyView> {
  const view = await viewOf(coordinator, id);
  if (!view) throw unknownProxy(id);
  return view;
}

async function viewOf(coordinator: Coordinator, id: ProxyId): Promise<ProxyView | null> {
  const [entry, live] = await Promise.all([coordinator.read(proxyPath(id)), coordinator.read(proxyLivePath(id))]);
  return entry && { ...decodeProxyRegistration(entry.data), live: live && decodeProxyLive(live.data) };
}

/** What became of an operator's wish. */
export interface WantedResult {
  readonly proxy: ProxyView;
  /** The proxy does what is wanted now. */
  readonly takenUp: boolean;
  /** Why not yet, in words; null once it is. */
  readonly note: string | null;
}

export interface WantedRequest {
  readonly id: ProxyId;
  readonly wanted: ProxyRegistration['wanted'];
  /** With `offline`: how long its clients may go on. */
  readonly drainSeconds?: number | undefined;
  readonly waitMs?: number;
}

const drainText = (id: ProxyId, { drainSeconds }: { drainSeconds?: number }): string =>
  drainSeconds === undefined ? `proxy ${id}` : `proxy ${id}, draining for ${drainSeconds} s`;

/** Says what a proxy shall be, and waits a few seconds for it to become so. Throws CODIS_E_UNKNOWN_PROXY. */
export async function setProxyWanted(
  caller: Caller,
  { id, wanted, drainSeconds, waitMs = TAKE_UP_MS }: WantedRequest,
): Promise<WantedResult> {
  await commitAudited(caller, async () => {
    const { registration, version } = await readRegistration(caller.coordinator, id);
    const { drainSeconds: _, ...known } = registration;
    const drain = wanted === 'offline' && drainSeconds !== undefined ? { drainSeconds } : {};
    return {
      ops: [{ op: 'set', path: proxyPath(id), data: encodeProxyRegistration({ ...known, wanted, ...drain }), version }],
      event: { action: `proxy.${wanted}`, object: drainText(id, drain), epoch: null, before: registration.wanted, after: wanted },
      value: undefined,
    };
  });
  return waitForProxy(caller.coordinator, { id, wanted, waitMs });
}

async function waitForProxy(
  coordinator: Coordinator,
  { id, wanted, waitMs }: { id: ProxyId; wanted: ProxyRegistration['wanted']; waitMs: number },
): Promise<WantedResult> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const proxy = await readProxy(coordinator, id);
    if (!proxy.live && wanted === 'offline') return { proxy, takenUp: true, note: null };
    const listening = await listens(proxy.addr);
    if (proxy.live && listening === (wanted === 'online')) return { proxy, takenUp: true, note: null };
    if (performance.now() >= deadline) return { proxy, takenUp: false, note: notTakenUp(proxy, { listening, waitMs }) };
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}

function notTakenUp({ id, addr, live }: ProxyView, { listening, waitMs }: { listening: boolean; waitMs: number }): string {
  if (!live) return `proxy ${id} is not running; it will be online as soon as it starts`;
  return `proxy ${id} ${listening ? 'still takes clients' : 'takes no clients yet'} at ${addr} after ${waitMs} ms; look at its log`;
}

/** Forgets a proxy that is gone for good, and returns what the operator should know. Throws CODIS_E_UNKNOWN_PROXY, or CODIS_E_PROXY_RUNNING while it has a session or still listens: a frozen
 *  proxy, or one that is cut off from the coordinator, must not come back with an old table when nobody waits for it any more. */
export async function removeProxy(caller: Caller, { id }: { id: ProxyId }): Promise<string[]> {
  const { live, addr } = await readProxy(caller.coordinator, id);
  const others = (await listProxies(caller.coordinator)).filter((other) => other.live && other.addr === addr);
  if (!live && others.length === 0 && (await listens(addr))) {
    throw new CodisError('CODIS_E_PROXY_RUNNING', `proxy ${id} has no session, but something still listens at ${addr}; stop it first`);
  }
  return commitAudited(caller, async () => {
    const { version, registration } = await readRegistration(caller.coordinator, id);
    const session = await caller.coordinator.read(proxyLivePath(id));
    if (session) {
      const { pid } = decodeProxyLive(session.data);
      throw new CodisError('CODIS_E_PROXY_RUNNING', `proxy ${id} runs (pid ${pid}); stop it, then it deregisters by itself`);
    }
    return {
      ops: [{ op: 'delete', path: proxyPath(id), version }],
      event: { action: 'proxy.remove', object: `proxy ${id}`, epoch: null, before: `wanted ${registration.wanted}`, after: 'none' },
      value: [
        `be sure that its process is gone: slot moves no longer wait for ${id}, nor fence it off, should it only be cut off from here`,
      ],
    };
  });
}

async function readRegistration(coordinator: Coordinator, id: ProxyId): Promise<{ registration: ProxyRegistration; version: number }> {
  const entry = await coordinator.read(proxyPath(id));
  if (!entry) throw unknownProxy(id);
  return { registration: decodeProxyRegistration(entry.data), version: entry.version };
}

function unknownProxy(id: ProxyId): CodisError {
  return new CodisError('CODIS_E_UNKNOWN_PROXY', `there is no proxy ${id}`);
}

/** Whether something takes connections there; a frozen process still does. */
function listens(addr: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(parseAddr(addr));
    const end = (answer: boolean) => {
      socket.destroy();
      done(answer);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
