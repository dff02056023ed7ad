// Goal: a migration that is under way is seen slot by slot, held to a window, and rolled back, each with what that means in numbers before one confirms.
// Method: a cluster of two groups, a migration that is slow on purpose, one browser.

import type { MigrationsView, MigrationView, SlotView } from '@codis/config/api';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { openBrowser, type TestBrowser, violations } from './browser.ts';

vi.setConfig({ testTimeout: 90_000 });

let cluster: Cluster;
let browser: TestBrowser;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ groups: 2, proxies: 1 }), openBrowser()]);
  const client = cluster.proxies[0]!.client();
  await Promise.all(Array.from({ length: 3000 }, (_, index) => client.set(`key:${index}`, 'x'.repeat(200))));
  await client.set('{}large', 'x'.repeat(300_000));
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

const api = async <View>(path: string): Promise<View> =>
  (await (await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`)).json()) as View;
const migration = (id: number) => api<MigrationView>(`/migrations/${id}`);

async function open(path: string): Promise<void> {
  await browser.page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/${path}`);
  await browser.page.getByRole('heading', { level: 1 }).waitFor();
  await browser.page.getByText('live', { exact: true }).waitFor();
}

test('a plan says its time at the speed that is chosen, its balance, what is left of memory, and how long its biggest key holds up others', async () => {
  const { page } = browser;
  await cluster.cliOk('plan', 'move', '0', '49', '2');
  await open('migrations/plan/1');
  await page.getByText('at full speed').waitFor();
  await page.getByText('of everything stands where an even spread has it').waitFor();
  await page.getByText(/moving it blocks its server for about \d+ ms/).waitFor();
  await page.getByLabel('Keys, at most').fill('1');
  await page.getByText('with the limits below').waitFor();
  await page.getByLabel(/^Only between/).fill('7-8');
  await page.getByText('Write two times of day').first().waitFor();
  expect(await violations(page)).toEqual([]);
});

test('a migration is held to a window, which its page tells, and let go', async () => {
  const { page } = browser;
  const hour = new Date().getHours();
  const two = (value: number) => String(value % 24).padStart(2, '0');
  const closed = `${two(hour + 2)}:00-${two(hour + 4)}:00`;
  await cluster.cliOk('slot', 'migrate', '0', '49', '2', '--keys-per-second', '10', '--window', closed);
  await open('migrations/1');
  await page.getByText(new RegExp(`stands still.*outside its window ${closed}; it goes on at`)).waitFor({ timeout: 30_000 });
  expect(await page.getByLabel(/^Only between/).inputValue()).toBe(closed);
  await page.getByLabel(/^Only between/).fill('');
  await page.getByRole('button', { name: 'Set the limits' }).click();
  await page.getByText('the limits hold from now on').waitFor();
  await eventually(async () => (await migration(1)).keysSwept > 0 || undefined, { what: 'it to go on', timeoutMs: 30_000 });
  expect((await migration(1)).throttle.window).toBeNull();
});

test('its page lists its slots one by one, with those under way', async () => {
  const { page } = browser;
  await page.getByRole('list', { name: 'Under way now' }).getByText('moving').waitFor();
  await page.getByRole('region', { name: 'Slots of this migration' }).waitFor();
  expect(await page.getByRole('region', { name: 'Slots of this migration' }).getByRole('row').count()).toBeGreaterThan(20);
  expect(await violations(page)).toEqual([]);
});

test('rolled back, it says in numbers what will be, leaves the way back on record, and all slots are where they were', async () => {
  const { page } = browser;
  await page.getByRole('button', { name: /^Roll back everything …/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('50 slots under way arrive first.').waitFor();
  await dialog.getByText('Migration 1, taken back by migration 2: slots 0-49 → group 1: cancelled, 50 slots taken back.').waitFor();
  await dialog.getByText('codis-config migration cancel 1 --roll-back all').first().waitFor();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Roll back all of migration 1' }).click();
  await page.getByText('Migration 1 cancelled; migration 2 takes it back').waitFor();
  await page.getByRole('link', { name: 'Migration 2' }).first().click();
  await page.waitForURL('**/migrations/2');
  await page.getByText('which it takes back, finishes what it has under way first').first().waitFor();
  await cluster.cliOk('migration', 'throttle', '2', '--keys-per-second', 'none');

  await eventually(async () => (await migration(2)).state === 'done' || undefined, { what: 'all to be back', timeoutMs: 60_000 });
  await page.getByText('verified', { exact: true }).waitFor();
  await page.getByText(/50 slots arrived in \d+ batch/).waitFor();
  expect((await api<MigrationsView>('/migrations')).migrations).toMatchObject([
    { id: 1, state: 'cancelled', takenBackBy: 2 },
    { id: 2, state: 'done', takesBack: 1 },
  ]);
  expect(await api<SlotView>('/slots/7')).toMatchObject({ group: 1, lastMove: { migration: 2, from: 2, to: 1 } });
});

test('the map and the drawer tell how a slot was moved last', async () => {
  const { page } = browser;
  await open('slots');
  await page.locator('[data-slot="7"]').hover();
  await page.getByText(/slot 7, group 1, online.*last moved from group 2 to group 1/).waitFor();
  await page.locator('[data-slot="7"]').click();
  await page.getByRole('dialog').getByText('Last move').waitFor();
  await page.getByRole('dialog').getByRole('link', { name: 'migration 2' }).waitFor();
});

test('one is found by its address though it is too new to be told of live, and one that there is not is not', async () => {
  const { page } = browser;
  await open('migrations/999');
  await page.getByText('There is no migration 999').waitFor();
  const before = (await api<MigrationsView>('/migrations')).migrations.length;
  await cluster.cliOk('slot', 'migrate', '0', '0', '2', '--keys-per-second', '1', '--no-wait');
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/migrations/${before + 1}`);
  // Whichever comes first.
  await page
    .getByText(/There is no migration|Slots of this migration|Under way now|Asked for by/)
    .first()
    .waitFor();
  expect(await page.getByText('There is no migration').count()).toBe(0);
});

test('what is typed before the page is told of it live stays', async () => {
  const { page } = browser;
  const before = (await api<MigrationsView>('/migrations')).migrations.length;
  await cluster.cliOk('slot', 'migrate', '400', '400', '2', '--keys-per-second', '1', '--no-wait');
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/migrations/${before + 1}`);
  await page.getByLabel(/^Only between/).fill('7:00-8:00');
  // Two frames of the live page.
  await page.waitForTimeout(4500);
  expect(await page.getByLabel(/^Only between/).inputValue()).toBe('7:00-8:00');
});
