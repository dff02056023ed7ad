// Goal: the replies stay those of one Redis while the slots of the keys move to and fro between the groups.
// Method: the cases of commands.test.ts, a batch at a time, while one migration follows the other. Where docs/commands.md says that a command waits for a
// move to end, -TRYAGAIN is asked again.

import type { SlotView } from '@codis/config/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, stopAll } from '../harness/process.ts';
import { buildCases } from './family.ts';
import { runCases } from './run-cases.ts';
import { play } from './scenario.ts';
import { ACROSS } from './scenarios/across.ts';
import { BLOCKING } from './scenarios/blocking.ts';
import { PUBSUB } from './scenarios/pubsub.ts';
import { TRANSACTIONS } from './scenarios/transactions.ts';
import { PROTOCOLS, type Sides, startSides } from './sides.ts';
import { FAMILIES } from './specs/all.ts';

const BATCH = 400;
const MOVES_MIN = 6;

/** A watch is broken by a move, and who waits may change places, as docs/commands.md says. */
const CONVERSATIONS = [...TRANSACTIONS, ...BLOCKING, ...PUBSUB, ...ACROSS].filter(
  ({ alone, queues, steps }) => !alone && !queues && !steps.some((step) => String(step).includes('WATCH')),
);

let sides: Sides;

beforeAll(async () => {
  sides = await startSides({ migration_batch_slots: 1024 });
});

afterAll(async () => {
  await sides.stop();
  await stopAll();
});

test('commands give the replies of one Redis while slots keep moving to and fro', async () => {
  const moving = keepMoving();
  const found: string[] = [];
  for (let round = 0; round === 0 || moving.count() < MOVES_MIN; round++) {
    for (const protocol of PROTOCOLS) {
      const cases = buildCases(FAMILIES, `moving${protocol}.${round}:`);
      for (let from = 0; from < cases.length; from += BATCH) {
        found.push(...(await runCases(sides, protocol, cases.slice(from, from + BATCH), { tryAgain: true })));
      }
    }
  }
  await moving.stop();
  expect(found).toEqual([]);
  const statuses = await Promise.all(sides.cluster.proxies.map((proxy) => proxy.status()));
  const handOvers = statuses.reduce((sum, { workers }) => sum + workers[0]!.handOvers, 0);
  expect(handOvers).toBeGreaterThan(100);
}, 180_000);

test('conversations go on as with one Redis while slots keep moving to and fro', async () => {
  const moving = keepMoving();
  const found: string[] = [];
  for (let round = 0; round === 0 || moving.count() < MOVES_MIN; round++) {
    for (const protocol of PROTOCOLS) {
      for (const scenario of CONVERSATIONS) {
        if (scenario.protocols?.includes(protocol) ?? true) found.push(...(await play(sides, scenario, protocol)));
      }
    }
  }
  await moving.stop();
  expect(found).toEqual([]);
}, 180_000);

/** Moves a third of the slots, and back, over and over. */
function keepMoving(): { count(): number; stop(): Promise<void> } {
  const { cluster } = sides;
  let stopped = false;
  let count = 0;
  const run = async () => {
    while (!stopped) {
      const target = count % 2 === 0 ? 2 : 1;
      await cluster.cliOk('slot', 'migrate', '0', '341', String(target), '--delay=30');
      await eventually(async () => (await isAt(0, target)) && (await isAt(341, target)), {
        what: `slots to be at group ${target}`,
        timeoutMs: 60_000,
      });
      count++;
    }
  };
  const isAt = async (slot: number, group: number) => {
    const { state, server } = await cluster.ask<SlotView>('GET', `/slots/${slot}`);
    return state === 'online' && server === cluster.servers[group - 1]![0]!.addr;
  };
  const running = run();
  return {
    count: () => count,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
