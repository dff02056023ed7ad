// Goal: a table of tens of thousands of rows costs no more than one of a few hundred, and nothing about it is worse: headers stay, keys scroll, filters see all
// rows, a screen reader knows where it is, and what one points at does not move away.
// Method: the real console against an API that invents so many events and keys. Costs are compared with those of a table of 1000 rows, in the same browser.

import type { BigKeysView, EventsView, EventView } from '@codis/config/api';
import type { CDPSession, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { eventually } from '../harness/process.ts';
import { openBrowser, type TestBrowser, violations } from './browser.ts';
import { type FakeApi, largeCluster, roundRobin, startFakeApi } from './fake-api.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

const MANY = 40_000;
const FEW = 1000;

let api: FakeApi;
let browser: TestBrowser;
let session: CDPSession;
let keysCount = MANY;
let events: EventView[] = [];
let epoch = 1;

beforeAll(async () => {
  const answers = {
    '/keys/big': () => bigKeys(keysCount),
    '/events': (): EventsView => ({ events, older: null }),
  };
  [api, browser] = await Promise.all([startFakeApi(largeCluster({ groups: 4, proxies: 1 }), answers), openBrowser()]);
  session = await browser.context.newCDPSession(browser.page);
  await session.send('Performance.enable');
});
afterAll(async () => {
  expect(browser?.errors).toEqual([]);
  await browser?.close();
  await api?.close();
});

function bigKeys(count: number): BigKeysView {
  // Every seventh name is long, so that its row is higher where there is little room.
  const keys = Array.from({ length: count }, (_, index) => ({
    key: `"key ${index}${index % 7 === 0 ? ' and more words of its name'.repeat(6) : ''}"`,
    slot: index % 1024,
    group: (index % 4) + 1,
    db: 0,
    bytes: 1e9 - index,
  }));
  return { at: null, keys, basis: [] };
}

function event(seq: number): EventView {
  return {
    seq,
    epoch: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: seq % 10 === 0 ? 'anna' : 'system',
    via: 'user',
    ip: null,
    action: 'slot assign',
    object: `slot ${seq % 1024}`,
    before: null,
    after: null,
    result: 'done',
    detail: null,
    migration: null,
    plan: null,
  };
}

const table = (): Locator => browser.page.locator('.table-scroll.long');
const rows = (): Locator => table().locator('tr[data-index]');

async function openKeys(count: number): Promise<void> {
  keysCount = count;
  await browser.page.goto(`${api.url}/c/large/keys`);
  await table()
    .locator(`table[aria-rowcount="${count + 1}"]`)
    .waitFor();
}

async function metrics(): Promise<{ scriptMs: number; nodes: number }> {
  const { metrics: found } = await session.send('Performance.getMetrics');
  const value = (wanted: string) => found.find(({ name }) => name === wanted)?.value ?? 0;
  return { scriptMs: value('ScriptDuration') * 1000, nodes: await browser.page.locator('*').count() };
}

/** Scrolls through it from top to bottom in steps; what that cost, and how large the page was at most. */
async function walk(): Promise<{ scriptMs: number; nodes: number }> {
  const before = await metrics();
  let nodes = 0;
  for (let step = 0; step <= 30; step++) {
    await table().evaluate((box, share) => {
      box.scrollTop = share * (box.scrollHeight - box.clientHeight);
      return new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
    }, step / 30);
    nodes = Math.max(nodes, await browser.page.locator('*').count());
  }
  return { scriptMs: (await metrics()).scriptMs - before.scriptMs, nodes };
}

test(`${MANY} rows are no larger a page, and no more work to scroll through, than ${FEW}`, async () => {
  await openKeys(FEW);
  await walk();
  const few = await walk();
  await openKeys(MANY);
  await walk();
  const many = await walk();
  expect(await rows().count()).toBeLessThan(100);
  expect(many.nodes).toBeLessThan(few.nodes * 1.3);
  // A floor under the smaller one: a few milliseconds are chance.
  expect(many.scriptMs / Math.max(few.scriptMs, 50)).toBeLessThan(4);
});

test('the head stays in sight, and a screen reader is told how many rows there are and which these are', async () => {
  await openKeys(MANY);
  await table().evaluate((box) => {
    box.scrollTop = box.scrollHeight / 2;
  });
  await table().locator('tr[aria-rowindex="20001"]').waitFor();
  const top = (locator: Locator) => locator.evaluate((element) => element.getBoundingClientRect().top);
  expect(Math.abs((await top(table().locator('th').first())) - (await top(table())))).toBeLessThan(3);
  const first = rows().first();
  expect(Number(await first.getAttribute('aria-rowindex'))).toBe(Number(await first.getAttribute('data-index')) + 2);
  expect(await table().locator('thead tr').getAttribute('aria-rowindex')).toBe('1');
  expect(await violations(browser.page)).toEqual([]);
});

test.each([1280, 390])('End, Home and the page keys lead where they say, in a window of %i pixels', async (width) => {
  const { page } = browser;
  await page.setViewportSize({ width, height: 720 });
  await openKeys(MANY);
  await table().focus();
  await page.keyboard.press('End');
  await table()
    .getByText(`"key ${MANY - 1}"`)
    .waitFor();
  const atEnd = () =>
    table().evaluate((box) => {
      const last = box.querySelector('tbody tr:last-child')?.getBoundingClientRect();
      return Math.abs((last?.bottom ?? 0) - box.getBoundingClientRect().top - box.clientTop - box.clientHeight) < 2;
    });
  await eventually(atEnd, { what: 'the end of the last row at the end of the table' });
  await page.keyboard.press('PageUp');
  await eventually(async () => !(await atEnd()), { what: 'the table to go up' });
  await page.keyboard.press('Home');
  await eventually(async () => (await table().evaluate((box) => box.scrollTop)) === 0, { what: 'the top' });
  await table().getByText('"key 1"').waitFor();
  await page.keyboard.press('PageDown');
  await eventually(async () => (await table().evaluate((box) => box.scrollTop)) > 100, { what: 'the table to go down' });
  await page.setViewportSize({ width: 1280, height: 720 });
});

test('rows that are scrolled by, of whatever height, leave no hole', async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 720 });
  await openKeys(MANY);
  await table().hover();
  for (let turn = 0; turn < 12; turn++) {
    await page.mouse.wheel(0, turn < 8 ? 700 : -450);
    await eventually(
      () =>
        table().evaluate((box) => {
          const { top, bottom } = box.getBoundingClientRect();
          const shown = Array.from(box.querySelectorAll('tr[data-index]'), (row) => row.getBoundingClientRect());
          const head = box.querySelector('thead')?.getBoundingClientRect().height ?? 0;
          return shown.some((row) => row.top <= top + head + 2) && shown.some((row) => row.bottom >= bottom - 2);
        }),
      { what: 'rows everywhere in sight' },
    );
  }
  await page.setViewportSize({ width: 1280, height: 720 });
});

test('what has the focus stays in the page when it is scrolled out of sight', async () => {
  const { page } = browser;
  await openKeys(MANY);
  await table().getByRole('link', { name: '5', exact: true }).first().focus();
  await table().evaluate((box) => {
    box.scrollTop = 500_000;
  });
  await eventually(async () => (await table().locator('tr[data-index="5"] + tr.gap').count()) === 1, { what: 'the rows to follow' });
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('5');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.closest('tr[data-index]') !== null)).toBe(true);
});

test('a filter looks at all rows, also those that were never made', async () => {
  const { page } = browser;
  events = Array.from({ length: MANY }, (_, index) => event(MANY - index));
  await page.goto(`${api.url}/c/large/events`);
  await table()
    .locator(`table[aria-rowcount="${MANY + 1}"]`)
    .waitFor();
  await page.getByLabel('Who, what or on what').fill('anna');
  await table()
    .locator(`table[aria-rowcount="${MANY / 10 + 1}"]`)
    .waitFor();
  await page.getByLabel('Who, what or on what').fill('slot 1000');
  await page.locator('.table-scroll:not(.long)').getByRole('link', { name: '1000', exact: true }).waitFor();
});

test('new rows come in at the top, unless somebody points at one: that stays where it is', async () => {
  const { page } = browser;
  events = Array.from({ length: MANY }, (_, index) => event(MANY - index));
  await page.goto(`${api.url}/c/large/events`);
  await table()
    .locator(`table[aria-rowcount="${MANY + 1}"]`)
    .waitFor();
  await page.mouse.move(5, 5);
  const more = async () => {
    events = Array.from({ length: 5 }, (_, index) => event((events[0]?.seq ?? 0) + 5 - index));
    epoch++;
    api.send('topology', { epoch, slots: roundRobin(4, 0), groups: null });
    return events[0]?.seq ?? 0;
  };
  const untilIn = (seq: number) =>
    table()
      .locator(`table[aria-rowcount="${seq + 1}"]`)
      .waitFor();
  const newest = await more();
  await untilIn(newest);
  await table()
    .getByRole('link', { name: String(newest), exact: true })
    .waitFor();
  expect(await table().evaluate((box) => box.scrollTop)).toBe(0);
  const pointedAt = () =>
    page.evaluate(() => {
      const row = document.elementFromPoint(600, 400)?.closest('tr[data-index]');
      return { name: row?.querySelector('a')?.textContent, top: row?.getBoundingClientRect().top ?? 0 };
    });
  const isIn = async (place: Awaited<ReturnType<typeof pointedAt>>) => {
    const { name, top } = await pointedAt();
    // The browser scrolls by whole pixels.
    return name === place.name && Math.abs(top - place.top) <= 1;
  };
  await page.mouse.move(600, 400);
  const before = await pointedAt();
  await more();
  await page.getByRole('button', { name: 'Show 5 new lines' }).waitFor();
  expect(await isIn(before)).toBe(true);
  await page.mouse.wheel(0, 3000);
  await eventually(async () => (await pointedAt()).name !== before.name, { what: 'the wheel to turn' });
  await page.mouse.move(5, 5);
  await untilIn(newest + 5);
  const further = await pointedAt();
  await untilIn(await more());
  expect(await isIn(further)).toBe(true);
});

test('all rows can be copied, those that were never made too', async () => {
  const { page, context } = browser;
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openKeys(FEW);
  await page.getByRole('button', { name: 'Copy all rows' }).click();
  await page.getByText('Copied', { exact: true }).waitFor();
  const lines = (await page.evaluate(() => navigator.clipboard.readText())).split('\n');
  expect([lines[0], lines[2]]).toEqual(['Key\tMemory\tSlot\tGroup\tDatabase', '"key 1"\t954 MiB\t1\tgroup 2\t0']);
  expect(lines[FEW]).toBe(`"key ${FEW - 1}"\t954 MiB\t${FEW - 1}\tgroup ${((FEW - 1) % 4) + 1}\t0`);
  expect(lines.length).toBe(FEW + 2);
});
