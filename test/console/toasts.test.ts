// Goal: what went wrong is said where everybody meets it, by eye, keyboard and screen reader, and stays until somebody has dismissed it; what went well is said and goes.
// Method: a real login whose logging out fails: the only failure with no place of its own on a page. What is announced is taken from the browser's own accessibility tree.

import type { CDPSession } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser, tabTo } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

/** More than fit into the window. */
const MANY = 12;
const LOGOUT = '**/api/v1/logout';

let cluster: Cluster;
let browser: TestBrowser;
let session: CDPSession;
let made = 0;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 1, settings: { dashboard_auth: 'on' } }), openBrowser()]);
  session = await browser.context.newCDPSession(browser.page);
  const password = await eventually(() => /password[^\n]*?[: ]+([A-Za-z0-9_-]{16,})/.exec(cluster.dashboard.output())?.[1], {
    what: 'the first password in the log',
  });
  const { page } = browser;
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/settings`);
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Tokens' }).waitFor();
});
beforeEach(async () => {
  const { page } = browser;
  await page.unroute(LOGOUT);
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/settings`);
  await page.getByRole('heading', { name: 'Tokens' }).waitFor();
});
afterAll(async () => {
  expect(browser?.errors).toEqual([]);
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

const messages = () => browser.page.getByRole('region', { name: 'Messages' });
const failures = () => messages().locator('.toast.failed');
const successes = () => messages().locator('.toast.done');
const logOut = () => browser.page.getByRole('button', { name: 'Log out' }).click();

/** What goes wrong on the way, as the page meets it. */
const FAILURES = {
  nobody: () => browser.page.route(LOGOUT, (route) => route.abort()),
  proxy: () =>
    browser.page.route(LOGOUT, (route) =>
      route.fulfill({
        status: 502,
        contentType: 'text/html',
        body: '<h1>502 Bad Gateway</h1><pre>at Socket.onclose (proxy.js:17:5)</pre>',
      }),
    ),
  coordinator: (port = 2181) =>
    browser.page.route(LOGOUT, (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify({
          type: 'urn:codis:error:CODIS_E_COORDINATOR_LOST',
          title: 'The coordinator can’t be reached',
          status: 503,
          code: 'CODIS_E_COORDINATOR_LOST',
          detail: `ZooKeeper at localhost:${port} does not answer; nothing was changed`,
          try: ['look whether it runs: codis-config doctor'],
          retryable: true,
        }),
      }),
    ),
} as const;

/** Something that succeeds. */
async function makeToken(): Promise<string> {
  const { page } = browser;
  const name = `token-${made++}`;
  await page.getByRole('button', { name: 'Add a token …' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill(name);
  await page.getByRole('dialog').getByRole('button', { name: 'Add a token' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  return name;
}

/** The texts that a screen reader is told of by itself, and how. */
async function announced(): Promise<{ live: unknown; text: string }[]> {
  await session.send('Accessibility.enable');
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const liveOf = (node: (typeof nodes)[number] | undefined): unknown =>
    node && (node.properties?.find(({ name }) => name === 'live')?.value.value ?? liveOf(byId.get(node.parentId ?? '')));
  return nodes
    .filter(({ role }) => role?.value === 'StaticText')
    .flatMap((node) => {
      const live = liveOf(node);
      return live === undefined ? [] : [{ live, text: String(node.name?.value) }];
    });
}

test.each([
  ['nobody', 'Logging out: The dashboard does not answer.', 'codis-dashboard runs'],
  ['proxy', 'Logging out: Something between this page and the dashboard answered in its place.', 'proxies and firewalls'],
  ['coordinator', 'Logging out: ZooKeeper at localhost:2181 does not answer', 'codis-config doctor'],
] as const)('a failure says what, why and what to try, and no code or stack: %s', async (kind, what, hint) => {
  await FAILURES[kind]();
  await logOut();
  await failures().waitFor();
  const text = (await failures().textContent()) ?? '';
  expect(text).toContain(what);
  expect(await failures().locator('.hint').first().textContent()).toContain(hint);
  expect(text).not.toMatch(/CODIS_E_|urn:|\b50\d\b|\.js:\d+|<\w+|undefined|\[object/);
  expect(await faults(browser.page)).toEqual([]);
});

test('a failure is announced: it comes into a live region that was there before', async () => {
  const { page } = browser;
  const region = await page.locator('.toasts').elementHandle();
  expect(await region?.getAttribute('aria-live')).toBe('polite');
  expect(await region?.textContent()).toBe('');
  await FAILURES.coordinator();
  await logOut();
  await failures().waitFor();
  expect(await region?.evaluate((element) => element.isConnected && element.contains(document.querySelector('.toast.failed')))).toBe(true);
  const told = await announced();
  expect(told).toContainEqual({ live: 'polite', text: expect.stringContaining('Logging out: ZooKeeper at localhost:2181') });
  expect(told).toContainEqual({ live: 'polite', text: expect.stringContaining('codis-config doctor') });
});

test('a failure stays while others come and go, and on other pages; what went well goes by itself', async () => {
  const { page } = browser;
  for (let port = 2181; port < 2181 + MANY; port++) {
    await page.unroute(LOGOUT);
    await FAILURES.coordinator(port);
    await logOut();
    await failures()
      .filter({ hasText: `localhost:${port}` })
      .waitFor();
    await eventually(() => failures().last().evaluate(isInWindow), { what: 'the newest to be in the window' });
  }
  expect(await hiddenFocus()).toEqual([]);
  const name = await makeToken();
  await successes()
    .filter({ hasText: `Token ${name} was made` })
    .waitFor();
  expect(await failures().count()).toBe(MANY);
  expect(await faults(page)).toEqual([]);
  await failures().first().scrollIntoViewIfNeeded();
  expect(await failures().first().evaluate(isInWindow)).toBe(true);
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByRole('heading', { name: 'Events' }).waitFor();
  await page.mouse.move(5, 5);
  await eventually(async () => (await successes().count()) === 0, { what: 'what went well to go', everyMs: 200 });
  expect(await failures().count()).toBe(MANY);
});

/** What can’t be seen at all, for the messages are over it, when one comes to it by keyboard. */
async function hiddenFocus(): Promise<string[]> {
  const { page } = browser;
  const hidden: string[] = [];
  await page.locator('.skip').focus();
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === null || element.closest('.toasts') !== null) return null;
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const corners = [left + 2, (left + right) / 2, right - 2].flatMap((x) =>
        [top + 2, bottom - 2].map((y) => document.elementFromPoint(x, y)),
      );
      return { name: element.textContent ?? '', isSeen: corners.some((at) => at !== null && at.closest('.toasts') === null) };
    });
    if (found === null) return hidden;
    if (!found.isSeen) hidden.push(found.name);
  }
  throw new Error('the messages can’t be reached by Tab');
}

function isInWindow(element: Element): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}

test('what fails again in the same way is said once, by its newest time', async () => {
  await FAILURES.nobody();
  await logOut();
  await failures().waitFor();
  await logOut();
  await browser.page.unroute(LOGOUT);
  await FAILURES.coordinator();
  await logOut();
  await failures().filter({ hasText: 'ZooKeeper' }).waitFor();
  expect(await failures().count()).toBe(2);
});

test('failures are dismissed by keyboard, and the focus goes on to the next, and then to the page', async () => {
  const { page } = browser;
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id);
  await FAILURES.coordinator();
  await logOut();
  await failures().waitFor();
  await page.unroute(LOGOUT);
  await FAILURES.nobody();
  await logOut();
  await failures().nth(1).waitFor();
  await tabTo(page, /^Dismiss: Logging out: ZooKeeper/);
  await page.keyboard.press('Enter');
  await eventually(async () => (await failures().count()) === 1, { what: 'the first to be gone' });
  expect(await focused()).toMatch(/^Dismiss: Logging out: The dashboard does not answer/);
  await page.keyboard.press('Space');
  await eventually(async () => (await failures().count()) === 0, { what: 'the second to be gone' });
  expect(await focused()).toBe('main');
});

test('what went well stays while somebody points at it or has come to it by keyboard', async () => {
  const { page } = browser;
  const name = await makeToken();
  const toast = successes().filter({ hasText: `Token ${name} was made` });
  await toast.getByRole('button', { name: /^Dismiss/ }).focus();
  const other = await makeTokenUnfocused();
  await eventually(async () => (await successes().filter({ hasText: other }).count()) === 0, { what: 'a later one to go', everyMs: 200 });
  expect(await toast.count()).toBe(1);
  await page.getByRole('heading', { name: 'Tokens' }).click();
  await page.locator('h1').focus();
  await toast.waitFor({ state: 'detached' });
});

/** As `makeToken`, and the focus stays where it is. */
async function makeTokenUnfocused(): Promise<string> {
  const { page } = browser;
  const before = await page.evaluateHandle(() => document.activeElement as HTMLElement);
  const name = await makeToken();
  await before.evaluate((element) => element.focus());
  return name;
}

test('a dashboard that has died is said in the same way, and logging out works when it is back', async () => {
  const { page } = browser;
  await cluster.dashboard.stop('SIGKILL');
  await logOut();
  await failures().filter({ hasText: 'Logging out: The dashboard does not answer.' }).waitFor();
  await cluster.startDashboard();
  await page.getByText('live', { exact: true }).waitFor();
  expect(await failures().count()).toBe(1);
  await logOut();
  await page.getByRole('heading', { name: 'Log in to Codis test' }).waitFor();
});
