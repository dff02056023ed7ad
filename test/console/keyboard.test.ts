// Goal: everything that a mouse can do with the console a keyboard can do too, by the keys that its help names; and what is chosen survives a reload.
// Method: the real console against an API that invents a cluster. A whole migration by keyboard is in console.test.ts.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { eventually } from '../harness/process.ts';
import { openBrowser, type TestBrowser } from './browser.ts';
import { type FakeApi, largeCluster, startFakeApi } from './fake-api.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 60_000 });

let api: FakeApi;
let browser: TestBrowser;

beforeAll(async () => {
  [api, browser] = await Promise.all([startFakeApi(largeCluster({ groups: 4, proxies: 2 })), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await api?.close();
});

async function open(path: string): Promise<void> {
  await browser.page.goto(`${api.url}/c/large/${path}`);
  await browser.page.getByText('live', { exact: true }).waitFor();
}

const PAGE_KEYS: readonly (readonly [key: string, path: string])[] = [
  ['s', 'slots'],
  ['g', 'groups'],
  ['p', 'proxies'],
  ['m', 'migrations'],
  ['e', 'events'],
  ['k', 'keys'],
  ['l', 'slowlog'],
  ['a', 'alerts'],
  ['t', 'settings'],
  ['o', ''],
];

describe('on every page', () => {
  test('g and a letter go to each, and / to what can be searched', async () => {
    const { page } = browser;
    await open('');
    for (const [key, path] of PAGE_KEYS) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.waitForURL(`${api.url}/c/large/${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.keyboard.press('/');
      await page.locator('main input[type=text]:focus').waitFor();
      await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    }
  });

  test('? shows the keys, Escape closes it, and the focus is where it was', async () => {
    const { page } = browser;
    await open('groups');
    await page.getByRole('link', { name: 'Slots', exact: true }).focus();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor();
    for (const name of ['this help', 'search', 'select slots', 'Slow log'])
      await page.getByRole('dialog').getByText(name).first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // The browser gives it back a moment after the dialog is gone.
    await eventually(async () => (await page.evaluate(() => document.activeElement?.textContent)) === 'Slots', { what: 'the focus' });
  });

  test('letters that are typed into a field go nowhere', async () => {
    const { page } = browser;
    await open('slots');
    await page.keyboard.press('/');
    await page.keyboard.type('gs?/');
    expect(await page.getByLabel('Slot, range or key').inputValue()).toBe('gs?/');
    expect(new URL(page.url()).pathname).toBe('/c/large/slots');
  });

  test('the first Tab leads past the navigation', async () => {
    const { page } = browser;
    await open('alerts');
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
  });
});

describe('on the map of slots', () => {
  const STEPS: readonly (readonly [key: string, slot: number])[] = [
    ['ArrowRight', 1],
    ['ArrowDown', 33],
    ['End', 63],
    ['Home', 32],
    ['PageDown', 288],
    ['PageUp', 32],
    ['ArrowUp', 0],
    ['ArrowLeft', 0],
    ['ArrowUp', 0],
    ['Control+End', 1023],
    ['ArrowRight', 1023],
    ['ArrowDown', 1023],
    ['PageUp', 767],
    ['Control+Home', 0],
  ];

  test('arrows, Home, End, Page Up and Page Down go about, and one cell alone is a stop of Tab', async () => {
    const { page } = browser;
    await open('slots');
    await page.locator('[data-slot="0"]').focus();
    for (const [key, slot] of STEPS) {
      await page.keyboard.press(key);
      await page.locator(`[data-slot="${slot}"]:focus`).waitFor();
      expect(await page.locator('[data-slot][tabindex="0"]').count(), key).toBe(1);
    }
    expect(await page.locator('.looked').textContent()).toMatch(
      /^slot 0, group 1, online, requests go to 10\.0\.0\.1:6379, keys not known/,
    );
  });

  test('Shift selects, Space adds, Enter opens, Escape closes and forgets', async () => {
    const { page } = browser;
    await open('slots');
    await page.locator('[data-slot="10"]').focus();
    await page.evaluate(() => document.querySelector<HTMLElement>('[data-slot="10"]')?.click());
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByRole('button', { name: 'Move 34 slots…' }).waitFor();
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Move 35 slots…' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Slot 1023' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.locator('[data-slot="1023"]:focus').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Move \d+ slots…/ }).waitFor({ state: 'detached' });
  });

  test('a click with Shift selects up to there, and one with Ctrl adds', async () => {
    const { page } = browser;
    await open('slots');
    await page.keyboard.press('/');
    await page.keyboard.type('100');
    await page.keyboard.press('Enter');
    await page.locator('[data-slot="109"]').click({ modifiers: ['Shift'] });
    await page.getByRole('button', { name: 'Move 10 slots…' }).waitFor();
    await page.locator('[data-slot="300"]').click({ modifiers: ['Control'] });
    await page.getByRole('button', { name: 'Move 11 slots…' }).waitFor();
  });
});

test('nothing moves under the pointer: what is new waits until it is asked for, or the pointer leaves', async () => {
  const { page } = browser;
  const alert = (id: string, text: string) => ({
    id,
    rule: 'no-replica' as const,
    severity: 'warning' as const,
    state: 'firing' as const,
    object: { kind: 'group' as const, id: '1' },
    text,
    why: 'It matters.',
    try: [],
    since: '2026-01-01T00:00:00.000Z',
    firedAt: '2026-01-01T00:00:00.000Z',
    resolvedAt: null,
    acknowledgedBy: null,
    silencedUntil: null,
  });
  const send = (...texts: string[]) => api.send('alerts', { alerts: texts.map((text) => alert(text, text)), evaluatedAt: null });
  const shown = async () => page.locator('.alert-text strong').allTextContents();
  await open('alerts');
  await page.mouse.move(0, 0);
  send('First', 'Second');
  await page.getByText('Second').waitFor();
  await page.getByText('Second').hover();
  send('Newest', 'Second', 'First');
  await page.getByRole('button', { name: 'Show 1 new line' }).waitFor();
  expect(await shown()).toEqual(['First', 'Second']);
  await page.getByRole('button', { name: 'Show 1 new line' }).click();
  await page.getByText('Newest').waitFor();
  expect(await shown()).toEqual(['Newest', 'Second', 'First']);
  await page.mouse.move(0, 0);
  await page.getByText('First').hover();
  send('First', 'Newest', 'Second');
  await page.getByRole('button', { name: 'Refresh order' }).waitFor();
  expect(await shown()).toEqual(['Newest', 'Second', 'First']);
  await page.mouse.move(0, 0);
  await page.getByRole('button', { name: 'Refresh order' }).waitFor({ state: 'detached' });
  expect(await shown()).toEqual(['First', 'Newest', 'Second']);
  // Each has an address of its own, which is what who was told of it gets.
  await page.getByRole('link', { name: 'Newest' }).click();
  await page.waitForURL('**/alerts/Newest');
  expect(await shown()).toEqual(['Newest']);
  send();
  await page.getByText('There is no alert Newest now').waitFor();
});

test('what is chosen is in the address, and survives a reload', async () => {
  const { page } = browser;
  await open('slots');
  await page.getByLabel('Show').selectOption('offline');
  await page.getByLabel('Colour by').selectOption('state');
  await page.getByLabel('Colour by').selectOption('owner');
  await page.getByRole('button', { name: /^group 2/ }).click();
  await page.waitForURL('**/slots?show=offline&group=2');
  await page.reload();
  await page.getByText('live', { exact: true }).waitFor();
  expect(await page.getByLabel('Show').inputValue()).toBe('offline');
  expect(await page.getByRole('button', { name: /^group 2/ }).getAttribute('aria-pressed')).toBe('true');
  expect(await page.locator('[data-slot="0"]').getAttribute('class')).toContain('faded');
  await page.getByRole('combobox', { name: 'Theme' }).selectOption('dark');
  await page.reload({ waitUntil: 'domcontentloaded' });
  expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
  expect(browser.errors).toEqual([]);
});
