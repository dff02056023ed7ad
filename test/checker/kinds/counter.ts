// A number that goes up by one: no acknowledged increment is lost, none is made twice. In the types that count.

import { shown } from '../outcome.ts';
import type { Complain, MakeKind } from './kind.ts';

export class CounterOracle {
  /** What was seen of it last; it can't be less. */
  #low = 0;
  /** If everything of unknown outcome has happened; it can't be more. */
  #high = 0;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** An increment was acknowledged with the number after it. */
  incremented(to: number): void {
    this.#high++;
    this.#low++;
    this.seen(to);
  }

  mayBeIncremented(): void {
    this.#high++;
  }

  seen(value: number): void {
    if (value >= this.#low && value <= this.#high) this.#low = value;
    else this.#complain(`a counter is ${value} and should be ${this.#low}${this.#high > this.#low ? ` to ${this.#high}` : ''}`);
  }
}

function counter(increment: (name: string) => (string | number)[], look: (name: string) => (string | number)[]): MakeKind {
  return ({ name, complain }) => {
    const oracle = new CounterOracle(complain);
    return {
      write: async (ask) => {
        const outcome = await ask(...increment(name));
        if (outcome.kind === 'done') oracle.incremented(numberIn(outcome.reply));
        else if (outcome.kind !== 'refused') oracle.mayBeIncremented();
      },
      read: async (ask) => {
        const outcome = await ask(...look(name));
        if (outcome.kind === 'done') oracle.seen(numberIn(outcome.reply));
      },
    };
  };
}

export const count = counter(
  (name) => ['INCR', name],
  (name) => ['GET', name],
);
export const fieldCount = counter(
  (name) => ['HINCRBY', name, 'f', 1],
  (name) => ['HGET', name, 'f'],
);
export const score = counter(
  (name) => ['ZINCRBY', name, 1, 'm'],
  (name) => ['ZSCORE', name, 'm'],
);

/** No such key counts as 0. */
export function numberIn(reply: unknown): number {
  const value = Number(reply ?? 0);
  if (!Number.isInteger(value)) throw new Error(`${shown(reply)} is no number`);
  return value;
}
