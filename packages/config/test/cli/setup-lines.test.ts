// Goal: who copies the command lines that stand beside “Make the cluster” gets the cluster that the button makes: the same events in the same order.
// Method: an empty dashboard says the lines and, as a dry run, the events; then the lines are typed.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { startRedis } from '../../../../test/harness/redis.ts';
import type { DryRunView, EventsView, ProbeView, StatusView } from '../../src/api/index.ts';
import { type CliUnderTest, startCli } from './support.ts';

let it: CliUnderTest;

beforeAll(async () => {
  it = await startCli();
});
afterAll(stopAll);

async function post<View>(path: string, body: object): Promise<View> {
  const headers = { 'content-type': 'application/json' };
  return (await (await fetch(`http://${it.addr}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as View;
}

const changes = (list: readonly { action: string; object: string; before: string | null; after: string | null }[]) =>
  list.map(({ action, object, before, after }) => [action, object, before, after]);

test('they make the same cluster, by the same events', async () => {
  const [one, two] = await Promise.all([startRedis(), startRedis()]);
  const replica = await startRedis({ replicaOf: one });
  const addrs = [one.addr, two.addr, replica.addr];
  const { cli, groups } = await post<ProbeView>('/servers/probe', { addrs });
  const { would } = await post<DryRunView>('/setup?dryRun=true', { groups });
  for (const line of cli) await it.ok(...line.replace(/^codis-config /, '').split(' '));
  const { events } = (await it.json('events')) as EventsView;
  expect(changes([...events].reverse())).toEqual(changes(would));
  const { stdout } = await it.cli('status', '-o', 'json');
  expect((JSON.parse(stdout) as StatusView).slots).toMatchObject({ served: 1024, offline: 0 });
  expect((await post<ProbeView>('/servers/probe', { addrs })).cli).toEqual([]);
});

test('there are none where nothing can be made', async () => {
  expect((await post<ProbeView>('/servers/probe', { addrs: ['127.0.0.1:1'] })).cli).toEqual([]);
});
