// Goal: the command lines that docs/operations.md shows in blocks of their own work as they stand.
// Method: all of them, in order, against a cluster that has migration 1 under way.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { REPO, stopAll } from './harness/process.ts';

const page = readFileSync(join(REPO, 'docs/operations.md'), 'utf8');
const blocks = [...page.matchAll(/```\w*\n([\s\S]*?)```/g)].map((block) => (block[1] ?? '').trim().split('\n'));
const steering = blocks.find((lines) => lines.some((line) => line.startsWith('codis-config migration throttle'))) ?? [];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 1, groups: 2 });
  const client = cluster.proxies[0]!.client();
  const pipeline = client.pipeline();
  for (let number = 0; number < 4000; number++) pipeline.set(`key:${number}`, 'x'.repeat(100));
  await pipeline.exec();
  await cluster.cliOk('slot', 'migrate', '0', '511', '2', '--keys-per-second', '100', '--delay', '3000');
});

afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

test('what steers a migration does', async () => {
  expect(steering.length).toBeGreaterThan(4);
  for (const line of steering) {
    const [program, ...args] = line.split(' ');
    expect(program).toBe('codis-config');
    expect(await cluster.cliOk(...args), line).not.toBe('');
  }
  expect(JSON.parse(await cluster.cliOk('migration', 'show', '1', '-o', 'json'))).toMatchObject({ state: 'done', slotsDone: 512 });
}, 60_000);
