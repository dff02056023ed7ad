// Two keys of one tag that change together, by a script or by a transaction: always both or none, never one without the other.

import { type Ask, type Outcome, shown } from '../outcome.ts';
import { CounterOracle, numberIn } from './counter.ts';
import type { Complain, MakeKind } from './kind.ts';

/** Two numbers that are changed by one at the same time, and agree. */
export class TwinsOracle {
  readonly #count: CounterOracle;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
    this.#count = new CounterOracle(complain);
  }

  changed(pair: readonly number[]): void {
    if (this.#agree(pair)) this.#count.incremented(pair[0] as number);
    else this.#count.mayBeIncremented();
  }

  mayBeChanged(): void {
    this.#count.mayBeIncremented();
  }

  seen(pair: readonly number[]): void {
    if (this.#agree(pair)) this.#count.seen(pair[0] as number);
  }

  #agree([one, other]: readonly number[]): boolean {
    if (one === other) return true;
    this.#complain(`what changes together is ${one} and ${other}`);
    return false;
  }
}

function twins(commands: { change: (ask: Ask) => Promise<Outcome>; look: (ask: Ask) => Promise<Outcome> }, complain: Complain) {
  const oracle = new TwinsOracle(complain);
  const onPair = (outcome: Outcome, take: (pair: readonly number[]) => void) => {
    if (outcome.kind !== 'done') return;
    if (Array.isArray(outcome.reply)) take(outcome.reply.map(numberIn));
    else complain(`a pair was asked for and ${shown(outcome.reply)} came`);
  };
  return {
    write: async (ask: Ask) => {
      const outcome = await commands.change(ask);
      if (outcome.kind === 'unknown' || outcome.kind === 'wrong') oracle.mayBeChanged();
      onPair(outcome, (pair) => oracle.changed(pair));
    },
    read: async (ask: Ask) => onPair(await commands.look(ask), (pair) => oracle.seen(pair)),
  };
}

const TRANSFER = `return {-redis.call('DECR', KEYS[1]), redis.call('INCR', KEYS[2])}`;
const BALANCES = `return {-(redis.call('GET', KEYS[1]) or 0), redis.call('GET', KEYS[2]) or 0}`;

/** What one account loses another gains. */
export const transfer: MakeKind = ({ name, complain }) => {
  const keys = [`{${name}}:from`, `{${name}}:to`];
  return twins({ change: (ask) => ask('EVAL', TRANSFER, 2, ...keys), look: (ask) => ask('EVAL', BALANCES, 2, ...keys) }, complain);
};

/** A counter, and a list with an entry for each count. */
export const transaction: MakeKind = ({ name, complain }) => {
  const [number, log] = [`{${name}}:count`, `{${name}}:log`] as const;
  return twins(
    {
      change: (ask) => ask.transaction(['INCR', number], ['RPUSH', log, 'x']),
      look: (ask) => ask.transaction(['GET', number], ['LLEN', log]),
    },
    complain,
  );
};
