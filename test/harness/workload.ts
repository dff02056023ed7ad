// Clients with an oracle. Each actor owns its keys, so what a key must hold is known after every acknowledged write: it is written through one proxy and
// read back through another, at once and at the end. A violation is a sentence; a test wants none.
//
// An error reply TRYAGAIN means that nothing was done: the actor tries the same again later. Any other error is a violation, unless the test says that it
// makes outcomes unknown.

import { isDeepStrictEqual } from 'node:util';
import type { Redis } from 'ioredis';

/** What one key must hold, and how to write and read it. */
interface Model {
  /** Does one random write and, once it was acknowledged, records it. */
  write(redis: Redis): Promise<void>;
  read(redis: Redis): Promise<unknown>;
  expected(): unknown;
}

export interface WorkloadOptions {
  /** Clients by proxy, then by database: `clients[proxy][database]`. */
  readonly clients: readonly (readonly Redis[])[];
  /** Each actor owns `keysPerActor` keys of each kind and does one thing at a time. */
  readonly actors: number;
  readonly keysPerActor: number;
}

interface OwnedKey {
  readonly name: string;
  readonly db: number;
  readonly model: Model;
}

export class Workload {
  readonly violations: string[] = [];
  /** Writes acknowledged, and requests answered TRYAGAIN. */
  writes = 0;
  tryAgains = 0;
  readonly #options: WorkloadOptions;
  readonly #keys: OwnedKey[][] = [];
  #running = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(options: WorkloadOptions) {
    this.#options = options;
    const databases = options.clients[0]?.length ?? 1;
    for (let actor = 0; actor < options.actors; actor++) {
      const keys: OwnedKey[] = [];
      for (let number = 0; number < options.keysPerActor; number++) {
        for (const [kind, make] of Object.entries(MODELS)) {
          const name = `${kind}:${actor}:${number}`;
          keys.push({ name, db: keys.length % databases, model: make(name) });
        }
      }
      this.#keys.push(keys);
    }
  }

  get keyCount(): number {
    return this.#keys.flat().length;
  }

  /** Writes every key once, so that there is something to move. */
  async fill(): Promise<void> {
    await Promise.all(this.#keys.map((keys) => this.#inTurn(keys, (key) => this.#write(key))));
  }

  start(): void {
    this.#running = true;
    this.#done = Promise.all(this.#keys.map((keys) => this.#act(keys)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
  }

  /** Reads every key through every proxy. */
  async verify(): Promise<void> {
    for (const proxy of this.#options.clients.keys()) {
      await Promise.all(this.#keys.map((keys) => this.#inTurn(keys, (key) => this.#check(key, proxy))));
    }
  }

  async #inTurn(keys: readonly OwnedKey[], action: (key: OwnedKey) => Promise<void>): Promise<void> {
    for (const key of keys) await action(key);
  }

  async #act(keys: readonly OwnedKey[]): Promise<void> {
    while (this.#running && this.violations.length < 20) {
      const key = keys[Math.floor(Math.random() * keys.length)] as OwnedKey;
      await this.#write(key);
      if (Math.random() < 0.3) await this.#check(key, Math.floor(Math.random() * this.#options.clients.length));
    }
  }

  async #write(key: OwnedKey): Promise<void> {
    const proxy = Math.floor(Math.random() * this.#options.clients.length);
    await this.#attempt(key, 'write', () => key.model.write(this.#client(proxy, key.db)));
    this.writes++;
  }

  async #check(key: OwnedKey, proxy: number): Promise<void> {
    await this.#attempt(key, 'read', async () => {
      const found = await key.model.read(this.#client(proxy, key.db));
      const expected = key.model.expected();
      if (isDeepStrictEqual(found, expected)) return;
      this.violations.push(`${key.name} in db ${key.db} through proxy ${proxy}: ${short(found)} instead of ${short(expected)}`);
    });
  }

  async #attempt(key: OwnedKey, what: string, action: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        const { message } = error as Error;
        if (!message.startsWith('TRYAGAIN')) {
          this.violations.push(`${what} of ${key.name} in db ${key.db}: ${message}`);
          return;
        }
        this.tryAgains++;
        await new Promise((next) => setTimeout(next, 10));
      }
    }
  }

  #client(proxy: number, db: number): Redis {
    return this.#options.clients[proxy]?.[db] as Redis;
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}

let tokens = 0;
const token = (): string => `t${++tokens}`;
const coin = (chance: number): boolean => Math.random() < chance;

/** One maker per kind of key. */
const MODELS: Readonly<Record<string, (name: string) => Model>> = {
  counter: (name) => {
    let value = 0;
    return {
      write: async (redis) => {
        value = expectEqual(await redis.incr(name), value + 1);
      },
      read: async (redis) => Number((await redis.get(name)) ?? 0),
      expected: () => value,
    };
  },
  list: (name) => {
    let items: string[] = [];
    return {
      write: async (redis) => {
        if (items.length > 20 && coin(0.5)) {
          expectEqual(await redis.lpop(name), items[0]);
          items = items.slice(1);
        } else {
          const item = token();
          expectEqual(await redis.rpush(name, item), items.length + 1);
          items = [...items, item];
        }
      },
      read: (redis) => redis.lrange(name, 0, -1),
      expected: () => items,
    };
  },
  hash: (name) => {
    const fields: Record<string, string> = {};
    return {
      write: async (redis) => {
        const field = `f${Math.floor(Math.random() * 10)}`;
        const value = token();
        expectEqual(await redis.hset(name, field, value), field in fields ? 0 : 1);
        fields[field] = value;
      },
      read: async (redis) => ({ ...(await redis.hgetall(name)) }),
      expected: () => ({ ...fields }),
    };
  },
  set: (name) => {
    const members = new Set<string>();
    return {
      write: async (redis) => {
        const member = `m${Math.floor(Math.random() * 10)}`;
        if (members.has(member)) {
          expectEqual(await redis.srem(name, member), 1);
          members.delete(member);
        } else {
          expectEqual(await redis.sadd(name, member), 1);
          members.add(member);
        }
      },
      read: async (redis) => (await redis.smembers(name)).sort(),
      expected: () => [...members].sort(),
    };
  },
  zset: (name) => {
    let score = 0;
    return {
      write: async (redis) => {
        score = expectEqual(Number(await redis.zincrby(name, 2, 'm')), score + 2);
      },
      read: async (redis) => Number((await redis.zscore(name, 'm')) ?? 0),
      expected: () => score,
    };
  },
  stream: (name) => {
    let length = 0;
    return {
      write: async (redis) => {
        await redis.xadd(name, '*', 'n', String(length));
        length++;
      },
      read: (redis) => redis.xlen(name),
      expected: () => length,
    };
  },
  /** Comes and goes: what was deleted must stay deleted. */
  toggled: (name) => {
    let value: string | null = null;
    return {
      write: async (redis) => {
        if (value === null) {
          const next = token();
          expectEqual(await redis.setnx(name, next), 1);
          value = next;
        } else {
          expectEqual(await redis.del(name), 1);
          value = null;
        }
      },
      read: (redis) => redis.get(name),
      expected: () => value,
    };
  },
  /** Has a time to live that must come along. */
  expiring: (name) => {
    let value: string | null = null;
    return {
      write: async (redis) => {
        const next = token();
        await redis.set(name, next, 'EX', 3600);
        value = next;
      },
      read: async (redis) => {
        if (value === null) return null;
        const [found, ttl] = await Promise.all([redis.get(name), redis.ttl(name)]);
        return ttl > 3000 && ttl <= 3600 ? found : `${found} with a time to live of ${ttl}`;
      },
      expected: () => value,
    };
  },
  /** Two keys of one tag, changed by one command that reads one and writes the other. */
  pair: (name) => {
    const from = `{${name}}:from`;
    const to = `{${name}}:to`;
    let members: string[] = [];
    return {
      write: async (redis) => {
        const member = token();
        const next = [...members, member].sort();
        await redis.sadd(from, member);
        members = next;
        expectEqual(await redis.sunionstore(to, from), next.length);
      },
      read: async (redis) => (await redis.smembers(to)).sort(),
      expected: () => members,
    };
  },
  /** Keys of several slots in one command. */
  spread: (name) => {
    const keys = [0, 1, 2, 3, 4].map((number) => `${name}:${number}`);
    let values: (string | null)[] = keys.map(() => null);
    return {
      write: async (redis) => {
        const next = keys.map(() => token());
        await redis.mset(...keys.flatMap((key, at) => [key, next[at] as string]));
        values = next;
      },
      read: (redis) => redis.mget(keys),
      expected: () => values,
    };
  },
};

function expectEqual<T>(found: unknown, expected: T): T {
  if (found !== expected) throw new Error(`answered ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  return expected;
}
