// A queue that several clients push to and pop from, some of them waiting for what comes: each token is popped by one of them, or is there in the end.

import { type Ask, type Outcome, shown } from '../outcome.ts';
import { below, type Complain, coin, type MakeSharedKind, token } from './kind.ts';

export class QueueOracle {
  readonly #state = new Map<string, 'maybe' | 'pushed' | 'refused' | 'popped'>();
  #maybePops = 0;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** Said before it is sent: it may be popped before its push is acknowledged. */
  pushing(token: string): void {
    this.#state.set(token, 'maybe');
  }

  /** Came of it: it is there, or it is not. */
  settled(token: string, state: 'pushed' | 'refused'): void {
    const known = this.#state.get(token);
    if (known === 'popped' && state === 'refused') this.#complain(`${token} was popped, though its push was refused`);
    if (known === 'maybe') this.#state.set(token, state);
  }

  popped(token: string): void {
    const known = this.#state.get(token);
    if (known !== 'maybe' && known !== 'pushed') this.#complain(`${token} was popped, though ${WHY[known ?? 'unknown']}`);
    this.#state.set(token, 'popped');
  }

  mayBePopped(): void {
    this.#maybePops++;
  }

  /** Everything that is there in the end. */
  left(found: readonly string[]): void {
    for (const token of found) this.popped(token);
    const missing = [...this.#state].filter(([, state]) => state === 'pushed').map(([token]) => token);
    if (missing.length > this.#maybePops) {
      this.#complain(`${shown(missing)} were pushed, and neither popped nor left; ${this.#maybePops} may have been popped unseen`);
    }
  }
}

const WHY = { popped: 'it was popped before', refused: 'its push was refused', unknown: 'nobody pushed it' } as const;

const WAIT_SECONDS = 0.2;

export const queue: MakeSharedKind = ({ name, complain }) => {
  const oracle = new QueueOracle(complain);
  const onPop = (outcome: Outcome, tokenIn: (reply: unknown) => string | null) => {
    if (outcome.kind === 'unknown' || outcome.kind === 'wrong') oracle.mayBePopped();
    if (outcome.kind !== 'done') return;
    const popped = tokenIn(outcome.reply);
    if (popped !== null) oracle.popped(popped);
  };
  const pops: readonly ((ask: Ask) => Promise<void>)[] = [
    async (ask) => onPop(await ask('LPOP', name), (reply) => reply as string | null),
    async (ask) => onPop(await ask('BLPOP', name, WAIT_SECONDS), (reply) => (reply as [string, string] | null)?.[1] ?? null),
    async (ask) =>
      onPop(await ask('BLMPOP', WAIT_SECONDS, 1, name, 'LEFT'), (reply) => (reply as [string, [string]] | null)?.[1][0] ?? null),
  ];
  const push = async (ask: Ask): Promise<void> => {
    const value = token();
    oracle.pushing(value);
    const { kind } = await ask('RPUSH', name, value);
    if (kind === 'done') oracle.settled(value, 'pushed');
    if (kind === 'refused') oracle.settled(value, 'refused');
  };
  return {
    act: (ask) => (coin(0.5) ? push(ask) : (pops[below(pops.length)] as (ask: Ask) => Promise<void>)(ask)),
    finish: async (ask) => {
      const outcome = await ask('LRANGE', name, 0, -1);
      if (outcome.kind === 'done') oracle.left(outcome.reply as string[]);
      else complain(`what is left of ${name} can't be read: ${outcome.why}`);
    },
  };
};
