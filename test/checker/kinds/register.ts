// A key with one value, or none: what was written is read, also through another proxy; what was deleted stays deleted; a time to live stays.

import { type Ask, type Reply, shown } from '../outcome.ts';
import { type Complain, coin, type KindOptions, type MakeKind, type OwnedKind, token } from './kind.ts';

type Value = string | null;

/** Values are unique but null, which is "no such key". */
export class RegisterOracle {
  /** What it holds, unless something of `#late` has happened since. */
  #value: Value = null;
  /** Writes of unknown outcome that were not seen yet. */
  #late: Value[] = [];
  readonly #complain: Complain;

  constructor(complain: Complain) {
    this.#complain = complain;
  }

  /** Whether there may be a value; whether there may be none. */
  mayBe(present: boolean): boolean {
    return [this.#value, ...this.#late].some((value) => (value !== null) === present);
  }

  written(value: Value): void {
    this.#value = value;
  }

  mayBeWritten(value: Value): void {
    this.#late.push(value);
  }

  seen(value: Value, by: string): void {
    if (value === this.#value) return;
    const at = this.#late.indexOf(value);
    if (at < 0) {
      const late = this.#late.length > 0 ? `, or one of ${shown(this.#late)}` : '';
      this.#complain(`${by} found ${shown(value)} instead of ${shown(this.#value)}${late}`);
      return;
    }
    this.#late.splice(at, 1);
    this.#value = value;
  }
}

/** How a value is put into one type of Redis. */
interface Commands {
  write(value: string): (string | number)[];
  read(): (string | number)[];
}

function register({ complain }: KindOptions, commands: Commands): OwnedKind {
  const oracle = new RegisterOracle(complain);
  return {
    write: async (ask) => {
      const value = token();
      const { kind } = await ask(...commands.write(value));
      if (kind === 'done') oracle.written(value);
      else if (kind !== 'refused') oracle.mayBeWritten(value);
    },
    read: async (ask) => {
      const outcome = await ask(...commands.read());
      if (outcome.kind === 'done') oracle.seen(outcome.reply as Value, 'a read');
    },
  };
}

export const text: MakeKind = (options) =>
  register(options, { write: (value) => ['SET', options.name, value], read: () => ['GET', options.name] });

export const field: MakeKind = (options) =>
  register(options, { write: (value) => ['HSET', options.name, 'f', value], read: () => ['HGET', options.name, 'f'] });

const TTL_SECONDS = 3600;
/** No test takes as long as this. */
const TTL_SECONDS_LOW = 3000;

/** Its value comes with a time to live. */
export const expiring: MakeKind = (options) => {
  const { name, complain } = options;
  const plain = register(options, {
    write: (value) => ['SET', name, value, 'EX', TTL_SECONDS],
    read: () => ['GET', name],
  });
  return {
    write: plain.write,
    read: async (ask) => {
      await plain.read(ask);
      const outcome = await ask('TTL', name);
      if (outcome.kind === 'done' && !isTtl(outcome.reply)) complain(`a time to live of ${TTL_SECONDS} s is ${shown(outcome.reply)}`);
    },
  };
};

/** -2 is "no such key", which the value tells of. */
export function isTtl(reply: Reply): boolean {
  return reply === -2 || (typeof reply === 'number' && reply > TTL_SECONDS_LOW && reply <= TTL_SECONDS);
}

/** Comes and goes; each command says whether it was there. */
export const toggled: MakeKind = ({ name, complain }) => {
  const oracle = new RegisterOracle(complain);
  const add = async (ask: Ask): Promise<void> => {
    const value = token();
    const outcome = await ask('SETNX', name, value);
    if (outcome.kind === 'unknown' || outcome.kind === 'wrong') oracle.mayBeWritten(value);
    if (outcome.kind !== 'done') return;
    const isNew = outcome.reply === 1;
    if (!oracle.mayBe(!isNew))
      complain(`SETNX answered ${shown(outcome.reply)}, so ${isNew ? 'a value was lost' : 'a deleted value is back'}`);
    if (isNew) oracle.written(value);
  };
  const remove = async (ask: Ask): Promise<void> => {
    const outcome = await ask('DEL', name);
    if (outcome.kind === 'unknown' || outcome.kind === 'wrong') oracle.mayBeWritten(null);
    if (outcome.kind !== 'done') return;
    const wasThere = outcome.reply === 1;
    if (!oracle.mayBe(wasThere))
      complain(`DEL answered ${shown(outcome.reply)}, so ${wasThere ? 'a deleted value is back' : 'a value was lost'}`);
    oracle.written(null);
  };
  return {
    write: (ask) => (coin(0.5) ? add(ask) : remove(ask)),
    read: async (ask) => {
      const outcome = await ask('GET', name);
      if (outcome.kind === 'done') oracle.seen(outcome.reply as Value, 'a read');
    },
  };
};

/** Keys of several slots in one command. A part of it may be done though another was refused. */
export const spread: MakeKind = ({ name, complain }) => {
  const keys = [0, 1, 2, 3, 4].map((number) => `${name}:${number}`);
  const oracles = keys.map(() => new RegisterOracle(complain));
  return {
    write: async (ask) => {
      const values = keys.map(() => token());
      const { kind } = await ask('MSET', ...keys.flatMap((key, at) => [key, values[at] as string]));
      for (const [at, oracle] of oracles.entries()) {
        if (kind === 'done') oracle.written(values[at] as string);
        else oracle.mayBeWritten(values[at] as string);
      }
    },
    read: async (ask) => {
      const outcome = await ask('MGET', ...keys);
      if (outcome.kind !== 'done') return;
      const found = outcome.reply as Value[];
      for (const [at, oracle] of oracles.entries()) oracle.seen(found[at] ?? null, `MGET of ${keys[at]}`);
    },
  };
};
