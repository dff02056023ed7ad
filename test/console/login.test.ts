// Goal: who may only look sees the same console, every button in its place, and why it does nothing.
// Method: a dashboard with dashboard_auth = on; its first admin makes a viewer, both in the browser.

import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';
import { english } from './english.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

let cluster: Cluster;
let browser: TestBrowser;
let adminPassword = '';

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 1, settings: { dashboard_auth: 'on' } }), openBrowser()]);
  adminPassword = await eventually(() => /password[^\n]*?[: ]+([A-Za-z0-9_-]{16,})/.exec(cluster.dashboard.output())?.[1], {
    what: 'the first password in the log',
  });
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

async function login(user: string, password: string): Promise<void> {
  const { page } = browser;
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

test('one logs in, and a wrong password is a sentence', async () => {
  const { page } = browser;
  await page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/settings`);
  await page.getByRole('heading', { name: 'Log in to Codis test' }).waitFor();
  expect(await faults(page)).toEqual([]);
  await page.getByLabel('Language').selectOption('简体中文');
  await page.getByRole('heading', { name: '登录 Codis test' }).waitFor();
  expect([await page.title(), await english(page, 'body')]).toEqual(['登录 · Codis', []]);
  await page.getByLabel('语言').selectOption('English');
  await page.getByRole('heading', { name: 'Log in to Codis test' }).waitFor();
  await login('admin', 'not the password');
  await page.getByRole('alert').waitFor();
  expect(await faults(page), 'refused').toEqual([]);
  await login('admin', adminPassword);
  await page.getByRole('heading', { name: 'Users' }).waitFor();
  expect(await faults(page), 'settings').toEqual([]);
});

test('an admin makes a viewer, who sees every button and why it does nothing', async () => {
  const { page } = browser;
  await page.getByRole('button', { name: 'Add a user …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('anna');
  await dialog.getByLabel('Password').fill('short');
  await dialog.getByText('A password has at least 10 characters.').first().waitFor();
  expect(await faults(page, 'dialog[open]'), 'a user to add').toEqual([]);
  await dialog.getByLabel('Password').fill('long enough');
  await dialog.getByRole('button', { name: 'Add a user' }).click();
  await page.getByRole('cell', { name: 'anna', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await login('anna', 'long enough');
  await page.getByText('Only an admin sees and changes users and tokens.').waitFor();
  expect(await faults(page), 'settings of a viewer').toEqual([]);
  await page.getByRole('link', { name: 'Groups' }).click();
  const add = page.getByRole('button', { name: 'Add a group …' });
  expect(await add.getAttribute('aria-disabled')).toBe('true');
  expect(await add.getAttribute('title')).toBe('You are logged in as a viewer; an operator or admin can do this.');
  await add.click({ force: true });
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(browser.errors).toEqual([]);
});
