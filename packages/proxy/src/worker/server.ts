// One Redis server as a worker sees it: its address, the connections to it (one per database and version of the protocol, and those lent to single
// clients), and whether it is worth trying just now.
//
// A connection that fails is gone; the next request after a short pause opens another. In between requests fail at once: a server that is down costs an
// error for its own slots and nothing else.

import type { ServerAddr } from '@codis/config/model';
import type { Protocol } from '../resp/replies.ts';
import { Backend, type BackendOptions } from './backend.ts';
import { Loaded } from './scripts/loaded.ts';
import { ServerLatency } from './server-latency.ts';

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;
/** Connections that were lent and are free again; what is given back beyond these is closed. */
const IDLE_MAX = 32;

export class Server {
  readonly addr: ServerAddr;
  /** What INFO said at the last handshake; empty before. */
  version = '';
  /** The scripts it is known to have. */
  readonly loaded = new Loaded();
  readonly latency: ServerLatency;
  readonly #options: BackendOptions;
  readonly #shared = new Map<number, Backend>();
  /** Free to be lent, clean: no transaction, no watched key, nothing under way. */
  readonly #idle: Backend[] = [];
  /** All that are open, the ones lent to a slow reader included. */
  readonly #open = new Set<Backend>();
  #retryMs = RETRY_MS_MIN;
  #retryAt = 0;
  #lastError = '';
  #retired = false;
  /** It has answered since it last failed. */
  #up = false;

  constructor(addr: ServerAddr, options: BackendOptions) {
    this.addr = addr;
    this.#options = options;
    this.latency = new ServerLatency(options.clock.now);
  }

  /** HOT PATH. The shared connection for database `db` in this version of the protocol, opened if need be; null while the server is counted as
   *  down (`lastError` says why). */
  backend(db: number, protocol: Protocol): Backend | null {
    const backend = this.#shared.get(db * 2 + protocol);
    return backend !== undefined ? backend : this.#share(db, protocol);
  }

  /** A connection for one client alone, until it is given back (`giveBack`) or fails; null while the server is counted as down. */
  lend(db: number, protocol: Protocol): Backend | null {
    const at = this.#idle.findIndex((backend) => backend.db === db && backend.protocol === protocol);
    return at >= 0 ? (this.#idle.splice(at, 1)[0] as Backend) : this.#connect(db, protocol);
  }

  /** Ends a loan. The connection must be as it was: nothing under way, no transaction, nothing watched, its database selected. */
  giveBack(backend: Backend): void {
    backend.patient = false;
    if (backend.isClosed) return;
    if (this.#retired || this.#idle.length >= IDLE_MAX) backend.closeWhenIdle();
    else this.#idle.push(backend);
  }

  /** Whether it takes requests for database `db` in this version of the protocol just now; if not, it is connected to. */
  isReady(db: number, protocol: Protocol): boolean {
    return this.backend(db, protocol)?.isReady ?? false;
  }

  get lastError(): string {
    return this.#lastError;
  }

  get connectionCount(): number {
    return this.#open.size;
  }

  /** Takes a connection out of common use: what is under way on it ends there, and then it closes. */
  detach(backend: Backend): void {
    const key = backend.db * 2 + backend.protocol;
    if (this.#shared.get(key) === backend) this.#shared.delete(key);
  }

  onReady(version: string): void {
    if (version !== '') this.version = version;
    if (!this.#up) this.#options.onServerUp?.();
    this.#up = true;
    this.#retryMs = RETRY_MS_MIN;
    this.#lastError = '';
  }

  /** `failed` unless it was closed on purpose. */
  onClosed(backend: Backend, failed: boolean, reason: string): void {
    this.#open.delete(backend);
    if (failed || this.#open.size === 0) this.loaded.clear();
    this.detach(backend);
    const idle = this.#idle.indexOf(backend);
    if (idle >= 0) this.#idle.splice(idle, 1);
    if (!failed) return;
    this.#up = false;
    this.#lastError = reason;
    this.#retryAt = this.#options.clock.now + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  /** Called once a second: health checks and time-outs of all connections. */
  tick(): void {
    for (const backend of this.#open) backend.tick();
    this.latency.tick(this.#options.clock.now);
  }

  /** No slot leads here any more: connections close as soon as nothing is under way on them. */
  retire(): void {
    this.#retired = true;
    for (const backend of [...this.#shared.values(), ...this.#idle]) backend.closeWhenIdle();
    this.#shared.clear();
  }

  revive(): void {
    this.#retired = false;
  }

  close(): void {
    for (const backend of this.#open) backend.fail('the proxy is shutting down');
  }

  #share(db: number, protocol: Protocol): Backend | null {
    const backend = this.#connect(db, protocol);
    if (backend === null) return null;
    if (this.#retired) backend.closeWhenIdle();
    else this.#shared.set(db * 2 + protocol, backend);
    return backend;
  }

  #connect(db: number, protocol: Protocol): Backend | null {
    if (this.#retryAt > this.#options.clock.now) return null;
    const backend = new Backend(this, db, protocol, this.#options);
    this.#open.add(backend);
    return backend;
  }
}
