// Goal: one sees when which slot was busy, over six hours, and gets from there to the slot; with a mouse, with keys, and in words.
// Method: the real console against an API that invents six hours of 1024 slots; the pixels of screenshots.

import type { HotKeysView, SlotHistoryView } from '@codis/config/api';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { distance } from '../harness/oklab.ts';
import { eventually } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';
import { type FakeApi, largeCluster, roundRobin, startFakeApi } from './fake-api.ts';
import { mean, pictureOf } from './pictures.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

const MINUTES = 360;
const FROM = 1_767_225_600;
const HOT_SLOT = 700;
const HOT_MINUTES = { first: 180, last: 199 };

/** What proxies told of a minute in which the hot slot had many keys. */
const NO_KEY: HotKeysView = {
  at: new Date(FROM * 1000).toISOString(),
  minute: { from: new Date(FROM * 1000).toISOString(), state: 'kept' },
  sampleEvery: 256,
  windowSeconds: 60,
  sampledCount: 9,
  keys: [],
  basis: [`no key of slot ${HOT_SLOT} stood out in that minute`],
};

let api: FakeApi;
let browser: TestBrowser;
let page: Page;
let reader: Page;

beforeAll(async () => {
  const cluster = largeCluster({ groups: 4, proxies: 1 });
  [api, browser] = await Promise.all([startFakeApi(cluster, { '/slots/history': history, '/keys/hot': NO_KEY }), openBrowser()]);
  page = browser.page;
  reader = await browser.context.newPage();
  await page.bringToFront();
});
afterAll(async () => {
  expect(browser?.errors).toEqual([]);
  await browser?.close();
  await api?.close();
});

/** The first hour is not known; then the upper half of the slots has few requests, the lower none; one is hot for twenty minutes. */
function history(): SlotHistoryView {
  const levels = Buffer.alloc(MINUTES * 1024);
  for (let minute = 0; minute < MINUTES; minute++) {
    for (let slot = 0; slot < 1024; slot++) {
      const hot = slot === HOT_SLOT && minute >= HOT_MINUTES.first && minute <= HOT_MINUTES.last;
      levels[minute * 1024 + slot] = minute < 60 ? 255 : hot ? 200 : slot < 512 ? 60 : 0;
    }
  }
  const rest = { stepSeconds: 60, first: 0, last: 1023, least: 0.01, ratio: 1.085 };
  return { from: FROM, minutesCount: MINUTES, levels: levels.toString('base64'), ...rest };
}

const canvas = (): Locator => page.locator('canvas.heat');
const readout = (): Locator => page.locator('.heat-page > [role=status]');

async function open(query = ''): Promise<void> {
  await page.setViewportSize({ width: 1280, height: 1200 });
  await page.goto(`${api.url}/c/large/slots?view=time${query}`);
  await canvas().waitFor();
  await page.getByRole('cell', { name: String(HOT_SLOT), exact: true }).waitFor();
}

/** Where a minute and a row are, in the window, while all of it is shown. */
async function at(minute: number, row: number): Promise<{ x: number; y: number }> {
  const box = (await canvas().boundingBox())!;
  return { x: box.x + ((minute + 0.5) / MINUTES) * box.width, y: box.y + ((row + 0.5) / 1024) * box.height };
}

async function colourAt(minute: number, row: number) {
  const picture = await pictureOf(page, reader);
  const { x, y } = await at(minute, row);
  return mean(picture.pixels({ x: Math.floor(x), y: Math.floor(y), width: 1, height: 1 }));
}

test('the page that shows it is fetched only then', async () => {
  const fetched: string[] = [];
  page.on('request', (request) => fetched.push(request.url()));
  await page.goto(`${api.url}/c/large/slots`);
  await page.locator('[data-slot="1023"].cell').waitFor();
  expect(fetched.filter((url) => url.includes('heat-map'))).toEqual([]);
  await page.getByText('over time', { exact: true }).click();
  await canvas().waitFor();
  expect(fetched.filter((url) => url.includes('heat-map')).length).toBe(1);
  expect(page.url()).toContain('view=time');
});

test.each(['light', 'dark'])(
  'one hot slot is seen among 1024, and nothing, little and not known differ, in the %s theme',
  async (theme) => {
    await open();
    await page.getByLabel('Theme').selectOption(theme);
    await page.mouse.move(2, 2);
    await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
    const [hot, few, none] = [await colourAt(190, HOT_SLOT), await colourAt(190, 100), await colourAt(190, 900)];
    expect(distance(hot, few)).toBeGreaterThan(20);
    expect(distance(hot, none)).toBeGreaterThan(20);
    expect(distance(few, none)).toBeGreaterThan(10);
    // What is not known is a hatch, and as the page is between its lines.
    const picture = await pictureOf(page, reader);
    const box = (await canvas().boundingBox())!;
    const [beside] = picture.pixels({ x: Math.floor(box.x) - 6, y: Math.floor(box.y) + 9, width: 1, height: 1 });
    const place = await at(20, 900);
    const hatch = picture.pixels({ x: Math.floor(place.x), y: Math.floor(place.y), width: 10, height: 10 });
    expect(Math.max(...hatch.map((colour) => distance(colour, beside!)))).toBeGreaterThan(15);
    expect(Math.min(...hatch.map((colour) => distance(colour, beside!)))).toBeLessThan(0.5);
    const level = picture.pixels({ ...(await at(300, 900)), width: 10, height: 10 });
    expect(Math.max(...level.map((colour) => distance(colour, level[0]!)))).toBe(0);
  },
);

test('the pointer is told of, a drag zooms, and a click shows the slot', async () => {
  await open();
  const [from, to] = [await at(170, 690), await at(210, 710)];
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 4 });
  await page.mouse.up();
  // All that is shown now are these rows; of them one is busy.
  await eventually(async () => (await page.locator('tbody tr').count()) === 1, { what: 'only slots 690 to 710' });
  await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
  const box = (await canvas().boundingBox())!;
  await page.mouse.move(box.x + (20.5 / 41) * box.width, box.y + (10.5 / 21) * box.height);
  await eventually(async () => /^slot (699|700|701), group \d/.test((await readout().textContent()) ?? ''), {
    what: 'the slot under the pointer',
  });
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  await page.getByRole('dialog', { name: /^Slot (699|700|701)$/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await canvas().waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  await eventually(async () => (await page.locator('tbody tr').count()) === 20, { what: 'all slots' });
});

test('where slots share a point, it is the busiest that one points at and gets to, with its hot keys in that minute', async () => {
  await open();
  const { x, y } = await at(190, HOT_SLOT + 1);
  await page.mouse.move(x, y);
  await eventually(async () => (await readout().textContent())?.startsWith(`slot ${HOT_SLOT}, group 1,`) ?? false, {
    what: 'the hot slot, and not the one below it',
  });
  await page.mouse.click(x, y);
  const dialog = page.getByRole('dialog', { name: `Slot ${HOT_SLOT}`, exact: true });
  await dialog.getByText(`No key of slot ${HOT_SLOT} stood out in that minute.`).waitFor();
  const minute = (Number(new URL(page.url()).searchParams.get('at')) - FROM) / 60;
  expect([189, 190, 191]).toContain(minute);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(page.url()).not.toContain('at=');
  // In words: the busiest minute of the busiest slot.
  await page.locator('tbody tr').first().getByRole('link').last().click();
  await dialog.getByText(`No key of slot ${HOT_SLOT} stood out in that minute.`).waitFor();
  expect(new URL(page.url()).searchParams.get('at')).toBe(String(FROM + HOT_MINUTES.first * 60));
});

test('by keyboard one goes about, zooms, and gets to the slot', async () => {
  await open();
  await canvas().focus();
  await page.keyboard.press('Home');
  await eventually(async () => /^slot 0, group 1, .*: not known$/.test((await readout().textContent()) ?? ''), {
    what: 'the first minute',
  });
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowDown');
  await eventually(async () => /^slot 1, group 2, .*: 1\.\d+\/s$/.test((await readout().textContent()) ?? ''), { what: 'the last minute' });
  for (let presses = 0; presses < 20; presses++) await page.keyboard.press('PageDown');
  await eventually(async () => /^slot 641, .*: no requests$/.test((await readout().textContent()) ?? ''), { what: 'slot 641' });
  await page.keyboard.press('Shift+PageDown');
  await page.keyboard.press('Shift+PageDown');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.press('Enter');
  await eventually(async () => (await page.locator('tbody tr').count()) === 1, { what: 'only slots 641 to 705' });
  await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: /^Slot \d+$/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await canvas().focus();
  await page.keyboard.press('Escape');
  await eventually(async () => (await page.locator('tbody tr').count()) === 20, { what: 'all slots' });
});

test('in words: the busiest slots of what is shown, and when', async () => {
  await open();
  const first = page.locator('tbody tr').first();
  // The busiest minute of slot 700: 0.01 × 1.085^199.
  expect(await first.textContent()).toMatch(/^700group 1.*112k\/s/);
});

test('group by group the slots of a group are together, and the order is in the address', async () => {
  await open();
  await page.getByLabel('Group by group').check();
  expect(page.url()).toContain('order=group');
  await canvas().focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await eventually(async () => (await readout().textContent())?.startsWith('slot 4, group 1,') ?? false, {
    what: 'the second slot of group 1',
  });
  api.send('topology', { epoch: 2, slots: roundRobin(2, 0), groups: null });
  await eventually(async () => (await readout().textContent())?.startsWith('slot 2, group 1,') ?? false, { what: 'the new owner' });
  api.send('topology', { epoch: 3, slots: roundRobin(4, 0), groups: null });
});

test('brighter shows more of what is little', async () => {
  await open();
  await page.mouse.move(2, 2);
  const before = await colourAt(300, 100);
  await page.getByLabel('Brightness').fill('80');
  await eventually(async () => distance(before, await colourAt(300, 100)) > 5, { what: 'another colour' });
});

test('axe finds nothing, and it fits small windows', async () => {
  await open('&order=group');
  expect(await faults(page)).toEqual([]);
});

test('six hours of 1024 slots are painted in less than 50 ms', async () => {
  await open();
  const session = await browser.context.newCDPSession(page);
  await session.send('Performance.enable');
  const scriptMs = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? 0) * 1000;
  };
  const slider = page.getByLabel('Brightness');
  await slider.focus();
  for (let warm = 0; warm < 5; warm++) await page.keyboard.press('ArrowRight');
  const before = await scriptMs();
  for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowRight');
  const each = ((await scriptMs()) - before) / 10;
  expect(each).toBeGreaterThan(0);
  // Tripled, for the machine of a test may be busy.
  expect(each).toBeLessThan(50 * 3);
});
