// A lock that several clients take with SET NX and give back: never do two hold it.
//
// It is held from the moment its holder knows so to the moment its holder begins to give it back. A lock that somebody may hold without knowing is left
// for another name.

import { type Ask, shown } from '../outcome.ts';
import { type Complain, type SharedKind, token } from './kind.ts';

export class LockOracle {
  readonly #holders = new Map<string, string>();
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  taken(lock: string, by: string): void {
    const holder = this.#holders.get(lock);
    if (holder !== undefined) this.#complain(`${by} got the lock ${lock} while ${holder} held it`);
    this.#holders.set(lock, by);
  }

  givenBack(lock: string, by: string): void {
    if (this.#holders.get(lock) === by) this.#holders.delete(lock);
  }

  /** Its holder looked at it. */
  seen(lock: string, { by, found }: { by: string; found: string | null }): void {
    if (this.#holders.get(lock) === by && found !== by) this.#complain(`the lock ${lock} that ${by} holds has ${shown(found)} in it`);
  }
}

const GIVE_BACK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;

export function lock({ name, complain }: { name: string; complain: Complain }): SharedKind {
  const oracle = new LockOracle(complain);
  let generation = 0;
  return {
    act: async (ask) => {
      const key = `${name}:${generation}`;
      const me = token();
      const outcome = await ask('SET', key, me, 'NX');
      if (outcome.kind === 'unknown' || outcome.kind === 'wrong') generation++;
      if (outcome.kind !== 'done' || outcome.reply === null) return;
      oracle.taken(key, me);
      const look = await ask('GET', key);
      if (look.kind === 'done') oracle.seen(key, { by: me, found: look.reply as string | null });
      oracle.givenBack(key, me);
      if (!(await giveBack(ask, key, me))) generation++;
    },
    finish: () => Promise.resolve(),
  };
}

const ATTEMPTS_MAX = 5;

async function giveBack(ask: Ask, key: string, me: string): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) if ((await ask('EVAL', GIVE_BACK, 1, key, me)).kind === 'done') return true;
  return false;
}
