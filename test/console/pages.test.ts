// Goal: every page, with everything that opens on it, is accessible and fits small windows, whatever state the cluster is in.
// Method: one real cluster is led from empty to healthy, migrating and degraded. In each state all pages are gone through, and every button that opens a dialog is
// pressed: axe in both themes, and the widths of a telephone and of a window at 200 %.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';

// A state is some twenty pages and as many dialogs, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 180_000 });

const EVERYWHERE = [
  '',
  'slots',
  'slots?mode=state',
  'slots?mode=keys',
  'slots?view=time',
  'slots/512',
  'slots/512?view=time&at=1767225600',
  'migrations',
  'migrations/new',
  'groups',
  'proxies',
  'keys',
  'keys?slot=512&at=1767225600',
  'slowlog',
  'events',
  'events/1',
  'alerts',
  'settings',
  'nowhere',
];
/** With these words the buttons begin that open a dialog; what is not in the page while it is gone through would not be noticed otherwise. */
const DIALOGS = [
  'Add a group',
  'Add a server',
  'Drain',
  'Finish the slots',
  'Pause',
  'Promote',
  'Remove',
  'Roll back',
  'Silence',
  'Take offline',
  'Why?',
];
const WITH_CLUSTER = ['slots?q=100-120', 'groups/2', 'proxies/proxy_1', 'migrations/99'];

let cluster: Cluster;
let browser: TestBrowser;
let page: Page;
/** Names of the buttons that opened a dialog in any state, without numbers. */
const opened = new Set<string>();

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 3, replicas: 1 }), openBrowser()]);
  page = browser.page;
  for (const [master, replica] of cluster.servers) await replica!.client().replicaof('127.0.0.1', master!.port);
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/`);
  await page.getByText('live', { exact: true }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

async function call(method: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${await answer.text()}`);
  return answer.json();
}

/** As a link does it: what is loaded anew each time is tested elsewhere. */
async function go(path: string): Promise<void> {
  await page.evaluate((href) => {
    history.pushState(null, '', href);
    dispatchEvent(new PopStateEvent('popstate'));
    // What is there before is not to be taken for what is wanted.
    return new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
  }, `/c/test/${path}`);
  await settled();
}

async function settled(): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => !/Reading …|Asking proxies|Looking …/.test(document.querySelector('main')?.textContent ?? ''));
}

interface Found {
  readonly where: string;
  readonly what: readonly string[];
}

async function faultsOf(where: string, within: string | null = null): Promise<Found[]> {
  const what = await faults(page, within);
  return what.length === 0 ? [] : [{ where, what }];
}

/** Presses every button that opens something, each kind once, and looks at what opens. */
async function dialogFaults(path: string, seen: Set<string>): Promise<Found[]> {
  const found: Found[] = [];
  const names = await page
    .locator('main button:not([aria-disabled=true])')
    .evaluateAll((buttons) =>
      buttons.map((button) => ({ name: button.getAttribute('aria-label') ?? button.textContent ?? '', text: button.textContent ?? '' })),
    );
  for (const [index, { name, text }] of names.entries()) {
    const kind = name.replace(/127\.0\.0\.1:\d+|\d+/g, 'N');
    // What is said in these depends on the state of the cluster.
    const known = /^(Why|Promote)/.test(kind) ? seen : opened;
    if (!/…$|^Why\?$/.test(text.trim()) || known.has(kind)) continue;
    seen.add(kind);
    await page.locator('main button:not([aria-disabled=true])').nth(index).click();
    const dialog = page.locator('dialog[open]');
    if (
      (await eventually(async () => ((await dialog.count()) > 0 ? 'a dialog' : await hasLeft(path)), {
        what: `${name} to do something`,
      })) === 'a dialog'
    ) {
      opened.add(kind);
      await page.waitForFunction(() => !/Asking …|Looking …/.test(document.querySelector('dialog[open]')?.textContent ?? ''));
      found.push(...(await faultsOf(`${path}: ${name}`, 'dialog[open]')));
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    } else await go(path);
  }
  return found;
}

async function hasLeft(path: string): Promise<'another page' | null> {
  return new URL(page.url()).pathname === new URL(`/c/test/${path}`, page.url()).pathname ? null : 'another page';
}

/** The steps of moving slots, each way there is. */
async function wizardFaults(): Promise<Found[]> {
  const found: Found[] = [];
  for (const [kind, fill] of [
    ['These slots', () => page.getByLabel('Slots', { exact: true }).fill('1000-1003')],
    ['Some slots of a group', () => page.getByLabel('How many slots').fill('5')],
    ['Rebalance', () => Promise.resolve()],
    ['Drain a group', () => Promise.resolve()],
  ] as const) {
    await go('migrations/new');
    // Where a draft was left, one goes on.
    if ((await page.getByRole('button', { name: 'Back' }).count()) > 0) await page.getByRole('button', { name: 'Back' }).click();
    await page.getByLabel(new RegExp(`^${kind}`)).check();
    if (kind.includes('a group')) await page.getByLabel(/^group 1 /).check();
    await fill();
    found.push(...(await faultsOf(`wizard, what: ${kind}`)));
    await page.getByRole('button', { name: 'Next: where to' }).click();
    found.push(...(await faultsOf(`wizard, where: ${kind}`)));
    await page.getByRole('button', { name: 'Back' }).click();
  }
  return found;
}

async function pageFaults(paths: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    await go(path);
    const drawer = (await page.locator('dialog[open]').count()) > 0;
    found.push(...(await faultsOf(path, drawer ? 'dialog[open]' : null)));
    if (!drawer) found.push(...(await dialogFaults(path, seen)));
  }
  return found;
}

test('while it is empty', async () => {
  expect(await pageFaults(EVERYWHERE)).toEqual([]);
  await go('');
  await page.getByLabel('Addresses of masters and replicas').fill(addresses().join('\n'));
  await page.getByRole('button', { name: 'Look at the servers' }).click();
  await page
    .getByText(/about 34\d slots/)
    .first()
    .waitFor();
  expect(await faultsOf('first run')).toEqual([]);
  await page.locator('h1').click();
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  expect(await faultsOf('help', 'dialog[open]')).toEqual([]);
  await page.keyboard.press('Escape');
});

const addresses = () => cluster.servers.flat().map(({ addr }) => addr);

test('while it is healthy', async () => {
  const { groups } = (await call('POST', '/servers/probe', { addrs: addresses() })) as { groups: object[] };
  await call('POST', '/setup', { groups });
  await Promise.all([cluster.startProxy('proxy_1'), cluster.startProxy('proxy_2')]);
  const client = cluster.proxies[0]!.client();
  await Promise.all(Array.from({ length: 3000 }, (_, index) => client.set(`key:${index}`, 'x'.repeat(2000))));
  await cluster.servers[0]![0]!.client().config('SET', 'slowlog-log-slower-than', '0');
  await client.get('key:1');
  await go('keys');
  await page.getByRole('button', { name: 'Look through the servers now' }).click();
  await page.locator('td').first().waitFor();
  await page.getByLabel('Key', { exact: true }).fill('user:{42}:cart');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /^slot \d+$/ }).waitFor();
  expect(await faultsOf('keys, one found')).toEqual([]);
  expect(await pageFaults([...EVERYWHERE, ...WITH_CLUSTER])).toEqual([]);
  expect(await wizardFaults()).toEqual([]);
});

test('while slots move', async () => {
  await call('POST', '/plans', { kind: 'move', moves: [{ first: 0, last: 200, to: 3 }] });
  await go('migrations/plan/1');
  await page.getByText('How fast?').waitFor();
  expect(await pageFaults(['migrations/plan/1'])).toEqual([]);
  await call('POST', '/plans/1/apply', { keysPerSecond: 1 });
  await call('POST', '/plans', { kind: 'move', moves: [{ first: 700, last: 701, to: 1 }] });
  await go('slots?show=moving');
  await page.locator('.cell.moving').first().waitFor({ timeout: 30_000 });
  await go('migrations/1');
  await page.getByRole('button', { name: /^Pause …/ }).waitFor();
  const paths = ['migrations/1', 'migrations/plan/2', 'slots?show=moving', 'slots/0', ...EVERYWHERE, ...WITH_CLUSTER];
  expect(await pageFaults(paths)).toEqual([]);
});

test('while it is degraded', async () => {
  await cluster.servers[1]![0]!.child.stop('SIGKILL');
  await cluster.servers[0]![1]!.child.stop('SIGKILL');
  await cluster.proxies[1]!.child.stop('SIGKILL');
  await go('');
  await page.getByText('Degraded', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByRole('link', { name: /Alerts.*firing/ }).waitFor({ timeout: 20_000 });
  expect(await pageFaults(['migrations/1', ...EVERYWHERE, ...WITH_CLUSTER])).toEqual([]);
  expect(DIALOGS.filter((words) => ![...opened].some((name) => name.startsWith(words)))).toEqual([]);
  expect(browser.errors).toEqual([]);
});
