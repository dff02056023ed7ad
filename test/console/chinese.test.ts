// Goal: who reads Chinese finds no English on any page, but what the dashboard says in words of its own, which is marked as English; and gets back.
// Method: one real cluster is led from empty to degraded. In Chinese all pages are gone through, every button that opens a dialog is pressed, and each text and
// each name of a thing in the page is looked at.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';
import { english } from './english.ts';

// A state is some twenty pages and as many dialogs, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 180_000 });

const PAGES = [
  '',
  'slots',
  'slots?mode=bytes&show=moving',
  'slots?view=time',
  'slots/512',
  'slots/512?view=time&at=1767225600',
  'migrations',
  'migrations?state=paused',
  'migrations/new',
  'groups',
  'groups/9',
  'proxies',
  'keys',
  'keys?slot=512&at=1767225600',
  'slowlog',
  'events',
  'alerts',
  'alerts?state=silenced',
  'settings',
  'nowhere',
];
const WITH_CLUSTER = ['slots?q=100-120', 'groups/1', 'proxies/proxy_1', 'migrations/1', 'migrations/plan/2', 'events/1', 'slots/0'];

let cluster: Cluster;
let browser: TestBrowser;
let page: Page;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 2, replicas: 1 }), openBrowser()]);
  page = browser.page;
  for (const [master, replica] of cluster.servers) await replica!.client().replicaof('127.0.0.1', master!.port);
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/`);
  await page.getByText('live', { exact: true }).waitFor();
});
afterAll(async () => {
  expect(browser?.errors).toEqual([]);
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

/** As a link does it: without loading anything anew. */
async function go(path: string): Promise<void> {
  await page.evaluate((href) => {
    history.pushState(null, '', href);
    dispatchEvent(new PopStateEvent('popstate'));
    return new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
  }, `/c/test/${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForFunction(() => !/正在(?:查看|询问|读取|扫描|获取)/.test(document.querySelector('main')?.textContent ?? ''));
}

interface Found {
  readonly where: string;
  readonly what: readonly string[];
}

async function lookAt(where: string, within = 'body'): Promise<Found[]> {
  const what = await english(page, within);
  return what.length === 0 ? [] : [{ where, what }];
}

/** Presses every button that opens something, each kind once. */
async function dialogs(path: string, seen: Set<string>): Promise<Found[]> {
  const found: Found[] = [];
  const buttons = () => page.locator('main button:not([aria-disabled=true])');
  for (const [index, text] of (await buttons().allTextContents()).entries()) {
    const kind = text.trim().replace(/127\.0\.0\.1:\d+|\d+/g, 'N');
    if (!/…$|^为什么？$/.test(kind) || seen.has(kind)) continue;
    seen.add(kind);
    await buttons().nth(index).click();
    const dialog = page.locator('dialog[open]');
    const isOpen = await eventually(
      async () => {
        if ((await dialog.count()) > 0) return 'a dialog';
        return new URL(page.url()).pathname === new URL(`/c/test/${path}`, page.url()).pathname ? null : 'another page';
      },
      { what: `${kind} to do something` },
    );
    if (isOpen === 'another page') {
      await go(path);
      continue;
    }
    await page.waitForFunction(() => !/正在(?:查看|询问|读取|扫描|获取)/.test(document.querySelector('dialog[open]')?.textContent ?? ''));
    found.push(...(await lookAt(`${path}: ${kind}`, 'dialog[open]')));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
  }
  return found;
}

async function walk(paths: readonly string[], { deep }: { deep: boolean }): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    await go(path);
    found.push(...(await lookAt(path)));
    expect(await page.title(), path).toMatch(/^(?:\(!\) )?.*\p{Script=Han}.* · test$/u);
    const drawer = (await page.locator('dialog[open]').count()) > 0;
    const wrong = deep ? await faults(page, drawer ? 'dialog[open]' : null) : [];
    if (wrong.length > 0) found.push({ where: `${path}, its form`, what: wrong });
    if (!drawer) found.push(...(await dialogs(path, seen)));
  }
  return found;
}

const addresses = () => cluster.servers.flat().map(({ addr }) => addr);

test('the language is chosen at the top, changes at once, and is kept', async () => {
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
  const loaded = () => page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /zh-CN/.test(name)).length);
  expect(await loaded(), 'who reads English does not load Chinese').toBe(0);
  await page.getByRole('combobox', { name: 'Language' }).selectOption('简体中文');
  await page.getByRole('heading', { name: '概览', level: 1 }).waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
  expect(await page.title()).toBe('(!) 概览 · test');
  await page.reload();
  await page.getByText('实时', { exact: true }).waitFor();
  expect(await english(page, 'body')).toEqual([]);
});

test('a browser that asks for Chinese gets it, from the first paint on', async () => {
  const context = await page.context().browser()!.newContext({ locale: 'zh-CN' });
  const other = await context.newPage();
  await other.addInitScript(() => {
    Object.assign(window, { titles: [] });
    new MutationObserver(() => {
      const title = document.querySelector('h1')?.textContent;
      if (title !== undefined) (window as unknown as { titles: (string | null)[] }).titles.push(title);
    }).observe(document, { childList: true, subtree: true });
  });
  await other.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/settings`);
  await other.getByRole('heading', { name: '外观' }).waitFor();
  expect(await other.evaluate(() => (window as unknown as { titles: (string | null)[] }).titles)).not.toContain('Settings');
  await context.close();
});

test('a page whose Chinese words can’t be had stays English, and says so', async () => {
  const other = await browser.context.newPage();
  await other.addInitScript(() => localStorage.removeItem('codis.language'));
  await other.route(/zh-CN/, (route) => route.abort());
  await other.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/`);
  await other.getByRole('combobox', { name: 'Language' }).selectOption('简体中文');
  await other.getByText('Language: Its words could not be loaded.').waitFor();
  expect(await other.getByRole('combobox', { name: 'Language' }).inputValue()).toBe('en');
  expect(await other.evaluate(() => document.documentElement.lang)).toBe('en');
  await other.close();
  await page.evaluate(() => localStorage.setItem('codis.language', 'zh-CN'));
});

test('an empty dashboard is Chinese', async () => {
  expect(await walk(PAGES, { deep: false })).toEqual([]);
  await go('');
  await page.getByLabel('主库和从库的地址').fill(addresses().join('\n'));
  await page.getByRole('button', { name: '查看服务器' }).click();
  await page
    .getByText(/约 512 个槽位/)
    .first()
    .waitFor();
  expect(await lookAt('first run')).toEqual([]);
  await page.locator('h1').click();
  await page.keyboard.press('?');
  await page.locator('dialog[open]').waitFor();
  expect(await lookAt('help')).toEqual([]);
  await page.keyboard.press('Escape');
});

test('so is a cluster whose slots move, and fits small windows', async () => {
  const { groups } = (await call('POST', '/servers/probe', { addrs: addresses() })) as { groups: object[] };
  await call('POST', '/setup', { groups });
  await Promise.all([cluster.startProxy('proxy_1'), cluster.startProxy('proxy_2')]);
  const client = cluster.proxies[0]!.client();
  await Promise.all(Array.from({ length: 2000 }, (_, index) => client.set(`key:${index}`, 'x'.repeat(2000))));
  await cluster.servers[0]![0]!.client().config('SET', 'slowlog-log-slower-than', '0');
  await client.get('key:1');
  await go('keys');
  await page.getByRole('button', { name: '立即扫描服务器' }).click();
  await page.getByLabel('键', { exact: true }).fill('user:{42}:cart');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: /^槽位 \d+$/ }).waitFor();
  expect(await lookAt('keys, one found')).toEqual([]);
  await call('POST', '/plans', { kind: 'move', moves: [{ first: 0, last: 200, to: 2 }] });
  await call('POST', '/plans/1/apply', { keysPerSecond: 1 });
  await call('POST', '/plans', { kind: 'move', moves: [{ first: 700, last: 701, to: 1 }] });
  await go('');
  await page.getByText('健康', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByText('1024 个槽位中 1024 个可用，2 个组中 2 个有可用的从库，2 个代理中 2 个在线。').waitFor();
  expect(await walk([...PAGES, ...WITH_CLUSTER], { deep: true })).toEqual([]);
});

test('so is moving slots, step by step', async () => {
  for (const [kind, label] of [
    ['指定槽位', '槽位'],
    ['某组的若干槽位', '多少个槽位'],
    ['均衡', null],
    ['清空一个组', null],
  ] as const) {
    await go('migrations/new');
    // Where a draft was left, one goes on.
    if ((await page.getByRole('button', { name: '返回' }).count()) > 0) await page.getByRole('button', { name: '返回' }).click();
    await page.getByLabel(new RegExp(`^${kind} `)).check();
    if (kind.includes('组')) await page.getByLabel(/^组 1 /).check();
    if (label !== null) await page.getByLabel(label, { exact: true }).fill('1024x');
    expect(await lookAt(`what: ${kind}`)).toEqual([]);
    if (label !== null) await page.getByLabel(label, { exact: true }).fill('5');
    if (kind === '指定槽位') await page.getByLabel(label ?? '', { exact: true }).fill('300-304');
    await page.getByRole('button', { name: '下一步：迁往哪里' }).click();
    expect(await lookAt(`where: ${kind}`)).toEqual([]);
  }
});

test('so is one that is ill: its verdict, its alerts, and what to do', async () => {
  const [master] = cluster.servers[1]!;
  await master!.child.stop('SIGKILL');
  await cluster.proxies[1]!.child.stop('SIGKILL');
  await go('');
  await page.getByText('降级', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByRole('status').getByText(`组 2 的主库 ${master!.addr} 宕机`).waitFor();
  await page.getByRole('link', { name: /告警.*触发中/ }).waitFor({ timeout: 20_000 });
  expect(await page.title()).toBe('(!) 概览 · test');
  expect(await walk([...PAGES, ...WITH_CLUSTER], { deep: false })).toEqual([]);
});

test('so is the banner when the dashboard is away', async () => {
  await go('');
  await cluster.dashboard.stop('SIGKILL');
  await page.getByRole('alert').getByText('实时数据中断').waitFor();
  expect(await lookAt('away')).toEqual([]);
  await cluster.startDashboard();
  await page.getByText('实时', { exact: true }).waitFor({ timeout: 30_000 });
});

test('back in English all is as it was', async () => {
  await go('');
  await page.getByLabel('语言').selectOption('English');
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await page.getByText('Degraded', { exact: true }).waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
  const chinese = await page.evaluate(() =>
    [...document.body.querySelectorAll('*:not(option, :has(*))')]
      .map((one) => one.textContent ?? '')
      .filter((text) => /\p{Script=Han}/u.test(text)),
  );
  expect(chinese).toEqual([]);
  await page.reload();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
});
