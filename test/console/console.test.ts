// Goal: whoever runs the cluster at night sees within seconds whether it is well, what is wrong, and which button mends it; and moves slots safely.
// Method: one real cluster (a dashboard, two proxies, three groups with replicas, keys and load), one browser, and what can go wrong, in order of how
// much it breaks. The times of the specification are doubled: the machine of a test may be busy.

import type { EventsView, HistoryView, LatencyView, MigrationsView, PlansView } from '@codis/config/api';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { openBrowser, type TestBrowser, tabTo, violations } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

const BUSY = 2;
const HOSTILE_CLIENT = '<img/src=x/onerror="document.title=1">';
const HOSTILE = '<img src=x onerror="document.title=1">\u202e\u0000\u0007{&amp;}';

let cluster: Cluster;
let browser: TestBrowser;
let client: Redis;
let load: ReturnType<typeof setInterval>;
let at: (path: string) => string;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ groups: 3, replicas: 1, proxies: 2 }), openBrowser()]);
  at = (path) => `http://127.0.0.1:${cluster.dashboardPort}/c/test/${path}`;
  client = cluster.proxies[0]!.client();
  for (let batch = 0; batch < 8; batch++) {
    await Promise.all(Array.from({ length: 500 }, (_, index) => client.set(`key:${batch}:${index}`, 'x'.repeat(200))));
  }
  await client.set(HOSTILE, 'value');
  load = setInterval(() => void client.get(`key:1:${Math.floor(Math.random() * 500)}`).catch(() => undefined), 20);
});
afterAll(async () => {
  clearInterval(load);
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

const api = async <View>(path: string): Promise<View> =>
  (await (await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`)).json()) as View;

async function open(path: string): Promise<void> {
  await browser.page.goto(at(path));
  await browser.page.getByRole('heading', { level: 1 }).waitFor();
  await browser.page.getByText('live', { exact: true }).waitFor();
}

describe('a healthy cluster', () => {
  test('is called so, in the title and with numbers', async () => {
    const { page } = browser;
    await open('');
    await page.getByText('1024 of 1024 slots served').waitFor();
    expect(await page.title()).toBe('Overview · test');
  });

  test('loads less than 200 KB of compressed script, and no theme flashes', async () => {
    const { page, context } = browser;
    const session = await context.newCDPSession(page);
    let bytes = 0;
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    session.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength;
    });
    await page.evaluate(() => localStorage.setItem('codis.theme', 'dark'));
    await page.goto(at(''), { waitUntil: 'domcontentloaded' });
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
    await page.getByText('live', { exact: true }).waitFor();
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(200 * 1024);
    await page.evaluate(() => localStorage.removeItem('codis.theme'));
    await session.detach();
  });

  test('tells where a key lives, and shows a hostile name as it is', async () => {
    const { page } = browser;
    await open('keys');
    await page.getByLabel('Key', { exact: true }).fill(HOSTILE);
    await page.keyboard.press('Enter');
    await page.getByText('"&amp;"', { exact: true }).waitFor();
    expect(await page.locator('main [role=status] code').first().textContent()).toContain('<img src=x onerror=');
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByLabel('Key', { exact: true }).fill('user:{42}:cart');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: /^slot \d+$/ }).waitFor();
    await page.getByText('"42"', { exact: true }).waitFor();
  });

  test('shows what each worker of a proxy does, and the clients that ask the most, whose order is that of the last refresh', async () => {
    const { page } = browser;
    await open('proxies');
    const row = page.getByRole('row').filter({ hasText: 'proxy_1' });
    for (const button of ['Drain …', 'Take offline …']) await row.getByRole('button', { name: button }).waitFor();
    await open('proxies/proxy_1');
    await page.getByRole('region', { name: 'Workers' }).getByRole('cell', { name: '1', exact: true }).first().waitFor();
    await page.getByRole('region', { name: 'Workers' }).getByRole('cell', { name: /ms$/ }).first().waitFor();
    await client.client('SETNAME', HOSTILE_CLIENT);
    await page.getByRole('button', { name: 'Refresh clients' }).click();
    await page.getByRole('region', { name: 'Busiest clients' }).getByText(HOSTILE_CLIENT, { exact: true }).waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByText('codis-config proxy clients proxy_1 --top 20', { exact: true }).waitFor();
    const names = page.getByRole('region', { name: 'Commands' }).locator('tbody code');
    const before = await names.allTextContents();
    for (let count = 0; count < 5000; count++) void client.ping();
    await eventually(
      async () =>
        Number(
          (await page.locator('section[aria-label=Commands] tbody tr', { hasText: 'ping' }).textContent())
            ?.match(/[\d,]+/)?.[0]
            .replaceAll(',', ''),
        ) >= 5000,
      { what: 'the calls to be counted' },
    );
    expect((await names.allTextContents()).slice(0, before.length)).toEqual(before);
    await page.getByRole('button', { name: 'Refresh order' }).click();
    await eventually(async () => (await names.first().textContent()) === 'ping', { what: 'the busiest command to come first' });
  });

  test('shows how long each server takes as each proxy sees it', async () => {
    const { page } = browser;
    for (let count = 0; count < 100; count++) await client.get(`key:0:${count}`);
    await open('proxies');
    await page.getByRole('button', { name: 'Refresh latency' }).click();
    const table = page.getByRole('region', { name: 'Latency of servers by proxy, p50 / p99' });
    for (const proxy of ['proxy_1', 'proxy_2']) await table.getByRole('columnheader', { name: proxy }).waitFor();
    for (const [master] of cluster.servers) {
      const row = table.getByRole('row').filter({ hasText: master!.addr });
      await row
        .getByText(/^[\d.]+ ms \/ [\d.]+ ms/)
        .first()
        .waitFor();
    }
    // One server answers late, and only that stands out, though one client asks all of them over one connection.
    const slow = cluster.servers[1]![0]!;
    const standsOut = async () => {
      await slow.client().client('PAUSE', 80);
      await Promise.all(Array.from({ length: 300 }, (_, index) => client.get(`key:2:${index}`)));
      const { cells } = await api<LatencyView>('/latency');
      const marked = cells.filter(({ outlier }) => outlier !== null);
      return marked.length === 1 && marked[0]!.server === slow.addr;
    };
    await eventually(standsOut, { what: 'the slow server to stand out', timeoutMs: 60_000, everyMs: 100 });
    await page.getByRole('button', { name: 'Refresh latency' }).click();
    await table
      .getByRole('row')
      .filter({ hasText: slow.addr })
      .getByText(/, slow$/)
      .waitFor();
    await page.getByText(`server ${slow.addr} is slow for proxy proxy_1: `).waitFor();
    expect(await violations(page)).toEqual([]);
  });

  test('shows which keys are hot: a hostile name as it is, and the way to its slot and group', async () => {
    const { page } = browser;
    await open('keys');
    await page.getByText('one of 256 requests was looked at').first().waitFor();
    await Promise.all(Array.from({ length: 8000 }, () => client.get(HOSTILE)));
    await page.getByRole('button', { name: 'Refresh hot keys' }).click();
    const row = page.getByRole('region', { name: 'Hot keys' }).getByRole('row').filter({ hasText: '<img src=x onerror=' });
    await row.waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    const slot = row.getByRole('link', { name: /^\d+$/ });
    const number = await slot.textContent();
    await row.getByRole('link', { name: /^group \d$/ }).waitFor();
    await slot.click();
    await page.waitForURL(`**/slots/${number}`);
  });

  test('shows a change at once, and none while the view is paused', async () => {
    const { page } = browser;
    await open('groups');
    await cluster.cliOk('server', 'add-group', '7');
    await page.getByRole('region', { name: 'Group 7', exact: true }).waitFor({ timeout: 1000 * BUSY * BUSY });
    await page.getByRole('button', { name: /Pause/ }).click();
    await page.getByText('paused', { exact: true }).waitFor();
    await cluster.cliOk('server', 'remove-group', '7');
    await page.waitForTimeout(1000);
    expect(await page.getByRole('region', { name: 'Group 7', exact: true }).count()).toBe(1);
    expect(await page.getByRole('button', { name: /^Add a group/ }).getAttribute('title')).toContain('The view is paused');
    await page.getByRole('button', { name: /Resume/ }).click();
    await page.getByRole('region', { name: 'Group 7', exact: true }).waitFor({ state: 'detached' });
  });

  test('costs an idle page less than 60 KB in a minute', async () => {
    const { page, context } = browser;
    await open('');
    // With its charts, which come a little later.
    await page.locator('.chart canvas').nth(5).waitFor();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    let bytes = 0;
    session.on('Network.dataReceived', ({ dataLength }) => {
      bytes += dataLength;
    });
    await page.waitForTimeout(4000);
    expect(bytes * 15).toBeLessThan(60 * 1024);
    expect(bytes).toBeGreaterThan(0);
    await session.detach();
  });
});

test('what happens is marked on the charts of an open page, in words too, and a reload loses no number', async () => {
  const { page } = browser;
  await open('');
  await page.locator('.chart canvas').nth(5).waitFor();
  const happened = page.getByText(/^What happened in this time/);
  await happened.click();
  await cluster.cliOk('server', 'add-group', '8');
  await page.getByText(/event \d+: group\.add group 8$/).waitFor();
  await cluster.cliOk('server', 'remove-group', '8');
  await page.reload();
  await page.locator('.chart canvas').nth(5).waitFor();
  const kept = await api<HistoryView>('/history');
  expect(kept.times.length).toBeGreaterThan(2);
  await happened.click();
  await page.getByText(/event \d+: group\.add group 8$/).waitFor();
  await page.getByLabel('24 h').check();
  await page.getByText('A point every 4 min.').waitFor();
});

describe('a migration', () => {
  test('by mouse: selected, previewed, begun, slowed down, paused, and gone on with to its end', async () => {
    const { page } = browser;
    await open('slots');
    const cell = (slot: number) => page.locator(`[data-slot="${slot}"]`);
    await cell(0).hover();
    await page.mouse.down();
    await cell(20).hover();
    await page.mouse.up();
    await page.getByRole('button', { name: 'Move 21 slots…' }).click();
    await page.getByRole('button', { name: 'Next: where to' }).click();
    await page.getByLabel(/group 2/).check();
    await page.getByRole('button', { name: 'Review the plan' }).click();
    await page.waitForURL('**/migrations/plan/*');
    await page.getByText('Groups before and after').first().waitFor();
    expect(await violations(page), 'plan').toEqual([]);
    await page.getByLabel('Keys, at most').fill('20');
    await page.getByRole('button', { name: 'Move 21 slots' }).click();
    await page.getByRole('dialog').getByText('codis-config plan apply 1 --keys-per-second=20').waitFor();
    expect(await violations(page), 'confirm').toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Move 21 slots' }).click();
    await page.waitForURL('**/migrations/1');
    expect(await violations(page), 'migration').toEqual([]);
    await page.getByRole('button', { name: /^Pause …/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause migration 1' }).click();
    await page.getByText('paused', { exact: true }).first().waitFor();
    for (const path of ['', 'slots', 'migrations']) {
      await open(path);
      expect(await violations(page), `${path} while moving`).toEqual([]);
    }
    await open('migrations/1');
    await page.getByLabel('Keys, at most').fill('');
    await page.getByRole('button', { name: 'Set the limits' }).click();
    await page.getByText('the limits hold from now on').waitFor();
    await page.getByRole('button', { name: /^Resume …/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume migration 1' }).click();
    await page.getByText('verified', { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText('All 21 slots are at group 2.').waitFor();
  });

  test('by keyboard alone', async () => {
    const { page } = browser;
    await open('');
    await page.keyboard.press('g');
    await page.keyboard.press('s');
    await page.waitForURL('**/slots');
    await page.keyboard.press('/');
    await page.keyboard.type('1000-1003');
    await page.keyboard.press('Enter');
    await page.locator('[data-slot="1000"]:focus').waitFor();
    await page.keyboard.press('Shift+ArrowRight');
    await tabTo(page, /Move 2 slots/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/migrations/new');
    await tabTo(page, /Next: where to/);
    await page.keyboard.press('Enter');
    await tabTo(page, /group 1/);
    await page.keyboard.press('Space');
    await tabTo(page, /Review the plan/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/migrations/plan/*');
    await page.getByText('How fast?').waitFor();
    await tabTo(page, /^Move 2 slots/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, /^Move 2 slots/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/migrations/2');
    await page.getByText('verified', { exact: true }).waitFor({ timeout: 60_000 });
    const { migrations } = await api<MigrationsView>('/migrations');
    expect(migrations.at(-1)).toMatchObject({ state: 'done', slotsTotal: 2 });
  });

  test('leaves the same events as one by the command line', async () => {
    const { page } = browser;
    await open('events');
    const before = (await api<EventsView>('/events')).events[0]!.seq;
    await cluster.cliOk('plan', 'move', '5', '6', '3');
    await cluster.cliOk('plan', 'apply', '3');
    const { events } = await api<EventsView>('/events?limit=1000');
    const kinds = (list: EventsView['events']) => new Set(list.filter(({ via }) => via !== 'system').map(({ action }) => action));
    expect(kinds(events.filter(({ seq }) => seq > before))).toEqual(
      kinds(events.filter(({ migration, plan }) => migration === 2 || plan === 2)),
    );
    // The page that was open has them too, each once.
    await page.getByRole('link', { name: String(events[0]!.seq), exact: true }).waitFor();
    expect(await page.getByRole('link', { name: String(before), exact: true }).count()).toBe(1);
  });

  test('that was planned for another table is not begun: the page says what changed, and plans anew', async () => {
    const { page } = browser;
    await cluster.cliOk('plan', 'move', '20', '21', '3');
    const { plans } = await api<PlansView>('/plans');
    const { id } = plans.at(-1)!;
    await open(`migrations/plan/${id}`);
    await page.getByText('How fast?').waitFor();
    await cluster.cliOk('server', 'add-group', '9');
    await page.getByText('The topology has changed since this plan was made').waitFor();
    await page
      .getByText(/group 9/)
      .first()
      .waitFor();
    expect(await page.getByRole('button', { name: 'Move 2 slots' }).count()).toBe(0);
    expect(await violations(page), 'stale').toEqual([]);
    await page.getByRole('button', { name: 'Recompute' }).click();
    await page.waitForURL(`**/migrations/plan/${id + 1}`);
    await page.getByRole('button', { name: 'Move 2 slots' }).waitFor();
  });

  test('that can’t be is refused in the field', async () => {
    const { page } = browser;
    await open('migrations/new');
    for (const [text, sentence] of [
      ['1024', 'There is no slot 1024'],
      ['9-3', 'runs backwards'],
      ['0-5, 3', 'named twice'],
    ] as const) {
      await page.getByLabel('Slots', { exact: true }).fill(text);
      await page.getByText(sentence).first().waitFor();
    }
    for (const text of ['0', '1023', '0-1023']) {
      await page.getByLabel('Slots', { exact: true }).fill(text);
      await eventually(async () => (await page.getByRole('button', { name: 'Next: where to' }).getAttribute('aria-disabled')) === 'false', {
        what: `${text} to be taken`,
      });
    }
  });
});

describe('a dashboard that dies', () => {
  test('is noticed, costs nothing that was typed, and comes back without a reload', async () => {
    const { page } = browser;
    await open('migrations/new');
    await page.getByLabel('Slots', { exact: true }).fill('7-9');
    // Frozen, it says nothing, and no connection breaks.
    cluster.dashboard.signal('SIGSTOP');
    await page.getByText('Live data lost').waitFor({ timeout: 6000 * BUSY });
    cluster.dashboard.signal('SIGCONT');
    await page.getByText('Live data lost').waitFor({ state: 'detached', timeout: 5000 * BUSY });
    await cluster.dashboard.stop('SIGKILL');
    await page.getByText('Live data lost').waitFor({ timeout: 6000 * BUSY });
    expect(await page.locator('main.stale').count()).toBe(1);
    expect(await violations(page), 'not live').toEqual([]);
    await page.getByRole('button', { name: 'Next: where to' }).click();
    await page.getByLabel(/group 3/).check();
    expect(await page.getByRole('button', { name: 'Review the plan' }).getAttribute('aria-disabled')).toBe('true');
    await cluster.startDashboard();
    await page.getByText('Live data lost').waitFor({ state: 'detached', timeout: 5000 * BUSY });
    expect(await page.getByLabel(/group 3/).isChecked()).toBe(true);
    await page.getByRole('button', { name: 'Back' }).click();
    expect(await page.getByLabel('Slots', { exact: true }).inputValue()).toBe('7-9');
  });
});

describe('a master that dies', () => {
  test('is told in the verdict, the title and the alerts, above the fold, with the button that promotes', async () => {
    const { page } = browser;
    await open('');
    const [master, replica] = cluster.servers[1]!;
    await master!.child.stop('SIGKILL');
    const button = page.getByRole('button', { name: new RegExp(`Promote ${replica!.addr}`) });
    await button.first().waitFor({ timeout: 5000 * BUSY });
    await page.getByText('Degraded', { exact: true }).waitFor({ timeout: 5000 * BUSY });
    await eventually(async () => (await page.title()).startsWith('(!) '), { what: 'the title', timeoutMs: 5000 * BUSY });
    expect(await page.locator('#favicon').getAttribute('href')).toBe('/favicon-alert.svg');
    const box = await button.first().boundingBox();
    expect(box!.y + box!.height).toBeLessThan(720);
    await page.getByRole('link', { name: /Alerts.*firing/ }).waitFor({ timeout: 5000 * BUSY });
    await page.getByText(/\(group 2 unknown\)/).waitFor();
    await page
      .getByRole('button', { name: /^Why\? the master of group 2/ })
      .first()
      .click();
    await page.getByRole('dialog').getByText('Because').waitFor();
    await page.getByRole('dialog').getByText('failed').first().waitFor();
    expect(await violations(page), 'why').toEqual([]);
    await page.keyboard.press('Escape');
    for (const path of ['', 'groups', 'alerts', 'slots']) {
      await open(path);
      expect(await violations(page), `${path} while degraded`).toEqual([]);
    }
  });

  test('is replaced by that button', async () => {
    const { page } = browser;
    await open('');
    const [, replica] = cluster.servers[1]!;
    await page
      .getByRole('button', { name: new RegExp(`Promote ${replica!.addr}`) })
      .first()
      .click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('can take over').waitFor();
    expect(await violations(page), 'promotion').toEqual([]);
    await dialog.getByRole('button', { name: 'Promote a server of group 2' }).click();
    await page.getByText('1024 of 1024 slots served').waitFor();
    await eventually(async () => !(await page.title()).startsWith('(!)'), { what: 'the title' });
    expect(browser.errors).toEqual([]);
  });
});
