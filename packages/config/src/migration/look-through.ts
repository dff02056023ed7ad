// A look at all keys of a source before slots are locked, once for all slots of a migration: which of them are big and move in pieces, and the roll of
// all others.
//
// A key that grows after the look is not known to be big, and moves in one step.

import type { Redis } from 'ioredis';
import { type ServerAddr, type Slot, slotOf } from '../model/index.ts';
import type { Settings } from '../settings/index.ts';
import type { FoundKey } from './big-keys/choose.ts';
import type { Guest } from './courtesy.ts';
import { Overlap } from './overlap.ts';
import type { Moment, OwnWrites } from './own-writes.ts';
import { Portion } from './portion.ts';
import { KeyRoll } from './roll.ts';
import { type KeysPage, scanSlots } from './scan.ts';
import { askSizes, type LargeKey } from './sizes.ts';

/** No element of a hash, set or sorted set that is worth counting takes less. */
const ELEMENT_BYTES_MIN = 16;
/** Types that can be taken apart; others (of modules) move in one step. */
const LISTABLE: ReadonlySet<string> = new Set(['string', 'list', 'hash', 'set', 'zset', 'stream']);

export type Thresholds = Pick<Settings, 'big_key_bytes' | 'big_key_elements'>;

export interface LookRequest {
  readonly addr: ServerAddr;
  readonly product: string;
  readonly password: string;
  readonly slots: ReadonlySet<Slot>;
  readonly thresholds: Thresholds;
  readonly guest: Guest;
  /** At `addr`. */
  readonly own: OwnWrites;
}

export interface Seen {
  readonly bigKeys: readonly FoundKey[];
  readonly roll: KeyRoll;
  /** Just before; null when it is not to be compared. */
  readonly moment: Moment | null;
  /** False: the server can't tell, so none is known to be big. */
  readonly sizesKnown: boolean;
}

/** Of `slots`, in every database. Throws what the connection or the server throws. */
export async function lookThrough(redis: Redis, request: LookRequest): Promise<Seen> {
  const { guest, own } = request;
  const moment = await own.moment(redis);
  const seen = new Look(request.thresholds);
  const looks = new Overlap();
  for await (const page of scanSlots(redis, request)) {
    const startedMs = performance.now();
    await looks.begin(() => seen.take(redis, page));
    if (guest.isAlone) continue;
    await looks.end();
    await guest.rest(performance.now() - startedMs);
  }
  await looks.end();
  const { bigKeys, roll, sizesKnown } = seen;
  return { bigKeys, roll, moment, sizesKnown };
}

class Look {
  readonly #thresholds: Thresholds;
  readonly #bigKeys = new Map<string, FoundKey>();
  readonly roll = new KeyRoll();
  sizesKnown = true;

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  get bigKeys(): FoundKey[] {
    return [...this.#bigKeys.values()];
  }

  async take(redis: Redis, page: KeysPage): Promise<void> {
    const { big_key_bytes: bytesMin, big_key_elements: elementsMin } = this.#thresholds;
    const portion = Portion.of(page.db, page.keys);
    const large = await askSizes(redis, portion, Math.min(bytesMin, elementsMin * ELEMENT_BYTES_MIN));
    this.sizesKnown &&= large !== null;
    const big = (large ?? []).filter(
      ({ bytes, elementsCount, type }) => (bytes >= bytesMin || elementsCount >= elementsMin) && LISTABLE.has(type),
    );
    // SCAN may give it twice.
    for (const key of big) this.#bigKeys.set(`${page.db}:${nameOf(page, key)}`, foundKey(page, key));
    this.roll.note(portion.without(new Set(big.map(({ at }) => at))), page.lookedCount);
  }
}

const nameOf = ({ keys }: KeysPage, { at }: LargeKey) => (keys[at] as Buffer).toString('latin1');

function foundKey(page: KeysPage, large: LargeKey): FoundKey {
  const name = page.keys[large.at] as Buffer;
  return { db: page.db, key: nameOf(page, large), slot: slotOf(name), bytes: large.bytes };
}
