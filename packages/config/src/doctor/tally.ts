// Counting misplaced keys: one pass over a group's master, and for what it finds a look whether the owner has it too. Changes nothing.

import type { Redis } from 'ioredis';
import { scanSlots } from '../migration/index.ts';
import { type GroupId, type ServerAddr, type Slot, slotOf } from '../model/index.ts';
import { connectRedis } from '../redis/connection.ts';
import { withRedis } from '../redis/probe.ts';

/** Keys of one slot where they should not be. */
export interface SlotTally {
  readonly slot: Slot;
  /** Null: no group owns it. */
  readonly owner: GroupId | null;
  readonly keysCount: number;
  /** How many of them the owner has too. Null when it could not be asked. */
  readonly atOwnerCount: number | null;
}

/** A key that was found. */
export interface ExampleKey {
  /** In words, safe to print, but not for everybody to see. */
  readonly name: string;
  /** Where, and whether its owner has it too. */
  readonly about: string;
}

/** How names of keys are shown to who asks. */
export type ShownKey = (name: string) => string;

export const asItIs: ShownKey = (name) => name;

export function exampleTexts(examples: readonly ExampleKey[], shown: ShownKey): string[] {
  return examples.map(({ name, about }) => `${shown(name)} (${about})`);
}

export interface Tally {
  /** In order of slot; only slots of which a key was found. */
  readonly slots: readonly SlotTally[];
  /** False when there were so many keys that one which SCAN gave twice may be counted twice. */
  readonly exact: boolean;
  readonly examples: readonly ExampleKey[];
}

export interface TallyRequest {
  readonly addr: ServerAddr;
  readonly product: string;
  readonly password: string;
  /** The slots to look for, and who owns each. */
  readonly foreign: ReadonlyMap<Slot, GroupId | null>;
  /** The master of a group, if it has one that can be asked. */
  readonly masterOf: (group: GroupId) => ServerAddr | null;
}

const EXAMPLES_MAX = 5;
/** Up to this many keys are told apart; beyond, memory matters more than a precise number. */
const DISTINCT_MAX = 100_000;
const COMMAND_MS = 10_000;
const KEY_SHOWN_MAX = 64;

/** Throws CODIS_E_SERVER_UNREACHABLE or CODIS_E_NOT_REDIS when the master can't be searched. An owner that can't be asked only leaves a null. */
export async function tallyKeys(request: TallyRequest): Promise<Tally> {
  const counts = new Counts();
  const owners = new Owners(request);
  try {
    await withRedis(request.addr, { password: request.password, timeoutMs: COMMAND_MS }, async (redis) => {
      const slots = new Set(request.foreign.keys());
      for await (const { db, keys } of scanSlots(redis, {
        addr: request.addr,
        slots,
        product: request.product,
        password: request.password,
      })) {
        const fresh = keys.filter((key) => counts.isFresh(db, key));
        for (const [owner, own] of byOwner(fresh, request.foreign)) {
          counts.add({ db, keys: own, owner, there: await owners.having(owner, { db, keys: own }) });
        }
      }
    });
  } finally {
    owners.close();
  }
  return counts.tally();
}

/** Keys by who owns their slot. */
export function byOwner<Owner>(keys: readonly Buffer[], owners: ReadonlyMap<Slot, Owner>): Map<Owner, Buffer[]> {
  const groups = new Map<Owner, Buffer[]>();
  for (const key of keys) {
    const slot = slotOf(key);
    if (!owners.has(slot)) continue;
    const owner = owners.get(slot) as Owner;
    const own = groups.get(owner);
    if (own) own.push(key);
    else groups.set(owner, [key]);
  }
  return groups;
}

/** A key in words: what is not plain ASCII is escaped, what is long is cut. */
export function printable(key: Buffer): string {
  const text = JSON.stringify(key.toString('latin1').slice(0, KEY_SHOWN_MAX)).replace(/[\x7f-\xff]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return key.length > KEY_SHOWN_MAX ? `${text}… (${key.length} bytes)` : text;
}

/** What one page added. `there[i]`: whether the owner has `keys[i]`; null when it could not be asked. */
interface Found {
  readonly db: number;
  readonly keys: readonly Buffer[];
  readonly owner: GroupId | null;
  readonly there: readonly boolean[] | null;
}

class Counts {
  readonly #slots = new Map<Slot, { owner: GroupId | null; keysCount: number; atOwnerCount: number | null }>();
  readonly #seen = new Set<string>();
  readonly #examples: ExampleKey[] = [];
  #exact = true;

  /** Whether SCAN gives this key for the first time, as far as that is remembered. */
  isFresh(db: number, key: Buffer): boolean {
    const name = `${db} ${key.toString('latin1')}`;
    if (this.#seen.has(name)) return false;
    if (this.#seen.size < DISTINCT_MAX) this.#seen.add(name);
    else this.#exact = false;
    return true;
  }

  add({ db, keys, owner, there }: Found): void {
    for (const [index, key] of keys.entries()) {
      const slot = slotOf(key);
      const counted = this.#slots.get(slot) ?? { owner, keysCount: 0, atOwnerCount: 0 };
      this.#slots.set(slot, counted);
      counted.keysCount++;
      const has = there === null ? null : there[index] === true;
      if (has === null || counted.atOwnerCount === null) counted.atOwnerCount = null;
      else if (has) counted.atOwnerCount++;
      if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(exampleOf({ key, slot, db, owner, has }));
    }
  }

  tally(): Tally {
    const slots = [...this.#slots].sort(([a], [b]) => a - b).map(([slot, counted]) => ({ slot, ...counted }));
    return { slots, exact: this.#exact, examples: this.#examples };
  }
}

function exampleOf({
  key,
  slot,
  db,
  owner,
  has,
}: {
  key: Buffer;
  slot: Slot;
  db: number;
  owner: GroupId | null;
  has: boolean | null;
}): ExampleKey {
  const name = printable(key);
  const where = `slot ${slot}, database ${db}`;
  if (owner === null) return { name, about: where };
  return {
    name,
    about: `${where}; group ${owner} ${has === null ? 'could not be asked for it' : has ? 'has it too' : 'does not have it'}`,
  };
}

/** Connections to the masters that own slots, each opened when it is first asked. */
class Owners {
  readonly #request: TallyRequest;
  readonly #connections = new Map<GroupId, Redis | null>();

  constructor(request: TallyRequest) {
    this.#request = request;
  }

  /** Which of `keys` the owner has; null when it can't be asked. */
  async having(owner: GroupId | null, { db, keys }: { db: number; keys: readonly Buffer[] }): Promise<boolean[] | null> {
    const redis = owner === null ? null : await this.#connected(owner);
    if (redis === null) return null;
    const pipeline = redis.pipeline().select(db);
    for (const key of keys) pipeline.exists(key);
    try {
      const [selected, ...replies] = (await pipeline.exec()) ?? [];
      if (!selected || selected[0] || replies.some(([error]) => error)) return null;
      return replies.map(([, count]) => count === 1);
    } catch {
      return null;
    }
  }

  close(): void {
    for (const redis of this.#connections.values()) redis?.disconnect();
  }

  async #connected(owner: GroupId): Promise<Redis | null> {
    const known = this.#connections.get(owner);
    if (known !== undefined) return known;
    const addr = this.#request.masterOf(owner);
    const redis = addr === null ? null : await connectRedis(addr, { password: this.#request.password }).catch(() => null);
    this.#connections.set(owner, redis);
    return redis;
  }
}
