// The topology as it is stored: what is written is read back, and what is damaged is refused by name.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addServer,
  asGroupId,
  asServerAddr,
  asSlot,
  assignSlots,
  checkTopology,
  decodeTopology,
  emptyTopology,
  encodeTopology,
  groupOfServer,
  groupsIn,
  requireGroup,
  requireMaster,
  SLOT_COUNT,
  sameState,
  setServer,
  slotRuns,
  slotState,
} from '../../src/model/index.ts';
import { topologies } from './arbitraries.ts';

const ONE = asGroupId(1);
const withOne = addServer(emptyTopology(), { group: ONE, addr: asServerAddr('a:1'), role: 'master' });

test('what is written is read back', () => {
  fc.assert(
    fc.property(topologies, (topology) => {
      expect(decodeTopology(encodeTopology(topology))).toEqual(topology);
    }),
  );
});

test('the same topology is always the same bytes', () => {
  fc.assert(
    fc.property(topologies, (topology) => {
      expect(encodeTopology(decodeTopology(encodeTopology(topology)))).toEqual(encodeTopology(topology));
    }),
  );
});

test('runs cover every slot once, in order, and no two neighbours are alike', () => {
  fc.assert(
    fc.property(topologies, (topology) => {
      const runs = slotRuns(topology);
      expect(runs.flatMap(({ first, last, state }) => new Array(last - first + 1).fill(state))).toEqual(topology.slots);
      for (const [n, { first, state }] of runs.entries()) {
        expect(first).toBe(n === 0 ? 0 : runs[n - 1]!.last + 1);
        if (n > 0) expect(sameState(state, runs[n - 1]!.state)).toBe(false);
      }
    }),
  );
});

test('the worst case, every slot in a state of its own, is far below the limit of a node', () => {
  const one = addServer(withOne, { group: asGroupId(2), addr: asServerAddr('b:1'), role: 'master' });
  const slots = one.slots.map(
    (_, slot) => ({ kind: 'locked', from: 1, to: 2, migration: slot + 1, epoch: 2 ** 31, leaseMs: 60_000 }) as never,
  );
  expect(encodeTopology({ ...one, slots }).length).toBeLessThan(200_000);
});

test('what is not said of a server is not written, so an older program reads what it knows', () => {
  const said = setServer(withOne, { group: ONE, addr: asServerAddr('a:1') }, { zone: 'az1', replicaReads: false });
  const back = setServer(said, { group: ONE, addr: asServerAddr('a:1') }, { zone: null, replicaReads: true });
  expect(String(encodeTopology(said))).toContain('{"addr":"a:1","role":"master","zone":"az1","replicaReads":false}');
  expect(encodeTopology(back)).toEqual(encodeTopology(withOne));
});

describe('damage is refused and named:', () => {
  const sound = JSON.parse(String(encodeTopology(assignSlots(withOne, { first: asSlot(0), last: asSlot(511), owner: ONE }))));
  const servers = (...list: unknown[]) => ({ groups: [{ id: 1, servers: list }] });
  const runs = (...list: unknown[]) => ({ slots: list });
  const rest = { first: 1, last: 1023, state: 'offline' };
  const move = { first: 0, last: 0, from: 1, to: 2, migration: 1 };

  test.each<[string, object | string, RegExp]>([
    ['no JSON', '{', /JSON/],
    ['nothing', '', /JSON/],
    ['null', 'null', /null/],
    ['another format', { format: 2 }, /format 2 is not 1; a newer version wrote it/],
    ['no format', { format: undefined }, /format undefined/],
    ['no slots', { slots: undefined }, /./],
    ['a gap', runs({ first: 0, last: 0, state: 'offline' }, { first: 2, last: 1023, state: 'offline' }), /a run starts at 2 instead of 1/],
    [
      'an overlap',
      runs({ first: 0, last: 5, state: 'offline' }, { first: 5, last: 1023, state: 'offline' }),
      /a run starts at 5 instead of 6/,
    ],
    ['a run that ends past the table', runs({ first: 0, last: 1024, state: 'offline' }), /a run ends at 1024/],
    ['a run that ends before it starts', runs({ first: 0, last: -1, state: 'offline' }), /a run ends at -1/],
    ['a run that ends nowhere', runs({ first: 0, last: 'x', state: 'offline' }), /a run ends at x/],
    ['a table that ends early', runs({ first: 0, last: 1000, state: 'offline' }), /the slot table ends at 1000/],
    ['an unknown state', runs({ first: 0, last: 1023, state: 'asleep' }), /a slot's state is "asleep"/],
    ['a bad owner', runs({ first: 0, last: 1023, state: 'online', owner: 0 }), /group id 0/],
    [
      'an owner that does not exist',
      runs({ first: 0, last: 1023, state: 'online', owner: 7 }),
      /slot 0 names group 7, which does not exist/,
    ],
    ['a move to nowhere', runs({ ...move, state: 'migrating' }, rest), /slot 0 names group 2, which does not exist/],
    ['a move to itself', runs({ ...move, to: 1, state: 'migrating' }, rest), /slot 0 moves from group 1 to itself/],
    ['a move of no migration', runs({ ...move, migration: 0, state: 'migrating' }, rest), /0 is not a migration id/],
    ['a lock without an epoch', runs({ ...move, state: 'locked', leaseMs: 1 }, rest), /not an epoch/],
    ['a lock without a lease', runs({ ...move, state: 'locked', epoch: 1 }, rest), /leaseMs is undefined/],
    ['a lock with a lease of nothing', runs({ ...move, state: 'locked', epoch: 1, leaseMs: 0 }, rest), /leaseMs is 0/],
    ['no groups', { groups: undefined }, /./],
    ['an unknown role', servers({ addr: 'a:1', role: 'slave' }), /a server's role is "slave"/],
    ['a zone that is none', servers({ addr: 'a:1', role: 'master', zone: 'a b' }), /a server's zone is "a b"/],
    ['reads that are neither on nor off', servers({ addr: 'a:1', role: 'master', replicaReads: 1 }), /replicaReads is 1/],
    ['a bad address', servers({ addr: 'a', role: 'master' }), /not an address/],
    ['two masters', servers({ addr: 'a:1', role: 'master' }, { addr: 'b:1', role: 'master' }), /group 1 has two masters/],
    ['a server that stands twice', servers({ addr: 'a:1', role: 'master' }, { addr: 'A:1', role: 'replica' }), /server a:1 stands twice/],
    [
      'groups out of order',
      {
        groups: [
          { id: 2, servers: [] },
          { id: 1, servers: [] },
        ],
      },
      /group 1 is out of order/,
    ],
    [
      'a group that stands twice',
      {
        groups: [
          { id: 1, servers: [] },
          { id: 1, servers: [] },
        ],
      },
      /group 1 is out of order/,
    ],
  ])('%s', (_, damage, message) => {
    const text = typeof damage === 'string' ? damage : JSON.stringify({ ...sound, ...damage });
    const act = () => decodeTopology(Buffer.from(text));
    expect(act).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
    expect(act).toThrow(message);
  });
});

describe('look-ups', () => {
  test('an empty topology has every slot offline and no group', () => {
    const topology = emptyTopology();
    checkTopology(topology);
    expect(topology.slots.length).toBe(SLOT_COUNT);
    expect(slotState(topology, asSlot(1023))).toEqual({ kind: 'offline' });
    expect(topology.groups).toEqual([]);
  });

  test('a group and its master are found, or missed by name', () => {
    expect(requireMaster(withOne, ONE)).toBe('a:1');
    expect(groupOfServer(withOne, asServerAddr('A:1'))?.id).toBe(1);
    expect(groupOfServer(withOne, asServerAddr('b:1'))).toBeUndefined();
    expect(() => requireGroup(withOne, asGroupId(2))).toThrow(expect.objectContaining({ code: 'CODIS_E_UNKNOWN_GROUP' }));
    const masterless = { ...withOne, groups: [{ id: ONE, servers: [] }] };
    expect(() => requireMaster(masterless, ONE)).toThrow(expect.objectContaining({ code: 'CODIS_E_NO_MASTER' }));
  });

  test('a state names no group, its owner, or both sides', () => {
    const two = asGroupId(2);
    expect(groupsIn({ kind: 'offline' })).toEqual([]);
    expect(groupsIn({ kind: 'online', owner: ONE })).toEqual([1]);
    expect(groupsIn({ kind: 'migrating', from: ONE, to: two, migration: 1 as never })).toEqual([1, 2]);
  });
});
