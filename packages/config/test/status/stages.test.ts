// How far each slot of a migration is, with where it came from.

import { expect, test } from 'vitest';
import {
  addServer,
  arrivalsOf,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  completeMove,
  emptyTopology,
  lockSlots,
  offlineSlots,
  startMigrating,
} from '../../src/model/index.ts';
import { stagesOf } from '../../src/status/index.ts';

test('slots of one stage, way and time stand together', () => {
  const [one, two] = [asGroupId(1), asGroupId(2)];
  const id = asMigrationId(3);
  const slots = (...all: number[]) => all.map((slot) => asSlot(slot));
  let topology = [one, two].reduce(
    (all, group) => addServer(all, { group, addr: asServerAddr(`host${group}:1`), role: 'master' }),
    emptyTopology(),
  );
  topology = assignSlots(topology, { first: asSlot(0), last: asSlot(9), owner: one });
  topology = assignSlots(topology, { first: asSlot(10), last: asSlot(11), owner: two });
  const lock = (which: number[]) => lockSlots(topology, { slots: slots(...which), to: two, migration: id, epoch: asEpoch(7), leaseMs: 1 });
  const step = (which: number[]) => ({ slots: slots(...which), migration: id });
  topology = lock([0, 1]);
  topology = completeMove(startMigrating(topology, step([0, 1])), step([0, 1]));
  topology = startMigrating(lock([2, 3]), step([2, 3]));
  topology = lock([4]);
  topology = offlineSlots(topology, { first: asSlot(9), last: asSlot(9) });
  const arrivals = arrivalsOf(slots(0, 1), { from: one, to: two, at: 'then', looked: 0 });

  const run = (first: number, last: number, stage: string, from: number | null, at: string | null = null) => ({
    first,
    last,
    stage,
    from,
    to: 2,
    at,
  });
  expect(stagesOf(topology, { id, arrivals, moves: [{ first: asSlot(0), last: asSlot(11), to: two }] })).toEqual([
    run(0, 1, 'done', 1, 'then'),
    run(2, 3, 'moving', 1),
    run(4, 4, 'locked', 1),
    run(5, 8, 'waiting', 1),
    run(9, 9, 'elsewhere', null),
    run(10, 11, 'done', null),
  ]);
});
