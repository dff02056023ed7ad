// This proxy's nodes in the coordinator: `proxies/<id>` from start to clean shutdown, `proxies/<id>/live` while its session lasts.
//
// Invariant: `live` says epoch e only if `topology` was at e in the very commit that wrote it (DESIGN §3, "Acknowledging").

import {
  type CommitResult,
  type Coordinator,
  type Entry,
  type Op,
  PARENTS,
  PATHS,
  proxyLivePath,
  proxyPath,
} from '@codis/config/coordinator';
import {
  asEpoch,
  CodisError,
  decodeProxyLive,
  decodeProxyRegistration,
  encodeProxyLive,
  encodeProxyRegistration,
  type ProxyLive,
  type ProxyRegistration,
} from '@codis/config/model';
import type { Logger } from 'pino';

export interface RegistrationOptions {
  readonly coordinator: Coordinator;
  /** `wanted` is what a proxy that is new here starts with; one that is registered keeps what operators said. */
  readonly proxy: ProxyRegistration;
  /** How long a predecessor's session may take to end. */
  readonly takeOverMs: number;
  readonly log: Logger;
}

const POLL_MS = 100;

export class Registration {
  readonly #options: RegistrationOptions;
  readonly startedAt = new Date().toISOString();

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Writes `proxies/<id>`, keeping `wanted` of an earlier registration. Waits for the session of a predecessor that died; throws
   *  CODIS_E_PROXY_RUNNING when there still is one after `takeOverMs`. Returns what is wanted. */
  async register(): Promise<ProxyRegistration['wanted']> {
    const { coordinator, proxy } = this.#options;
    await this.#waitForPredecessor();
    for (const parent of PARENTS) await coordinator.commit([{ op: 'create', path: parent, data: Buffer.alloc(0) }]);
    const path = proxyPath(proxy.id);
    for (;;) {
      const known = await coordinator.read(path);
      const wanted = known ? decodeProxyRegistration(known.data).wanted : proxy.wanted;
      const data = encodeProxyRegistration({ ...proxy, wanted });
      const op: Op = known ? { op: 'set', path, data, version: known.version } : { op: 'create', path, data };
      const result = await coordinator.commit([op]);
      if (result.ok) return wanted;
    }
  }

  /** Says that every worker has applied `epoch`, which have died, and which masters may still carry out what was given up there. False when the topology has moved on: the newer one will be acknowledged instead. */
  async acknowledge(epoch: number, left: Pick<ProxyLive, 'goneWorkers' | 'unconfirmed'>): Promise<boolean> {
    const { coordinator, proxy } = this.#options;
    const data = encodeProxyLive({ epoch: asEpoch(Math.max(epoch, 0)), pid: process.pid, startedAt: this.startedAt, ...left });
    const at: Op[] = epoch < 0 ? [] : [{ op: 'check', path: PATHS.topology, version: epoch }];
    const live = await coordinator.read(proxyLivePath(proxy.id));
    return this.#acknowledged(await coordinator.commit([...at, ...this.#replaceLive(live, data)]));
  }

  /** The node of an earlier session of this very process may outlive that session for a while: it is replaced. Anybody else's is not. */
  #replaceLive(live: Entry | null, data: Buffer): Op[] {
    const path = proxyLivePath(this.#options.proxy.id);
    const create: Op = { op: 'create', path, data, ephemeral: true };
    if (live === null) return [create];
    if (this.#isMine(live.owner)) return [{ op: 'set', path, data }];
    if (!this.#wasMine(live.data)) throw this.#running(live.data);
    return [{ op: 'delete', path, version: live.version }, create];
  }

  /** Ends being a proxy of this product. */
  async deregister(): Promise<void> {
    const { coordinator, proxy } = this.#options;
    const live = await coordinator.read(proxyLivePath(proxy.id));
    const ops: Op[] = live && this.#isMine(live.owner) ? [{ op: 'delete', path: proxyLivePath(proxy.id) }] : [];
    const result = await coordinator.commit([...ops, { op: 'delete', path: proxyPath(proxy.id) }]);
    if (!result.ok) this.#options.log.warn({ refusal: result.refusal }, 'could not deregister');
  }

  #acknowledged(result: CommitResult): boolean {
    if (result.ok) return true;
    const { path, reason } = result.refusal;
    if (path === PATHS.topology) return false;
    if (reason === 'no-parent') throw new CodisError('CODIS_E_CONFLICT', `the registration of ${this.#options.proxy.id} was removed`);
    throw new CodisError('CODIS_E_CONFLICT', `${path}: ${reason}`);
  }

  #isMine(owner: string | null): boolean {
    const { state } = this.#options.coordinator;
    return state.kind === 'connected' && state.session === owner;
  }

  #wasMine(data: Buffer): boolean {
    const { pid, startedAt } = decodeProxyLive(data);
    return pid === process.pid && startedAt === this.startedAt;
  }

  async #waitForPredecessor(): Promise<void> {
    const { coordinator, proxy, takeOverMs, log } = this.#options;
    const deadline = performance.now() + takeOverMs;
    for (let told = false; ; told = true) {
      const live = await coordinator.read(proxyLivePath(proxy.id));
      if (live === null || this.#isMine(live.owner) || this.#wasMine(live.data)) return;
      if (performance.now() > deadline) throw this.#running(live.data);
      if (!told) log.warn({ waitMs: takeOverMs }, 'a proxy with this id runs, or did a moment ago; waiting for its session to end');
      await new Promise((next) => setTimeout(next, POLL_MS));
    }
  }

  #running(data: Buffer): CodisError {
    const { pid } = decodeProxyLive(data);
    return new CodisError(
      'CODIS_E_PROXY_RUNNING',
      `a proxy named ${this.#options.proxy.id} runs already (process ${pid}); stop it, or give this one another --proxy-id`,
    );
  }
}
