// Goal: a large cluster is as quick to look at as a small one.
// Method: the real console against an API that invents 32 groups, 64 servers and 16 proxies. The times of the specification are multiplied: the machine of
// a test may be busy, and slow.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, type TestBrowser } from './browser.ts';
import { type FakeApi, largeCluster, roundRobin, startFakeApi } from './fake-api.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

const BUSY = 3;
const GROUPS = 32;

let api: FakeApi;
let browser: TestBrowser;

beforeAll(async () => {
  [api, browser] = await Promise.all([startFakeApi(largeCluster({ groups: GROUPS, proxies: 16 })), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await api?.close();
});

test('the map of slots is there within a second', async () => {
  const { page } = browser;
  // Once for the compiler and the caches of a browser that has just been started.
  await page.goto(`${api.url}/c/large/slots`);
  await page.locator('[data-slot="1023"].cell').waitFor();
  const begun = performance.now();
  await page.goto(`${api.url}/c/large/slots`, { waitUntil: 'commit' });
  await page.locator('[data-slot="1023"].cell').waitFor();
  expect(performance.now() - begun).toBeLessThan(1000 * BUSY);
});

test('all 1024 slots change within 4 ms of script', async () => {
  const { page, context } = browser;
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable');
  const scriptMs = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0) * 1000;
  };
  const send = (by: number) => api.send('topology', { epoch: by + 1, slots: roundRobin(GROUPS, by), groups: null });
  const untilShown = (by: number) => page.locator(`[data-slot="0"][aria-label*="group ${(by % GROUPS) + 1},"]`).waitFor();
  // The first ones also pay for the compiler.
  for (let by = 1; by <= 20; by++) {
    send(by);
    await page.waitForTimeout(20);
  }
  await untilShown(20);
  const before = await scriptMs();
  for (let by = 21; by <= 40; by++) {
    send(by);
    await page.waitForTimeout(20);
  }
  await untilShown(40);
  const each = ((await scriptMs()) - before) / 20;
  expect(each).toBeLessThan(4 * BUSY);
});
