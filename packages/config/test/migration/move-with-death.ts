// One run of the crash tests: slots move from group 1 to group 2, the first controller dies at one of its commits, and a second one has to finish from the
// coordinator alone. One proxy acknowledges, another one is lost.

import { expect } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import type { ControllerSettings } from '../../src/migration/index.ts';
import { asSlot } from '../../src/model/index.ts';
import { createMigration, readMigration, readTopology } from '../../src/operations/index.ts';
import { type Death, FaultyCoordinator } from './faulty-coordinator.ts';
import { makeProduct, PRODUCT, startMasters, TWO } from './product.ts';

/** A run waits most of its time, so some go on side by side, each with servers of its own. */
const LANES = 4;

export interface Masters {
  readonly one: RedisServer;
  readonly two: RedisServer;
}

export const startLanes = (): Promise<Masters[]> => Promise.all(Array.from({ length: LANES }, startMasters));

/** Runs with the death at the first commit, at the second, and so on, until one gets through without reaching its death: at which commit that was to be. */
export async function everyDeath(
  lanes: readonly Masters[],
  when: Death['when'],
  run: (masters: Masters, death: Death) => Promise<boolean>,
): Promise<number> {
  let next = 1;
  let unreached = Number.POSITIVE_INFINITY;
  const goOn = async (masters: Masters) => {
    while (next < unreached) {
      const commit = next++;
      if (!(await run(masters, { commit, when }))) unreached = Math.min(unreached, commit);
    }
  };
  const ended = await Promise.allSettled(
    lanes.map((masters) =>
      goOn(masters).catch((error) => {
        unreached = 0;
        throw error;
      }),
    ),
  );
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
  return unreached;
}

interface Run {
  readonly death: Death;
  /** Slots from 0 on. */
  readonly slotsCount: number;
  readonly settings: Partial<ControllerSettings>;
}

/** Returns whether the first controller got to its death; fails unless all slots arrive. */
export async function moveWithDeath(masters: Masters, { death, slotsCount, settings }: Run): Promise<boolean> {
  const product = await makeProduct(masters);
  const coordinator = await product.connect();
  await product.proxy('p1');
  await (await product.proxy('lost')).lose();
  const moves = [{ first: asSlot(0), last: asSlot(slotsCount - 1), to: TWO }];
  const { id } = await createMigration({ coordinator, product: PRODUCT, actor: 'test', password: '' }, { moves, delayMs: 0 });
  const done = async () => (await readMigration(coordinator, id)).state === 'done';

  const faulty = new FaultyCoordinator(await product.connect(), death);
  const first = await product.controller(faulty, settings);
  await eventually(async () => faulty.dead || done(), { what: `the death at ${JSON.stringify(death)}, or the end`, timeoutMs: 30_000 });
  await first.close();
  await faulty.close();
  await product.controller(await product.connect(), settings);
  await eventually(done, { what: `the migration after ${JSON.stringify(death)}`, timeoutMs: 30_000 });

  const { topology } = await readTopology({ coordinator });
  expect(topology.slots.slice(0, slotsCount)).toEqual(Array.from({ length: slotsCount }, () => ({ kind: 'online', owner: TWO })));
  await product.close();
  return faulty.dead;
}
