// A coordinator whose process dies at a chosen commit, just before or just after it took effect. From then on nothing works through it, as for a process
// that was killed: the commit fails as one cut off in the middle does, and everything later as without a connection.

import type { CommitResult, Coordinator, Op, SessionState, Unsubscribe } from '../../src/coordinator/index.ts';
import { CodisError } from '../../src/model/index.ts';

export interface Death {
  /** Which commit, counted from 1. */
  readonly commit: number;
  readonly when: 'before' | 'after';
}

export class FaultyCoordinator implements Coordinator {
  readonly #inner: Coordinator;
  readonly #death: Death;
  #commits = 0;
  #dead = false;

  constructor(inner: Coordinator, death: Death) {
    this.#inner = inner;
    this.#death = death;
  }

  /** Whether it got as far as the commit it was to die at. */
  get dead(): boolean {
    return this.#dead;
  }

  get state(): SessionState {
    return this.#dead ? { kind: 'lost', since: 0 } : this.#inner.state;
  }

  async commit(ops: readonly Op[]): Promise<CommitResult> {
    this.#checkAlive();
    this.#commits++;
    if (this.#commits !== this.#death.commit) return this.#inner.commit(ops);
    this.#dead = true;
    if (this.#death.when === 'after') await this.#inner.commit(ops);
    throw new CodisError('CODIS_E_COORDINATOR_UNKNOWN', 'died in the middle of a commit');
  }

  async read(path: string) {
    this.#checkAlive();
    return this.#inner.read(path);
  }

  async list(path: string) {
    this.#checkAlive();
    return this.#inner.list(path);
  }

  onState(listener: (state: SessionState) => void): Unsubscribe {
    return this.#inner.onState(listener);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#inner.ready(timeoutMs);
  }

  watch(...args: Parameters<Coordinator['watch']>): Unsubscribe {
    return this.#inner.watch(...args);
  }

  watchChildren(...args: Parameters<Coordinator['watchChildren']>): Unsubscribe {
    return this.#inner.watchChildren(...args);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #checkAlive(): void {
    if (this.#dead) throw new CodisError('CODIS_E_COORDINATOR_LOST', 'this process is dead');
  }
}
