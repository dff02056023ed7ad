// The scripts and functions of the product as a worker sees them: what all proxies remember, so that a server that joined later or lost them can be given
// them. The primary keeps them in the coordinator (primary/script-store.ts). Nobody waits for the primary longer than a second.

import type { RegistryAnswers, RegistryChange, RegistryQuestion, ToPrimary, ToWorker } from '../../ipc.ts';
import type { Clock } from '../clock.ts';

const ANSWER_MS_MAX = 1000;
/** Questions under way at one time; whoever asks beyond them is told that nobody knows. */
const QUESTIONS_MAX = 1000;

interface Waiting {
  readonly until: number;
  readonly done: (answer: unknown) => void;
}

export class Registry {
  readonly #send: (message: ToPrimary) => void;
  readonly #clock: Pick<Clock, 'now'>;
  /** In the order they were asked. */
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;

  constructor(send: (message: ToPrimary) => void, clock: Pick<Clock, 'now'>) {
    this.#send = send;
    this.#clock = clock;
  }

  /** `done` is called once, not from within; with null when the primary or the coordinator can't tell. */
  ask<Q extends RegistryQuestion>(question: Q, done: (answer: RegistryAnswers[Q['kind']] | null) => void): void {
    if (this.#waiting.size >= QUESTIONS_MAX) {
      setImmediate(done, null);
      return;
    }
    const id = this.#nextId++;
    this.#waiting.set(id, { until: this.#clock.now + ANSWER_MS_MAX, done: done as (answer: unknown) => void });
    this.#send({ type: 'look-up', id, question });
  }

  /** Is carried out in the order told, before what is asked later. */
  tell(change: RegistryChange): void {
    this.#send({ type: 'register', change });
  }

  /** Calls `done` when all that was told so far is where every proxy finds it; or, when that can't be had, after a second at most. */
  whenWritten(done: () => void): void {
    this.ask({ kind: 'written' }, done);
  }

  onAnswer({ id, answer }: Extract<ToWorker, { type: 'looked-up' }>): void {
    this.#settle(id, answer);
  }

  tick(): void {
    for (const [id, { until }] of this.#waiting) {
      if (until > this.#clock.now) return;
      this.#settle(id, null);
    }
  }

  #settle(id: number, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.done(answer);
  }
}
