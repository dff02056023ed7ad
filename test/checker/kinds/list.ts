// A sequence of unique tokens: each that was acknowledged stands there once and in its place until it is popped, and is popped once.

import { type Outcome, shown } from '../outcome.ts';
import { type Complain, coin, type MakeKind, token } from './kind.ts';

export class ListOracle {
  /** What stands there, head first, as far as it is known. */
  #tokens: string[] = [];
  /** Pushed with unknown outcome and not seen. */
  readonly #maybe = new Set<string>();
  /** Popped, or never to be seen again. */
  readonly #gone = new Set<string>();
  /** Pops of unknown outcome that nothing seen is put down to. */
  #maybePops = 0;
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  get length(): number {
    return this.#tokens.length;
  }

  pushed(token: string): void {
    this.#tokens.push(token);
  }

  mayBePushed(token: string): void {
    this.#maybe.add(token);
  }

  mayBePopped(): void {
    this.#maybePops++;
  }

  popped(token: string | null): void {
    const at = token === null ? this.#tokens.length : this.#tokens.indexOf(token);
    if (at < 0 && token !== null && !this.#maybe.has(token)) {
      this.#complain(`a pop gave ${token}, which ${this.#gone.has(token) ? 'was popped before' : 'nobody pushed'}`);
      return;
    }
    if (at >= 0)
      this.#lose(
        this.#tokens.splice(0, token === null ? at : at + 1).filter((other) => other !== token),
        'before a popped one',
      );
    if (token === null) return;
    this.#maybe.delete(token);
    this.#gone.add(token);
  }

  /** The whole list was read. */
  seen(found: readonly string[]): void {
    const doubled = found.filter((token, at) => found.indexOf(token) !== at);
    if (doubled.length > 0) this.#complain(`${shown(doubled)} stand twice in ${shown(found)}`);
    const strange = found.filter((token) => !this.#tokens.includes(token) && !this.#maybe.has(token));
    if (strange.length > 0) this.#complain(`${shown(strange)} of ${shown(found)} were popped before, or never pushed`);
    const kept = this.#tokens.filter((token) => found.includes(token));
    const inOrder = found.filter((token) => this.#tokens.includes(token));
    if (doubled.length === 0 && shown(kept) !== shown(inOrder)) this.#complain(`${shown(inOrder)} are not in the order ${shown(kept)}`);
    const missing = this.#tokens.filter((token) => !found.includes(token));
    this.#tokens = [...found];
    for (const token of found) this.#maybe.delete(token);
    this.#lose(missing, 'in the list');
  }

  /** Only a pop of unknown outcome can have taken them. */
  #lose(missing: readonly string[], where: string): void {
    for (const token of missing) this.#gone.add(token);
    if (missing.length > this.#maybePops) this.#complain(`${shown(missing)} are missing ${where}`);
    this.#maybePops = Math.max(0, this.#maybePops - missing.length);
  }
}

/** Lists grow to about this, so that they move with something in them. */
const LENGTH_HIGH = 20;

export const list: MakeKind = ({ name, complain }) => {
  const oracle = new ListOracle(complain);
  const onPop = (outcome: Outcome) => {
    if (outcome.kind === 'done') oracle.popped(outcome.reply as string | null);
    else if (outcome.kind !== 'refused') oracle.mayBePopped();
  };
  return {
    write: async (ask) => {
      if (oracle.length > LENGTH_HIGH && coin(0.5)) onPop(await ask('LPOP', name));
      else await push(oracle, (value) => ask('RPUSH', name, value));
    },
    read: async (ask) => {
      const outcome = await ask('LRANGE', name, 0, -1);
      if (outcome.kind === 'done') oracle.seen(outcome.reply as string[]);
    },
  };
};

/** A stream, whose entries are never taken. */
export const stream: MakeKind = ({ name, complain }) => {
  const oracle = new ListOracle(complain);
  return {
    write: (ask) => push(oracle, (value) => ask('XADD', name, '*', 'f', value)),
    read: async (ask) => {
      const outcome = await ask('XRANGE', name, '-', '+');
      if (outcome.kind === 'done') oracle.seen((outcome.reply as [string, [string, string]][]).map(([, [, value]]) => value));
    },
  };
};

async function push(oracle: ListOracle, send: (value: string) => Promise<Outcome>): Promise<void> {
  const value = token();
  const { kind } = await send(value);
  if (kind === 'done') oracle.pushed(value);
  else if (kind !== 'refused') oracle.mayBePushed(value);
}
