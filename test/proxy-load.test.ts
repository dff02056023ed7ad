// Goal: a proxy that is slow is explained by what makes it so, with what to do; in the API and on the command line.
// Method: a real worker that is stopped and let go on again and again, as a machine does that has no CPU for it.

import type { ExplainView, ProxyDetailView } from '@codis/config/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

const STOPPED_MS = 200;
const RUNNING_MS = 50;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 1, groups: 1, settings: { workers: 1 } });
});
afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

async function ask<View>(path: string): Promise<View> {
  return (await (await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`)).json()) as View;
}

test('a worker whose event loop comes late is named as the cause, though it uses little CPU', async () => {
  const check = 'the event loops of proxy_1 keep up';
  const explained = () => ask<ExplainView>('/explain?proxy=proxy_1');
  const first = await eventually(async () => (await explained()).because.find((one) => one.check === check && one.result !== 'unknown'), {
    what: 'the first measurement',
    everyMs: 200,
  });
  expect(['ok', 'warning']).toContain(first.result);
  const [worker] = (await ask<ProxyDetailView>('/proxies/proxy_1/stats')).workers;
  const hindering = hinder(worker!.pid);
  try {
    const view = await eventually(async () => [await explained()].find(({ because }) => because[0]?.check === check), {
      what: 'the lag to be named first',
      everyMs: 500,
    });
    expect(view).toMatchObject({
      level: 'warning',
      verdict: expect.stringMatching(/^the event loop of worker \d of proxy proxy_1 is \d+ ms late/),
    });
    expect(view.verdict).toContain('though it uses only');
    expect(view.try[0]?.label).toContain('See what else runs on the machine of proxy_1');
    const line =
      view.try
        .find(({ label }) => label === 'Look at each worker of proxy_1')
        ?.cli?.split(' ')
        .slice(1) ?? [];
    expect(await cluster.cliOk(...line)).toContain(String(worker!.pid));
    expect((await cluster.cli('proxy', 'explain', 'proxy_1')).stdout).toContain('ms late (p99)');
  } finally {
    await hindering.end();
  }
}, 60_000);

/** Takes the CPU away from a process, most of the time. */
function hinder(pid: number): { end(): Promise<void> } {
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      process.kill(pid, 'SIGSTOP');
      await new Promise((next) => setTimeout(next, STOPPED_MS));
      process.kill(pid, 'SIGCONT');
      await new Promise((next) => setTimeout(next, RUNNING_MS));
    }
  })();
  return {
    end: () => {
      isOver = true;
      return done;
    },
  };
}
