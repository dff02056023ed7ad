// The compact form of keys on their way: what is put in comes out, in batches within their limits, however it was split and joined in between.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Portion } from '../../src/migration/portion.ts';
import { KeyRoll } from '../../src/migration/roll.ts';
import { type Slot, slotOf } from '../../src/model/index.ts';

const names = fc.uniqueArray(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { minLength: 1, maxLength: 60, selector: (name) => name.toString('latin1') },
);
const limits = fc.record({ keysCount: fc.integer({ min: 1, max: 70 }), bytesCount: fc.integer({ min: 1, max: 5000 }) });
const sorted = (keys: readonly Buffer[]) => keys.map((key) => key.toString('latin1')).toSorted();

function portionOf(keys: readonly Buffer[], db = 0): Portion {
  const portion = Portion.of(db, keys);
  portion.sizes = Float64Array.from(keys, sizeOf);
  return portion;
}

const sizeOf = (key: Buffer) => key.length * 10 + 1;

/** The bulk strings that `bytes` consists of. */
function decode(bytes: Buffer): Buffer[] {
  const keys: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n', at);
    expect(bytes.toString('latin1', at, at + 1)).toBe('$');
    const length = Number(bytes.toString('latin1', at + 1, end));
    keys.push(bytes.subarray(end + 2, end + 2 + length));
    expect(bytes.toString('latin1', end + 2 + length, end + 4 + length)).toBe('\r\n');
    at = end + 4 + length;
  }
  return keys;
}

const keysOf = ({ names: { count, bytes } }: Portion) => {
  const keys = decode(bytes);
  expect(keys).toHaveLength(count);
  return keys;
};

test('batches give every key once and in order, within their limits but for a single key', () => {
  fc.assert(
    fc.property(names, limits, (keys, limit) => {
      const portion = portionOf(keys);
      const given: Buffer[] = [];
      while (given.length < keys.length) {
        const batch = portion.batch(given.length, limit);
        const own = decode(batch.names.bytes);
        expect(own).toHaveLength(batch.names.count);
        expect(batch.bytesCount).toBe(own.reduce((sum, key) => sum + sizeOf(key), 0));
        if (own.length > 1) expect(batch.bytesCount).toBeLessThanOrEqual(limit.bytesCount);
        expect(own.length).toBeGreaterThanOrEqual(1);
        expect(own.length).toBeLessThanOrEqual(limit.keysCount);
        given.push(...own);
      }
      expect(given).toEqual(keys);
    }),
  );
});

test('split by slots, joined again, and without some: the same keys with the same sizes', () => {
  fc.assert(
    fc.property(names, fc.func(fc.boolean()), (keys, chosen) => {
      const portion = portionOf(keys);
      const slots = new Set(keys.map((key) => slotOf(key)).filter(chosen));
      const { own, others } = portion.split(slots);
      const parts = [own, others].filter((part) => part !== null);
      expect(own === null ? [] : keysOf(own)).toEqual(keys.filter((key) => slots.has(slotOf(key))));
      expect(portion.keysCountOf(slots)).toBe(own?.keysCount ?? 0);
      const joined = Portion.join(parts as [Portion, ...Portion[]]);
      expect(sorted(keysOf(joined))).toEqual(sorted(keys));
      for (let at = 0; at < keys.length; at++) {
        const [key = Buffer.alloc(0)] = decode(joined.batch(at, { keysCount: 1, bytesCount: 1 }).names.bytes);
        expect(joined.batch(at, { keysCount: 1, bytesCount: 1 }).bytesCount).toBe(sizeOf(key));
      }
      const left = portion.without(new Set([...keys.keys()].filter((at) => slots.has(slotOf(keys[at] as Buffer)))));
      expect(keysOf(left)).toEqual(keys.filter((key) => !slots.has(slotOf(key))));
    }),
  );
});

describe('a roll', () => {
  const key = (n: number) => Buffer.from(`key ${n}`);
  const keys = Array.from({ length: 500 }, (_, n) => key(n));
  const even = new Set([...Array(1024).keys()].filter((slot) => slot % 2 === 0) as Slot[]);
  const odd = new Set([...Array(1024).keys()].filter((slot) => slot % 2 === 1) as Slot[]);

  test('gives the keys of some slots, each with its database, and keeps the others', () => {
    const roll = new KeyRoll();
    for (let at = 0; at < 400; at += 7) roll.note(portionOf(keys.slice(at, Math.min(400, at + 7)), at < 200 ? 0 : 3), 7);
    for (const slots of [even, odd]) {
      const wanted = keys.slice(0, 400).filter((name) => slots.has(slotOf(name)));
      expect(roll.keysCountOf(slots)).toBe(wanted.length);
      const taken = [...roll.take(slots)];
      expect(taken.map(({ db }) => db)).toEqual([0, 3]);
      expect(sorted(taken.flatMap(keysOf))).toEqual(sorted(wanted));
      expect(roll.keysCountOf(slots)).toBe(0);
    }
    expect(roll.lookedCount).toBeNull();
    expect(roll.isWhole).toBe(false);
  });

  test('that is left in the middle keeps what was not taken', () => {
    const roll = new KeyRoll();
    for (const [db, name] of keys.slice(0, 5).entries()) roll.note(portionOf([name], db), 1);
    const all = new Set<Slot>([...even, ...odd]);
    for (const { db } of roll.take(all)) if (db === 1) break;
    expect([...roll.take(all)].map(({ db }) => db)).toEqual([2, 3, 4]);
    expect([...roll.take(all)]).toEqual([]);
  });

  test('that is full is the first part of what was added', () => {
    const portions = keys.map((name) => portionOf([name]));
    const roll = new KeyRoll(10 * (portions[0]?.ownBytes ?? 0));
    expect(roll.isWhole).toBe(true);
    for (const portion of portions) roll.note(portion, 3);
    expect(roll.isWhole).toBe(false);
    const taken = [...roll.take(new Set([...even, ...odd]))].flatMap(keysOf);
    expect(sorted(taken)).toEqual(sorted(keys.slice(0, taken.length)));
    expect(taken.length).toBeGreaterThan(5);
    expect(taken.length).toBeLessThanOrEqual(10);
    expect(roll.lookedCount).toBe(3 * taken.length);
  });
});
