// Three keys of one tag, and a command that makes one of them out of the other two: it must have seen both as they are. A hash tag promises that.

import { shown } from '../outcome.ts';
import { type Complain, type MakeKind, token } from './kind.ts';

/** A set that only grows. */
export class GrowingSetOracle {
  readonly #members = new Set<string>();
  readonly #maybe = new Set<string>();
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  added(member: string): void {
    this.#maybe.delete(member);
    this.#members.add(member);
  }

  mayBeAdded(member: string): void {
    this.#maybe.add(member);
  }

  counted(count: number): void {
    const most = this.#members.size + this.#maybe.size;
    if (count < this.#members.size || count > most) this.#complain(`${count} members instead of ${this.#members.size} to ${most}`);
  }

  seen(found: readonly string[]): void {
    const missing = [...this.#members].filter((member) => !found.includes(member));
    const strange = found.filter((member) => !this.#members.has(member) && !this.#maybe.has(member));
    if (missing.length > 0) this.#complain(`${shown(missing)} are missing in ${shown(found)}`);
    if (strange.length > 0) this.#complain(`${shown(strange)} are there, which nobody added`);
    for (const member of found) {
      this.#maybe.delete(member);
      this.#members.add(member);
    }
  }
}

export const intersection: MakeKind = ({ name, complain }) => {
  const oracle = new GrowingSetOracle(complain);
  const [left, right, both] = [`{${name}}:left`, `{${name}}:right`, `{${name}}:both`];
  return {
    write: async (ask) => {
      const member = token();
      oracle.mayBeAdded(member);
      for (const key of [left, right]) if ((await ask('SADD', key, member)).kind !== 'done') return;
      const outcome = await ask('SINTERSTORE', both, left, right);
      if (outcome.kind !== 'done') return;
      oracle.added(member);
      oracle.counted(outcome.reply as number);
    },
    read: async (ask) => {
      const outcome = await ask('SMEMBERS', both);
      if (outcome.kind === 'done') oracle.seen(outcome.reply as string[]);
    },
  };
};
