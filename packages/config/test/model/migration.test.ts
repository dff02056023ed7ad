// What a migration does next, from the topology alone.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  checkMoves,
  checkTopology,
  comesAfter,
  completeMove,
  decodeMigration,
  type ErrorCode,
  emptyTopology,
  encodeMigration,
  holdsSlots,
  lockSlots,
  type Migration,
  type Move,
  NOTHING_SWEPT,
  nextActions,
  offlineSlots,
  slotsDone,
  startMigrating,
  type Topology,
  targets,
  UNTHROTTLED,
  unlockSlots,
} from '../../src/model/index.ts';

const [ONE, TWO, THREE] = [asGroupId(1), asGroupId(2), asGroupId(3)];
const ID = asMigrationId(4);
const OTHER = asMigrationId(5);
const range = (first: number, last: number) => ({ first: asSlot(first), last: asSlot(last) });
const move = (first: number, last: number, to = TWO): Move => ({ ...range(first, last), to });

const groups = [ONE, TWO, THREE].reduce(
  (topology, group) => addServer(topology, { group, addr: asServerAddr(`host${group}:1`), role: 'master' }),
  emptyTopology(),
);
const start = assignSlots(groups, { ...range(0, 99), owner: ONE });

const migration = (over: Partial<Migration> = {}): Migration => ({
  id: ID,
  moves: [move(0, 9)],
  throttle: UNTHROTTLED,
  durable: false,
  state: 'running',
  progress: { ...NOTHING_SWEPT, slotsTotal: 10 },
  arrivals: [],
  resumesAt: null,
  takesBack: null,
  takenBackBy: null,
  waiting: null,
  actor: 'test',
  createdAt: '2026-01-01T00:00:00.000Z',
  comment: null,
  endedAt: null,
  ...over,
});

const locked = (topology: Topology, slots: number[], over: { epoch?: number; migration?: typeof ID; to?: typeof ONE } = {}) =>
  lockSlots(topology, {
    slots: slots.map(asSlot),
    to: over.to ?? TWO,
    migration: over.migration ?? ID,
    epoch: asEpoch(over.epoch ?? 7),
    leaseMs: 100,
  });
const migrating = (topology: Topology, slots: number[]) =>
  startMigrating(locked(topology, slots), { slots: slots.map(asSlot), migration: ID });
const moved = (topology: Topology, slots: number[]) =>
  completeMove(migrating(topology, slots), { slots: slots.map(asSlot), migration: ID });

describe('nextActions', () => {
  test('locks the next batch, at most as large as allowed', () => {
    expect(nextActions(start, migration(), 4)).toEqual([{ kind: 'lock', slots: [0, 1, 2, 3], from: ONE, to: TWO }]);
    const left = { kind: 'lock', slots: [4, 5, 6, 7, 8, 9], from: ONE, to: TWO };
    expect(nextActions(moved(start, [0, 1, 2, 3]), migration(), 100)).toEqual([left]);
  });

  test('each pair of groups has a batch of its own', () => {
    const twoSources = assignSlots(offlineSlots(start, range(3, 9)), { ...range(3, 9), owner: THREE });
    expect(nextActions(twoSources, migration(), 4)).toEqual([
      { kind: 'lock', slots: [0, 1, 2], from: ONE, to: TWO },
      { kind: 'lock', slots: [3, 4, 5, 6], from: THREE, to: TWO },
    ]);
    const twoTargets = migration({ moves: [move(0, 1), move(2, 3, THREE), move(4, 4)] });
    expect(nextActions(start, twoTargets, 100)).toEqual([
      { kind: 'lock', slots: [0, 1, 4], from: ONE, to: TWO },
      { kind: 'lock', slots: [2, 3], from: ONE, to: THREE },
    ]);
    expect(nextActions(migrating(start, [0]), twoTargets, 100)).toEqual([
      { kind: 'sweep', slots: [0], from: ONE, to: TWO },
      { kind: 'lock', slots: [2, 3], from: ONE, to: THREE },
    ]);
  });

  test('slots that are there already are passed over', () => {
    expect(nextActions(moved(start, [1]), migration(), 3)).toMatchObject([{ kind: 'lock', slots: [0, 2, 3] }]);
  });

  test('locks wait for acknowledgements, those of one epoch together', () => {
    expect(nextActions(locked(start, [0, 1]), migration(), 2)).toEqual([{ kind: 'await-acks', slots: [0, 1], epoch: 7, leaseMs: 100 }]);
    const twoLocks = locked(locked(start, [0], { epoch: 7 }), [1], { epoch: 8 });
    expect(nextActions(twoLocks, migration(), 2)).toMatchObject([
      { kind: 'await-acks', slots: [0], epoch: 7 },
      { kind: 'await-acks', slots: [1], epoch: 8 },
    ]);
  });

  test('migrating slots are swept before more are taken', () => {
    expect(nextActions(migrating(start, [0, 1]), migration(), 2)).toEqual([{ kind: 'sweep', slots: [0, 1], from: ONE, to: TWO }]);
  });

  test('is done when every slot has arrived', () => {
    expect(nextActions(moved(start, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), migration(), 2)).toEqual([{ kind: 'done' }]);
  });

  test('what stands in the way of a slot is said, and others go on', () => {
    expect(nextActions(offlineSlots(start, range(0, 0)), migration(), 2)).toEqual([
      { kind: 'lock', slots: [1, 2], from: ONE, to: TWO },
      { kind: 'blocked', reason: 'slot 0 was taken offline; give it to a group to go on' },
    ]);
    expect(nextActions(locked(start, [0], { migration: OTHER }), migration({ moves: [move(0, 0)] }), 2)).toEqual([
      { kind: 'blocked', reason: 'slot 0 is being moved by migration 5' },
    ]);
    const masterless = { ...start, groups: start.groups.map((group) => (group.id === TWO ? { id: TWO, servers: [] } : group)) };
    expect(nextActions(masterless, migration(), 2)).toEqual([{ kind: 'blocked', reason: 'group 2 has no master' }]);
  });

  test('a cancelled migration releases its locks, lets what is between two groups arrive, and takes nothing new', () => {
    const cancelled = migration({ state: 'cancelled' });
    expect(nextActions(start, cancelled, 2)).toEqual([{ kind: 'done' }]);
    const both = locked(migrating(start, [0]), [1, 2], { epoch: 9 });
    expect(nextActions(both, cancelled, 2)).toMatchObject([
      { kind: 'unlock', slots: [1, 2] },
      { kind: 'sweep', slots: [0] },
    ]);
    const released = unlockSlots(both, { slots: [asSlot(1), asSlot(2)], migration: ID });
    expect(nextActions(released, cancelled, 2)).toMatchObject([{ kind: 'sweep', slots: [0] }]);
  });

  test('a paused migration releases its locks and does nothing more, but ends when all has arrived', () => {
    const paused = migration({ state: 'paused' });
    expect(nextActions(start, paused, 2)).toEqual([]);
    expect(nextActions(migrating(start, [0]), paused, 2)).toEqual([]);
    expect(nextActions(locked(migrating(start, [0]), [1, 2]), paused, 2)).toEqual([{ kind: 'unlock', slots: [1, 2] }]);
    expect(nextActions(moved(start, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), paused, 2)).toEqual([{ kind: 'done' }]);
  });

  test('one that takes another back begins when that one has ended, and goes on with what it has begun', () => {
    const first = { id: ID };
    const second = { id: OTHER, takesBack: ID };
    expect(comesAfter(start, second, [first, second])).toBe(first);
    expect(comesAfter(start, second, [second])).toBeNull();
    expect(comesAfter(start, { ...first, takesBack: null }, [first, second])).toBeNull();
    expect(comesAfter(locked(start, [3], { migration: OTHER }), second, [first, second])).toBeNull();
  });

  test('what another migration holds is left alone', () => {
    const topology = locked(start, [50], { migration: OTHER });
    expect(nextActions(topology, migration({ state: 'cancelled' }), 2)).toEqual([{ kind: 'done' }]);
    expect(holdsSlots(topology, { id: OTHER })).toBe(true);
    expect(holdsSlots(topology, { id: ID })).toBe(false);
  });

  test('followed to the end in any order, they move every slot once and end', () => {
    const plans = fc.record({
      batch: fc.integer({ min: 1, max: 7 }),
      third: fc.boolean(),
      rollBacks: fc.nat(3),
      cancelAt: fc.option(fc.nat(20)),
      pauseAt: fc.option(fc.nat(20)),
      picks: fc.infiniteStream(fc.nat(5)),
    });
    fc.assert(
      fc.property(plans, ({ batch, third, rollBacks, cancelAt, pauseAt, picks }) => {
        const moves = [move(0, 5), move(8, 12, third ? THREE : TWO)];
        let job = migration({ moves });
        let topology = start;
        let left = rollBacks;
        for (let epoch = 1; epoch < 200; epoch++) {
          if (epoch === cancelAt) job = { ...job, state: 'cancelled' };
          else if (epoch === pauseAt && job.state === 'running') job = { ...job, state: 'paused' };
          const actions = nextActions(topology, job, batch);
          checkTopology(topology);
          const action = actions[(picks.next().value as number) % Math.max(1, actions.length)];
          if (action?.kind === 'done') break;
          if (action === undefined) {
            expect(job.state).toBe('paused');
            expect(topology.slots.some(({ kind }) => kind === 'locked')).toBe(false);
            job = { ...job, state: 'running' };
            continue;
          }
          const step = { slots: 'slots' in action ? action.slots : [], migration: ID };
          if (action.kind === 'lock') topology = lockSlots(topology, { ...step, to: action.to, epoch: asEpoch(epoch), leaseMs: 1 });
          else if (action.kind === 'await-acks' && left-- > 0) topology = unlockSlots(topology, step);
          else if (action.kind === 'await-acks') topology = startMigrating(topology, step);
          else if (action.kind === 'unlock') topology = unlockSlots(topology, step);
          else if (action.kind === 'sweep') topology = completeMove(topology, step);
        }
        expect(nextActions(topology, job, batch)).toEqual([{ kind: 'done' }]);
        expect(holdsSlots(topology, job)).toBe(false);
        if (job.state === 'running') expect(slotsDone(topology, job)).toBe(11);
        for (const [slot, state] of topology.slots.entries()) if (slot < 100) expect(state.kind).toBe('online');
      }),
    );
  });
});

test('targets and slotsDone count what the moves name', () => {
  const job = migration({ moves: [move(3, 4), move(0, 0, THREE)] });
  expect([...targets(job)]).toEqual([
    [3, TWO],
    [4, TWO],
    [0, THREE],
  ]);
  expect(slotsDone(moved(start, [3]), job)).toBe(1);
});

describe('checkMoves', () => {
  test('allows what can be done', () => {
    checkMoves(start, [move(0, 9), move(10, 10, THREE), move(11, 12, ONE)]);
  });

  test.each<[string, Topology, Move[], ErrorCode]>([
    ['a range that runs backwards', start, [{ first: asSlot(2), last: asSlot(1), to: TWO }], 'CODIS_E_BAD_SLOT'],
    ['a slot that stands in two moves', start, [move(0, 5), move(5, 6, THREE)], 'CODIS_E_BAD_SLOT'],
    ['an unknown group', start, [move(0, 1, asGroupId(9))], 'CODIS_E_UNKNOWN_GROUP'],
    [
      'a group without a master',
      { ...start, groups: [...start.groups, { id: asGroupId(8), servers: [] }] },
      [move(0, 1, asGroupId(8))],
      'CODIS_E_NO_MASTER',
    ],
    ['a slot that belongs to nobody', start, [move(99, 100)], 'CODIS_E_SLOT_OFFLINE'],
    ['a slot that is moving', locked(start, [3]), [move(0, 5)], 'CODIS_E_SLOT_IN_MOVE'],
  ])('refuses %s', (_, topology, moves, code) => {
    expect(() => checkMoves(topology, moves)).toThrow(expect.objectContaining({ code }));
  });
});

describe('a migration as it is stored', () => {
  test('is read back as it was written', () => {
    for (const job of [
      migration(),
      migration({ state: 'done', endedAt: '2026-01-02T00:00:00.000Z', waiting: 'for a reason' }),
      migration({
        state: 'paused',
        durable: true,
        throttle: { delayMs: 10, keysPerSecond: 5, bytesPerSecond: 7, addedP99Ms: 2, sharePercent: null, slotsAtOnce: null, window: null },
      }),
    ]) {
      expect(decodeMigration(encodeMigration(job))).toEqual(job);
    }
  });

  test('by an older version is read: how long it takes is not known', () => {
    const { secondsLeft: _, ...progress } = migration().progress;
    expect(decodeMigration(Buffer.from(JSON.stringify({ ...migration(), progress })))).toEqual(migration());
  });

  test.each<[string, object | string, RegExp]>([
    ['no JSON', '{', /JSON/],
    ['null', 'null', /null/],
    ['no id', { id: undefined }, /not a migration id/],
    ['an id that is no number', { id: 'x' }, /not a migration id/],
    ['no moves', { moves: undefined }, /moves is not a list/],
    ['a slot out of range', { moves: [{ first: 0, last: 1024, to: 2 }] }, /slot 1024/],
    ['a slot that is no number', { moves: [{ first: '0', last: 1, to: 2 }] }, /first is "0"/],
    ['a range that runs backwards', { moves: [{ first: 2, last: 1, to: 2 }] }, /2\.\.1 runs backwards/],
    ['a move to no group', { moves: [{ first: 0, last: 1, to: 0 }] }, /group id 0/],
    ['a move that is none', { moves: [null] }, /./],
    ['an unknown state', { state: 'asleep' }, /its state is "asleep"/],
    ['no throttle', { throttle: undefined }, /throttle is missing/],
    ['a delay that is none', { throttle: { ...UNTHROTTLED, delayMs: -1 } }, /delayMs is -1/],
    ['a limit that is none', { throttle: { ...UNTHROTTLED, keysPerSecond: 'x' } }, /keysPerSecond is "x"/],
    ['durable that is neither', { durable: 1 }, /durable is 1/],
    ['no progress', { progress: undefined }, /progress is missing/],
    ['progress that is none', { progress: { slotsTotal: 1, slotsDone: 'x', keysSwept: 0 } }, /slotsDone is "x"/],
    ['a time that is none', { progress: { ...migration().progress, secondsLeft: -1 } }, /secondsLeft is -1/],
    ['a reason that is none', { waiting: 7 }, /waiting is 7/],
    ['no actor', { actor: undefined }, /actor is undefined/],
    ['no beginning', { createdAt: null }, /createdAt is null/],
    ['an end that is none', { endedAt: 5 }, /endedAt is 5/],
  ])('%s is refused and named', (_, damage, message) => {
    const text = typeof damage === 'string' ? damage : JSON.stringify({ ...migration(), ...damage });
    const act = () => decodeMigration(Buffer.from(text));
    expect(act).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
    expect(act).toThrow(message);
  });
});
