// Goal: the command lines that docs/operations.md shows in blocks of their own work as they stand.
// Method: all of them, in order, against a cluster that has migration 1 under way; then the coordinator loses the topology.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCoordinator } from '@codis/config/coordinator';
import { decodeTopology } from '@codis/config/model';
import { loadSettings } from '@codis/config/settings';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, REPO, scratchDir, stopAll } from './harness/process.ts';

const page = readFileSync(join(REPO, 'docs/operations.md'), 'utf8');
const blocks = [...page.matchAll(/```\w*\n([\s\S]*?)```/g)].map((block) => (block[1] ?? '').trim().split('\n'));
const backup = blocks.find((lines) => lines.some((line) => line.startsWith('codis-config config dump'))) ?? [];
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

test('what keeps a copy of the topology does, and the copy is good when the coordinator has lost it', async () => {
  const file = join(scratchDir('backup'), 'cluster.json');
  expect(backup).toHaveLength(3);
  for (const line of backup) {
    const [command = '', redirected] = line.replaceAll('cluster.json', file).split(' > ');
    const printed = await cluster.cliOk(...command.split(' ').slice(1));
    expect(printed, line).not.toBe('');
    if (redirected !== undefined) writeFileSync(redirected, printed);
  }
  const coordinator = openCoordinator(loadSettings({ file: cluster.configFile }).settings);
  await coordinator.ready(10_000);
  const before = decodeTopology((await coordinator.read('topology'))!.data);
  await coordinator.commit([{ op: 'delete', path: 'topology' }]);
  const [proxy] = cluster.proxies;
  const { held } = (await proxy!.status()).epoch;
  expect(await cluster.cliOk('config', 'restore', file)).toContain('is restored');
  const restored = await coordinator.read('topology');
  await coordinator.close();
  expect(decodeTopology(restored!.data)).toEqual(before);
  expect(restored!.version).toBeGreaterThan(held);
  await eventually(async () => (await proxy!.status()).epoch.acknowledged === restored!.version, { what: 'the proxy to take it' });
  expect(await proxy!.client().get('key:1')).toBe('x'.repeat(100));
}, 60_000);
