// Big keys in the slot table: what is listed is read back byte for byte, only the right steps change it, and nothing is complete while one is listed.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addServer,
  arrivalKey,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  completeMove,
  decodeTopology,
  emptyTopology,
  encodeTopology,
  fenceKey,
  type ListedKey,
  lockSlots,
  reservedNames,
  slotOf,
  slotRuns,
  slotState,
  startMigrating,
  startSwitching,
  stopSwitching,
  type Topology,
  unlistBigKey,
  unlockSlots,
} from '../../src/model/index.ts';

const [ONE, TWO] = [asGroupId(1), asGroupId(2)];
const migration = asMigrationId(7);
const KEY = '{t}\xff\x00\r\n"';
const SLOT = slotOf(Buffer.from(KEY, 'latin1'));
const OTHER = asSlot(SLOT === 0 ? 1 : SLOT - 1);
const step = { slot: SLOT, migration, db: 3, key: KEY };

let base: Topology = addServer(emptyTopology(), { group: ONE, addr: asServerAddr('a:1'), role: 'master' });
base = addServer(base, { group: TWO, addr: asServerAddr('b:1'), role: 'master' });
base = assignSlots(base, { first: asSlot(0), last: asSlot(1023), owner: ONE });

function locked(names: readonly { db: number; key: string }[]): Topology {
  const lock = { slots: [SLOT, OTHER], to: TWO, migration, epoch: asEpoch(5), leaseMs: 100 };
  return lockSlots(base, { ...lock, bigKeys: new Map([[SLOT, names]]) });
}

const migrating = () => startMigrating(locked([{ db: 3, key: KEY }]), { slots: [SLOT, OTHER], migration });
const bigKeysOf = (topology: Topology) => (slotState(topology, SLOT) as { bigKeys?: readonly ListedKey[] }).bigKeys;

test('any list of binary keys is read back, and is a run of its own', () => {
  const names = fc.uniqueArray(fc.record({ db: fc.nat(15), suffix: fc.uint8Array({ maxLength: 40 }) }), {
    selector: ({ db, suffix }) => `${db}:${Buffer.from(suffix).toString('latin1')}`,
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(names, (list) => {
      const topology = locked(list.map(({ db, suffix }) => ({ db, key: `{t}${Buffer.from(suffix).toString('latin1')}` })));
      expect(decodeTopology(encodeTopology(topology))).toEqual(topology);
      expect(slotRuns(topology).find(({ first }) => first === SLOT)).toMatchObject({ first: SLOT, last: SLOT });
    }),
  );
});

test('a key goes from copying to switching, back if it must, and out of the list from switching only', () => {
  const copying = migrating();
  expect(bigKeysOf(copying)).toEqual([{ db: 3, key: KEY, phase: 'copying' }]);
  expect(() => unlistBigKey(copying, step)).toThrow(/does not list that big key as switching/);
  const switching = startSwitching(copying, { ...step, epoch: asEpoch(9) });
  expect(decodeTopology(encodeTopology(switching))).toEqual(switching);
  expect(bigKeysOf(switching)).toEqual([{ db: 3, key: KEY, phase: 'switching', epoch: 9 }]);
  expect(() => startSwitching(switching, { ...step, epoch: asEpoch(10) })).toThrow(/as copying/);
  expect(stopSwitching(switching, step)).toEqual(copying);
  const unlisted = unlistBigKey(switching, step);
  expect(slotState(unlisted, SLOT)).toEqual({ kind: 'migrating', from: ONE, to: TWO, migration });
});

test('nothing but its own migration, key and database changes a listed key', () => {
  for (const wrong of [{ db: 0 }, { key: '{t}' }, { migration: asMigrationId(8) }, { slot: OTHER }]) {
    expect(() => startSwitching(migrating(), { ...step, ...wrong, epoch: asEpoch(9) })).toThrow();
  }
});

test('a slot is not complete while it lists a big key, and a lock that is given up lists none', () => {
  expect(() => completeMove(migrating(), { slots: [SLOT, OTHER], migration })).toThrow(/no big key of it is listed/);
  const switching = startSwitching(migrating(), { ...step, epoch: asEpoch(9) });
  expect(() => completeMove(switching, { slots: [SLOT], migration })).toThrow(/no big key of it is listed/);
  expect(slotState(completeMove(unlistBigKey(switching, step), { slots: [SLOT, OTHER], migration }), SLOT)).toEqual({
    kind: 'online',
    owner: TWO,
  });
  expect(slotState(unlockSlots(locked([step]), { slots: [SLOT, OTHER], migration }), SLOT)).toEqual({ kind: 'online', owner: ONE });
});

describe('a damaged list is refused and named:', () => {
  const key = Buffer.from(KEY, 'latin1').toString('base64');
  const sound = { db: 3, key, phase: 'copying' };
  test.each<[string, unknown, RegExp]>([
    ['an empty one', [], /a list of big keys is \[\]/],
    ['no list', 'x', /a list of big keys is "x"/],
    ['a key without a database', [{ ...sound, db: undefined }], /the database of a big key/],
    ['a key without a name', [{ ...sound, key: 4 }], /the name of a big key/],
    ['an unknown phase', [{ ...sound, phase: 'flying' }], /the phase of a big key is "flying"/],
    ['switching without an epoch', [{ ...sound, phase: 'switching' }], /not an epoch/],
    ['a key that stands twice', [sound, sound], /lists a big key twice/],
    ['a key of another slot', [{ ...sound, key: Buffer.from('elsewhere').toString('base64') }], /lists a big key of another slot/],
    [
      'a key that is switching while its slot is locked',
      [{ ...sound, phase: 'switching', epoch: 9 }],
      /is locked, but a big key is switched/,
    ],
  ])('%s', (_, bigKeys, why) => {
    const value = JSON.parse(String(encodeTopology(locked([step])))) as { slots: { bigKeys?: unknown }[] };
    for (const run of value.slots) if (run.bigKeys) run.bigKeys = bigKeys;
    expect(() => decodeTopology(Buffer.from(JSON.stringify(value)))).toThrow(why);
  });
});

test('reserved names are the marker of the fence and the copies that arrive, in one slot, and nothing else', () => {
  const isReserved = reservedNames('demo');
  const named = (name: string) => isReserved(Buffer.from(`..${name}..`), 2, 2 + name.length);
  expect([fenceKey('demo'), arrivalKey('demo', ONE), arrivalKey('demo', asGroupId(9999))].map(named)).toEqual([true, true, true]);
  expect(['', 'x', `${fenceKey('demo')}x`, fenceKey('other'), arrivalKey('other', ONE), `{${fenceKey('demo')}}`].map(named)).toEqual(
    new Array(6).fill(false),
  );
  expect(slotOf(Buffer.from(arrivalKey('demo', ONE)))).toBe(slotOf(Buffer.from(fenceKey('demo'))));
});
