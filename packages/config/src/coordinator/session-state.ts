// The state of a connection and who wants to know: shared by the drivers, so that `ready` and `onState` mean the same in each.
//
// Invariant: `closed` is the last state.

import { CodisError, invariant } from '../model/index.ts';
import type { SessionState, Unsubscribe } from './coordinator.ts';

/** Calls a listener; what it throws surfaces from a later turn, as if nothing stood between it and the event loop. */
export function callListener<T>(listener: (value: T) => void, value: T): void {
  try {
    listener(value);
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}

/** Holds a connection's state and tells its listeners. */
export class SessionStates {
  #current: SessionState = { kind: 'connecting' };
  #failure: CodisError | null = null;
  readonly #listeners = new Map<symbol, (state: SessionState) => void>();
  readonly #failureListeners = new Set<(failure: CodisError) => void>();

  get current(): SessionState {
    return this.#current;
  }

  enter(state: SessionState): void {
    invariant(this.#current.kind !== 'closed', 'a closed coordinator changes its state');
    this.#current = state;
    if (state.kind === 'connected') this.#failure = null;
    for (const [key, listener] of [...this.#listeners]) if (this.#listeners.has(key)) callListener(listener, state);
    if (state.kind === 'closed') this.#listeners.clear();
  }

  /** Why there is no connection, as far as known. A CODIS_E_COORDINATOR_CORRUPT ends every `ready` that waits. */
  failed(failure: CodisError): void {
    this.#failure = failure;
    for (const listener of [...this.#failureListeners]) listener(failure);
  }

  onState(listener: (state: SessionState) => void): Unsubscribe {
    const key = Symbol('listener');
    if (this.#current.kind !== 'closed') this.#listeners.set(key, listener);
    return () => void this.#listeners.delete(key);
  }

  /** See Coordinator.ready. */
  ready(timeoutMs: number): Promise<void> {
    if (this.#current.kind === 'connected') return Promise.resolve();
    if (this.#current.kind === 'closed') return Promise.reject(closedError());
    if (this.#failure && isFinal(this.#failure)) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        unsubscribe();
        this.#failureListeners.delete(onFailure);
        done();
      };
      const onFailure = (failure: CodisError) => {
        if (isFinal(failure)) settle(() => reject(failure));
      };
      const unsubscribe = this.onState((state) => {
        if (state.kind === 'connected') settle(resolve);
        if (state.kind === 'closed') settle(() => reject(closedError()));
      });
      const timer = setTimeout(() => settle(() => reject(this.#notReady(timeoutMs))), timeoutMs);
      this.#failureListeners.add(onFailure);
    });
  }

  #notReady(timeoutMs: number): CodisError {
    const cause = this.#failure;
    const why = cause ? `: ${cause.message}` : '';
    return new CodisError('CODIS_E_COORDINATOR_LOST', `no session with the coordinator after ${timeoutMs} ms${why}`, { cause });
  }
}

/** What every call of a closed coordinator rejects with. */
export function closedError(): CodisError {
  return new CodisError('CODIS_E_COORDINATOR_LOST', 'this connection to the coordinator is closed');
}

function isFinal(failure: CodisError): boolean {
  return failure.code === 'CODIS_E_COORDINATOR_CORRUPT';
}
