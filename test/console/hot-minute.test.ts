// Goal: from a cell of the picture of slots over time one gets to the keys that were hot in that slot and minute; and where none are known it says why.
// Method: a real cluster, of whose two proxies one has died; a key with a hostile name that is asked for more than all others; the real console. One minute is waited for.

import type { HotKeysView, SlotHistoryView } from '@codis/config/api';
import { slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';
import { english } from './english.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 150_000 });

const HOSTILE = '<img src=x onerror="document.title=1">\u202e\u0000\u0007{&amp;}';
const SHOWN = '<img src=x onerror=\\"document.title=1\\">';
const SLOT = slotOf(Buffer.from(HOSTILE));
/** A minute is over, the proxies are asked ten seconds later, and the page asks again every five; and the machine of a test may be busy. */
const MINUTE_MS_MAX = 120_000;

let cluster: Cluster;
let browser: TestBrowser;
let page: Page;
let client: Redis;
let load: ReturnType<typeof setInterval>;
/** Unix seconds: the beginning of a minute in which the key was hot. */
let hotAt: number;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ groups: 2, proxies: 2 }), openBrowser()]);
  page = browser.page;
  await page.setViewportSize({ width: 1280, height: 1200 });
  await cluster.proxies[1]!.child.stop('SIGKILL');
  client = cluster.proxies[0]!.client();
  await client.set(HOSTILE, 'value');
  load = setInterval(() => {
    for (let count = 0; count < 50; count++) client.get(HOSTILE).catch(() => undefined);
  }, 100);
});
afterAll(async () => {
  clearInterval(load);
  expect(browser?.errors).toEqual([]);
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

const api = <View>(path: string): Promise<View> => cluster.ask<View>('GET', path);

async function open(path: string): Promise<void> {
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/${path}`);
  await page.locator('h1').waitFor({ state: 'attached' });
}

const drawer = (slot: number = SLOT): Locator => page.getByRole('dialog', { name: `Slot ${slot}` });
const hotRow = (within: Locator): Locator => within.getByRole('region', { name: 'Hot keys' }).getByRole('row').filter({ hasText: SHOWN });
const canvas = (): Locator => page.locator('canvas.heat');
const atOf = (url: string): string | null => new URL(url).searchParams.get('at');
const nowSeconds = () => Math.floor(Date.now() / 1000);

test('a minute that is not over says so, and shows its keys by itself when it is', async () => {
  // Enough of it is left for the key to be met.
  hotAt = nowSeconds() + 20;
  hotAt -= hotAt % 60;
  await open(`slots/${SLOT}?view=time&at=${hotAt}`);
  await drawer().getByText('That minute is not over, or only just: proxies are asked 10 s after it.').waitFor();
  await hotRow(drawer()).waitFor({ timeout: MINUTE_MS_MAX });
  await drawer()
    .getByText(/^proxy proxy_1: one of 256 requests was looked at, over [\d.]+ s; \d+ keys were met/)
    .waitFor();
  await drawer().getByText('proxy proxy_2 could not be asked for hot keys: it has no session', { exact: true }).waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await faults(page, 'dialog[open]')).toEqual([]);
});

test('the command line beside it shows the same', async () => {
  const line = (await drawer().getByText('codis-config key hot --limit 20').textContent())!;
  expect(line).toContain(`--slot ${SLOT} --at ${new Date(hotAt * 1000).toISOString().slice(0, 16)}Z`);
  const [, ...args] = line.split(' ');
  const { minute, keys } = JSON.parse(await cluster.cliOk(...args, '-o', 'json')) as HotKeysView;
  expect(minute).toEqual({ from: new Date(hotAt * 1000).toISOString(), state: 'kept' });
  expect(keys).toEqual([expect.objectContaining({ key: expect.stringContaining(SHOWN), slot: SLOT })]);
  // Asked for 500 times a second, of which one in 256 is looked at; all else is slower than that.
  expect(keys[0]!.opsPerSecond).toBeGreaterThan(20);
  expect(keys[0]!.opsPerSecond).toBeLessThan(1500);
  expect((await cluster.cli(...args)).stderr).toContain('note: proxy proxy_2 could not be asked for hot keys: it has no session');
});

describe('a cell of the picture', () => {
  test('leads there by a click, and so does its address', async () => {
    await page.setViewportSize({ width: 1280, height: 1200 });
    // A minute may begin between looking where the cell is and the click.
    await eventually(
      async () => {
        await open('slots?view=time');
        await page.getByRole('cell', { name: String(SLOT), exact: true }).waitFor();
        const { from, minutesCount } = await api<SlotHistoryView>('/slots/history');
        const box = (await canvas().boundingBox())!;
        const x = box.x + (((hotAt - from!) / 60 + 0.5) / minutesCount) * box.width;
        await page.mouse.click(x, box.y + ((SLOT + 0.5) / 1024) * box.height);
        return atOf(page.url()) === String(hotAt);
      },
      { what: 'the cell to be met', timeoutMs: 60_000 },
    );
    await hotRow(drawer()).waitFor();
    await page.reload();
    await hotRow(drawer()).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(atOf(page.url())).toBeNull();
    expect(page.url()).toContain('view=time');
  });

  test('leads there by keyboard, and the slot beside it says that none of its keys stood out', async () => {
    const readout = page.locator('.heat-page > [role=status]');
    const clock = new Date(hotAt * 1000).toTimeString().slice(0, 5);
    await canvas().focus();
    await page.keyboard.press('Home');
    for (let presses = 0; presses < 32; presses++) await page.keyboard.press('PageUp');
    for (let presses = 0; presses < Math.floor(SLOT / 32); presses++) await page.keyboard.press('PageDown');
    for (let presses = 0; presses < SLOT % 32; presses++) await page.keyboard.press('ArrowDown');
    await eventually(
      async () => {
        const text = (await readout.textContent()) ?? '';
        if (text.startsWith(`slot ${SLOT}, `) && text.includes(clock)) return true;
        await page.keyboard.press('ArrowRight');
        return false;
      },
      { what: `the minute ${clock}` },
    );
    await page.keyboard.press('Enter');
    await hotRow(drawer()).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await canvas().evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await drawer(SLOT + 1)
      .getByText(`No key of slot ${SLOT + 1} stood out in that minute.`)
      .waitFor();
    expect(atOf(page.url())).toBe(String(hotAt));
  });

  test('says what it can’t know: before this dashboard ran, and older than what is kept', async () => {
    await open(`slots/${SLOT}?view=time&at=${hotAt - 3600}`);
    await drawer()
      .getByText(/^This dashboard did not run then: it began at 20\d\d-/)
      .waitFor();
    await open(`slots/${SLOT}?view=time&at=${hotAt - 7 * 3600}`);
    await drawer().getByText('That minute is older than what is kept, which is 6 hours.').waitFor();
  });
});

test('the keys of all slots in that minute are on the page of keys, each with its slot and group then', async () => {
  await open(`slots/${SLOT}?at=${hotAt}`);
  await drawer().getByRole('link', { name: 'Those of all slots in that minute' }).click();
  await page.waitForURL(`**/keys?at=${hotAt}`);
  const row = hotRow(page.getByRole('main'));
  await row.getByRole('link', { name: String(SLOT), exact: true }).waitFor();
  await row.getByRole('link', { name: /^group \d$/ }).waitFor();
  expect(await page.locator('img').count()).toBe(0);
  expect(await faults(page)).toEqual([]);
  await page.getByRole('link', { name: 'All hot keys now' }).click();
  await page.waitForURL('**/keys');
  await page.getByText('codis-config key hot --limit 20', { exact: true }).waitFor();
});

test('all of it is Chinese too', async () => {
  await page.getByRole('combobox', { name: 'Language' }).selectOption('简体中文');
  await page.getByRole('heading', { name: '热键' }).waitFor();
  for (const [path, place] of [
    [`slots/${SLOT}?view=time&at=${hotAt}`, 'dialog[open]'],
    [`slots/${SLOT}?view=time&at=${hotAt - 3600}`, 'dialog[open]'],
    [`keys?at=${hotAt}&slot=${SLOT}`, 'main'],
  ] as const) {
    await open(path);
    await page.locator(place).getByText('codis-config key hot --limit 20').waitFor();
    await page.getByText(/^代理 proxy_1：在|^当时此 Dashboard 没有运行/).waitFor();
    expect(await english(page, place), path).toEqual([]);
    expect(await page.locator('[lang=en]').getByText('proxy').count()).toBe(0);
  }
});
