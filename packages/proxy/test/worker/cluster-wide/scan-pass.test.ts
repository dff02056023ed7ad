// Goal: SCAN returns every key that is there throughout, whatever moves at whatever point and whichever proxy is asked; and it ends when moves end.
// Method: random histories of a simulated cluster (scan-world.ts): table changes, hand-overs by halves, tables that reach proxies late or are passed over,
// proxies that restart, and calls whose answers come late. Then moves stop where they are, in the middle too, and the scan must come to its end.

import type { Slot } from '@codis/config/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GROUPS, Scan, SimProxy, SLOTS, World } from './scan-world.ts';

const UNTIL = ['locked', 'migrating', 'done'] as const;
type Action = (world: World, scan: Scan) => void;

const index = fc.nat({ max: 15 });
const slot = fc.constantFrom(...SLOTS);
const to = fc.constantFrom(...GROUPS);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ slot, to }).map(
      ({ slot, to }): Action =>
        (world) =>
          world.step(slot, to, 'on'),
    ),
  },
  {
    weight: 1,
    arbitrary: slot.map(
      (slot): Action =>
        (world) =>
          world.step(slot, 0, 'back'),
    ),
  },
  {
    weight: 6,
    arbitrary: index.map(
      (at): Action =>
        (world) =>
          world.handOver(at),
    ),
  },
  {
    weight: 6,
    arbitrary: fc.tuple(index, fc.nat({ max: 2 })).map(
      ([at, ahead]): Action =>
        (world) =>
          world.deliver(at, ahead),
    ),
  },
  {
    weight: 6,
    arbitrary: index.map(
      (at): Action =>
        (_, scan) =>
          scan.send(at),
    ),
  },
  { weight: 6, arbitrary: fc.constant<Action>((_, scan) => scan.receive()) },
  // Much of a move in one go: single steps seldom add up to one.
  {
    weight: 4,
    arbitrary: fc.record({ slot, to, until: fc.constantFrom(...UNTIL) }).map(
      (move): Action =>
        (world) =>
          makeMove(world, move),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(index, index).map(
      ([at, calls]): Action =>
        (_, scan) =>
          callAndTake(scan, at, calls),
    ),
  },
);
const restart = index.map(
  (at): Action =>
    (world) =>
      world.restart(at),
);

/** Keys move, and the proxies know of the lock only; or know that they move; or know that they have moved. */
function makeMove(world: World, { slot, to, until }: { slot: Slot; to: number; until: (typeof UNTIL)[number] }): void {
  const deliver = () => {
    for (let proxy = 0; proxy < world.proxies.length; proxy++) world.deliver(proxy, 100);
  };
  world.step(slot, to, 'on');
  deliver();
  world.step(slot, to, 'on');
  if (until !== 'locked') deliver();
  for (let key = 0; key < world.keys.length; key++) {
    world.handOver(key);
    world.handOver(key);
  }
  if (until !== 'done') return;
  world.step(slot, to, 'on');
  deliver();
}

function callAndTake(scan: Scan, proxy: number, calls: number): void {
  for (let call = 0; call < calls; call++) {
    scan.send(proxy);
    scan.receive();
  }
}

/** Moves stand still from now on: how many further calls until the scan is over. */
function finish(world: World, scan: Scan): number {
  for (let proxy = 0; proxy < world.proxies.length; proxy++) world.deliver(proxy, 100_000);
  scan.receive();
  const before = scan.calls;
  while (!scan.done && scan.calls - before < CALLS_MAX) {
    scan.send(scan.calls);
    scan.receive();
  }
  return scan.calls - before;
}

/** The rest of one pass, and three more, at four pages for each of three groups. */
const CALLS_MAX = 4 * 12 + 1;

function check(proxies: number, firstEpoch: number, actions: readonly Action[]): void {
  const world = new World(proxies, firstEpoch);
  const scan = new Scan(world);
  for (const act of actions) act(world, scan);
  finish(world, scan);
  expect(scan.done).toBe(true);
  expect(scan.found.size).toBe(world.keys.length);
}

/** From 0 everything that ever moved is known. */
const firstEpoch = fc.constantFrom(0, 100);
const RUNS = { numRuns: 400 };

describe('every key that is there throughout is returned, and the scan ends', () => {
  test.each([1, 2, 3])('with %i proxies, asked in turn', (proxies) => {
    fc.assert(
      fc.property(firstEpoch, fc.array(action, { maxLength: 120, size: 'max' }), (epoch, actions) => check(proxies, epoch, actions)),
      RUNS,
    );
  });

  test('when proxies are replaced meanwhile', () => {
    const actions = fc.array(fc.oneof({ weight: 30, arbitrary: action }, { weight: 1, arbitrary: restart }), {
      maxLength: 120,
      size: 'max',
    });
    fc.assert(
      fc.property(firstEpoch, actions, (epoch, all) => check(2, epoch, all)),
      RUNS,
    );
  });

  test('where nothing moves no key comes twice, and each group is asked once', () => {
    const world = new World(2, 100);
    const scan = new Scan(world);
    expect(finish(world, scan)).toBe(12);
    expect(scan.found.size).toBe(world.keys.length);
  });

  test('while a move that was begun stands still', () => {
    const world = new World(1, 100);
    world.step(2, 1, 'on');
    world.deliver(0, 0);
    world.step(2, 1, 'on');
    world.handOver(8);
    const scan = new Scan(world);
    expect(finish(world, scan)).toBeLessThanOrEqual(24);
    expect(scan.done).toBe(true);
    expect(scan.found.size).toBe(world.keys.length);
  });
});

test('a worker that was given no table yet has nowhere to scan', () => {
  const world = new World(1, 0);
  const none = new SimProxy({
    ...world.table,
    topology: { slots: world.table.topology.slots.map(() => ({ kind: 'offline' })), groups: [] },
  });
  world.proxies = [none];
  const scan = new Scan(world);
  scan.send(0);
  expect(scan.done).toBe(true);
});
