// Goal: a cluster grows and shrinks by plans, while clients go on: what was planned is what moves, and no write is lost.
// Method: three groups get a fourth; its plan is checked, applied, and held against where slots and keys are afterwards; then the fourth is drained and removed.
// A client writes through one proxy all the time, and another reads what it wrote through the other.

import type { PlanView, SlotsView } from '@codis/config/api';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const KEYS_COUNT = 3000;

describe('a cluster of three groups', () => {
  let cluster: Cluster;
  let fourth: RedisServer;
  const written = new Map<string, string>();

  beforeAll(async () => {
    [cluster, fourth] = await Promise.all([startCluster({ groups: 3 }), startRedis()]);
    const client = cluster.proxies[0]!.client();
    await Promise.all(Array.from({ length: KEYS_COUNT }, (_, number) => client.set(`key:${number}`, '0')));
    for (let number = 0; number < KEYS_COUNT; number++) written.set(`key:${number}`, '0');
  }, 60_000);

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  const json = async <T>(...args: string[]) => JSON.parse(await cluster.cliOk(...args, '-o', 'json')) as T;
  const slotsOf = ({ moves }: PlanView) =>
    moves.flatMap(({ first, last, from, to }) =>
      Array.from({ length: last - first + 1 }, (_, index) => ({ slot: first + index, from, to })),
    );
  const owners = async () => {
    const { slots } = await json<SlotsView>('slot', 'list');
    return slots.flatMap(({ first, last, group }) => new Array<number | null>(last - first + 1).fill(group));
  };
  const countsOf = (groups: readonly (number | null)[]) => [1, 2, 3, 4].map((id) => groups.filter((group) => group === id).length);

  /** Carries out a plan while a client writes; every write is acknowledged or the test fails. */
  async function carryOut(plan: PlanView): Promise<void> {
    const applied = cluster.cliOk('plan', 'apply', String(plan.id), '--wait', '--timeout', '120');
    let over = false;
    const end = () => {
      over = true;
    };
    applied.then(end, end);
    const client = cluster.proxies[0]!.client();
    for (let round = 1; !over; round++) {
      const keys = Array.from({ length: 50 }, (_, index) => `key:${(round * 50 + index) % KEYS_COUNT}`);
      await Promise.all(keys.map((key) => write(client, key, `${plan.id}.${round}`)));
    }
    await applied;
  }

  /** A slot that stays locked for long answers TRYAGAIN, which says that nothing was done. */
  async function write(client: Redis, key: string, value: string): Promise<void> {
    await eventually(
      () =>
        client.set(key, value).catch((error: Error) => {
          if (!error.message.startsWith('TRYAGAIN')) throw new Error(`a write was refused: ${error.message}`, { cause: error });
          return false;
        }),
      { what: `a write of ${key}` },
    );
    written.set(key, value);
  }

  async function everyKeyIsThere(): Promise<void> {
    const keys = [...written.keys()];
    const values = await cluster.proxies[1]!.client().mget(keys);
    expect(values).toEqual([...written.values()]);
    const masters = [...cluster.servers.map(([master]) => master!), fourth];
    const counts = await Promise.all(masters.map((master) => master.client().dbsize()));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(KEYS_COUNT);
  }

  test('that gets a fourth moves a quarter of its slots, no slot twice, and those exactly', async () => {
    await cluster.cliOk('server', 'add', '4', fourth.addr, 'master');
    const before = await owners();
    const plan = await json<PlanView>('plan', 'rebalance');
    const planned = slotsOf(plan);
    expect(planned.length).toBeLessThanOrEqual(Math.ceil(1024 / 4));
    expect(new Set(planned.map(({ slot }) => slot)).size).toBe(planned.length);
    await carryOut(plan);
    const after = await owners();
    const expected = before.slice();
    for (const { slot, from, to } of planned) {
      expect(before[slot]).toBe(from);
      expected[slot] = to;
    }
    expect(after).toEqual(expected);
    expect(countsOf(after)).toEqual([256, 256, 256, 256]);
    await everyKeyIsThere();
  }, 180_000);

  test('has nothing to move when it is asked again', async () => {
    expect(await json<PlanView>('plan', 'rebalance')).toMatchObject({ slotsCount: 0, moves: [] });
    expect(await cluster.cliOk('slot', 'rebalance')).toContain('nothing to move');
  });

  test('gives the fourth up again by a drain, and refuses a plan from before', async () => {
    const outdated = await json<PlanView>('plan', 'move', '0', '9', '4');
    await carryOut(await json<PlanView>('plan', 'drain', '4'));
    expect(countsOf(await owners())).toEqual([342, 341, 341, 0]);
    await everyKeyIsThere();
    const url = `http://127.0.0.1:${cluster.dashboardPort}/api/v1/plans/${outdated.id}/apply`;
    const refused = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    expect({ status: refused.status, problem: await refused.json() }).toMatchObject({
      status: 409,
      problem: { code: 'CODIS_E_PLAN_STALE', detail: expect.stringContaining('other slots were moved') },
    });
    await cluster.cliOk('server', 'remove', '4', fourth.addr);
    expect(await cluster.cliOk('server', 'remove-group', '4')).toContain('group 4 is removed');
  }, 180_000);
});
