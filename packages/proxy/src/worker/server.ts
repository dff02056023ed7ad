// One Redis server as a worker sees it: its address, the connections to it (one per database), and whether it is worth trying just now.
//
// A connection that fails is gone; the next request after a short pause opens another. In between requests fail at once: a server that is down costs an
// error for its own slots and nothing else.

import type { ServerAddr } from '@codis/config/model';
import { Backend, type BackendOptions } from './backend.ts';

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1000;

export class Server {
  readonly addr: ServerAddr;
  /** What INFO said at the last handshake; empty before. */
  version = '';
  readonly #options: BackendOptions;
  readonly #shared = new Map<number, Backend>();
  /** All that are open, the ones lent to a slow reader included. */
  readonly #open = new Set<Backend>();
  #retryMs = RETRY_MS_MIN;
  #retryAt = 0;
  #lastError = '';
  #retired = false;

  constructor(addr: ServerAddr, options: BackendOptions) {
    this.addr = addr;
    this.#options = options;
  }

  /** HOT PATH. The shared connection for database `db`, opened if need be; null while the server is counted as down (`lastError` says why). */
  backend(db: number): Backend | null {
    const backend = this.#shared.get(db);
    return backend !== undefined ? backend : this.#connect(db);
  }

  get lastError(): string {
    return this.#lastError;
  }

  get connectionCount(): number {
    return this.#open.size;
  }

  /** Takes a connection out of common use: what is under way on it ends there, and then it closes. */
  detach(backend: Backend): void {
    if (this.#shared.get(backend.db) === backend) this.#shared.delete(backend.db);
  }

  onReady(version: string): void {
    if (version !== '') this.version = version;
    this.#retryMs = RETRY_MS_MIN;
    this.#lastError = '';
  }

  /** `failed` unless it was closed on purpose. */
  onClosed(backend: Backend, failed: boolean, reason: string): void {
    this.#open.delete(backend);
    this.detach(backend);
    if (!failed) return;
    this.#lastError = reason;
    this.#retryAt = this.#options.clock.now + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
  }

  /** Called once a second: health checks and time-outs of all connections. */
  tick(): void {
    for (const backend of this.#open) backend.tick();
  }

  /** No slot leads here any more: connections close as soon as nothing is under way on them. */
  retire(): void {
    this.#retired = true;
    for (const backend of this.#shared.values()) backend.closeWhenIdle();
    this.#shared.clear();
  }

  revive(): void {
    this.#retired = false;
  }

  close(): void {
    for (const backend of this.#open) backend.fail('the proxy is shutting down');
  }

  #connect(db: number): Backend | null {
    if (this.#retryAt > this.#options.clock.now) return null;
    const backend = new Backend(this, db, this.#options);
    this.#open.add(backend);
    if (this.#retired) backend.closeWhenIdle();
    else this.#shared.set(db, backend);
    return backend;
  }
}
