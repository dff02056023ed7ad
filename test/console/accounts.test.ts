// Goal: for users and tokens too the command line that is offered does what the button does: the same comes of it, and the same event.
// Method: both are really done, one after the other, from the same beginning, as the same admin; what is kept and what was written down are compared.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventsView, EventView, TokensView, UsersView } from '@codis/config/api';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, scratchDir, stopAll } from '../harness/process.ts';
import { confirmed, openBrowser, type TestBrowser } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const dir = scratchDir('accounts');
const PASSWORD = 'correct horse battery';

let cluster: Cluster;
let browser: TestBrowser;
let adminPassword = '';

beforeAll(async () => {
  // Where the command line keeps its login.
  vi.stubEnv('HOME', join(dir, 'home'));
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 1, settings: { dashboard_auth: 'on' } }), openBrowser()]);
  adminPassword = await eventually(() => /password[^\n]*?[: ]+([A-Za-z0-9_-]{16,})/.exec(cluster.dashboard.output())?.[1], {
    what: 'the first password in the log',
  });
  await logInBoth();
});
afterEach(() => expect(browser.errors).toEqual([]));
afterAll(async () => {
  vi.unstubAllEnvs();
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

function secretFile(secret: string): string {
  const file = join(dir, 'secret');
  writeFileSync(file, `${secret}\n`);
  return file;
}

const url = (path: string) => `http://127.0.0.1:${cluster.dashboardPort}${path}`;
const cli = (...args: string[]) => cluster.cliOk('auth', ...args);
const asked = async <View>(...args: string[]): Promise<View> => JSON.parse(await cluster.cliOk(...args, '-o', 'json')) as View;
const button = (name: string | RegExp) => browser.page.getByRole('button', { name }).first();
const dialog = () => browser.page.getByRole('dialog');

async function logInBoth(): Promise<void> {
  await cli('login', 'admin', '--password-file', secretFile(adminPassword));
  const { page } = browser;
  await page.goto(url('/c/test/settings'));
  await page.getByLabel('Name').fill('admin');
  await page.getByLabel('Password').fill(adminPassword);
  await button('Log in').click();
  await page.getByRole('heading', { name: 'Users' }).waitFor();
}

/** What one may do now, and how the newest event tells of it; without what is another each time. */
async function outcome(): Promise<{ users: unknown; tokens: unknown; event: unknown }> {
  const [{ users }, { tokens }, { events }] = await Promise.all([
    asked<UsersView>('auth', 'users'),
    asked<TokensView>('auth', 'tokens'),
    asked<EventsView>('events', '--limit', '1'),
  ]);
  return {
    users: users.map(({ name, role }) => ({ name, role })),
    tokens: tokens.map(({ name, role, expiresAt }) => ({ name, role, expiresAt: expiresAt?.slice(0, 10) })),
    event: withoutTimes(events[0]!),
  };
}

function withoutTimes(event: EventView): unknown {
  return JSON.parse(JSON.stringify({ ...event, seq: 0, at: '' }).replaceAll(/T\d\d:\d\d:\d\d\.\d{3}Z/g, ''));
}

interface Doing {
  /** How things stand before, made by the command line; done twice. */
  readonly before: () => Promise<unknown>;
  /** Ends in the line that was offered. */
  readonly byButton: () => Promise<string>;
  /** What the line asks a person for. */
  readonly files?: readonly string[];
  /** Looks whether it works; gets what the line printed, or null after the button. */
  readonly check?: (printed: string | null) => Promise<unknown>;
}

/** Where there may be nothing to take away. */
async function perhaps(...args: string[]): Promise<void> {
  await cluster.cli('auth', ...args);
}

async function logsIn(user: string, password: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url('/api/v1/login'), { method: 'POST', headers, body: JSON.stringify({ user, password }) });
  expect(answer.status).toBe(200);
}

async function isToken(token: string): Promise<void> {
  const answer = await fetch(url('/api/v1/session'), { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toMatchObject({ user: 'token:ci', role: 'operator' });
}

const rowOf = (table: string, name: string) =>
  browser.page
    .getByRole('table', { name: table })
    .getByRole('row')
    .filter({ has: browser.page.getByRole('cell', { name, exact: true }) });

const DOINGS: Record<string, Doing> = {
  'user.add': {
    before: () => perhaps('remove-user', 'boris'),
    byButton: async () => {
      await button('Add a user …').click();
      await dialog().getByLabel('Name').fill('boris');
      await dialog().getByLabel('Password').fill(PASSWORD);
      await dialog().getByLabel('Role', { exact: true }).selectOption('operator');
      return confirmed(browser.page);
    },
    files: ['--password-file'],
    check: () => logsIn('boris', PASSWORD),
  },
  'user.change': {
    before: () => cli('change-user', 'boris', '--role', 'viewer'),
    byButton: async () => {
      await rowOf('Users', 'boris')
        .getByRole('button', { name: /^Role …/ })
        .click();
      const role = dialog().getByLabel('Role', { exact: true });
      expect(await role.inputValue(), 'what he is').toBe('viewer');
      await role.selectOption('admin');
      return confirmed(browser.page);
    },
  },
  'user.remove': {
    before: async () => {
      await perhaps('remove-user', 'boris');
      await cli('add-user', 'boris', 'viewer', '--password-file', secretFile(PASSWORD));
    },
    byButton: async () => {
      await rowOf('Users', 'boris')
        .getByRole('button', { name: /^Remove …/ })
        .click();
      return confirmed(browser.page);
    },
  },
  'token.add': {
    before: () => perhaps('remove-token', 'ci'),
    byButton: async () => {
      await button('Add a token …').click();
      await dialog().getByLabel('Name').fill('ci');
      await dialog().getByLabel('Role', { exact: true }).selectOption('operator');
      await dialog().getByLabel('Expires after').fill('30');
      return confirmed(browser.page);
    },
    check: async (printed) =>
      isToken(printed?.trim() ?? (await browser.page.getByText('shown this once').locator('code').textContent()) ?? ''),
  },
  'token.remove': {
    before: async () => {
      await perhaps('remove-token', 'ci');
      await cli('add-token', 'ci', 'viewer');
    },
    byButton: async () => {
      await rowOf('Tokens', 'ci')
        .getByRole('button', { name: /^Remove …/ })
        .click();
      return confirmed(browser.page);
    },
  },
};

test.each(Object.entries(DOINGS))(
  '%s by its button and by its command line comes to the same, and is the same event',
  async (action, doing) => {
    await doing.before();
    await browser.page.reload();
    await browser.page.getByRole('heading', { name: 'Tokens' }).waitFor();
    const line = await doing.byButton();
    const byButton = await outcome();
    expect(byButton.event).toMatchObject({ action, actor: 'admin@127.0.0.1', via: 'user', ip: '127.0.0.1', result: 'done' });
    await doing.check?.(null);

    await doing.before();
    const [program, ...args] = line.split(' ');
    expect(program).toBe('codis-config');
    const printed = await cluster.cliOk(...args, ...(doing.files ?? []).flatMap((option) => [option, secretFile(PASSWORD)]));
    expect(await outcome()).toEqual(byButton);
    await doing.check?.(printed);
  },
);

test('a password of one’s own is changed by both, and every login of before is over', async () => {
  const { page } = browser;
  const passwordEvent = async () => withoutTimes((await asked<EventsView>('events', '--action', 'user.change', '--limit', '1')).events[0]!);
  const changed = 'another one than before';
  await button('Change my password …').click();
  await dialog().getByLabel('Password of now').fill(adminPassword);
  await dialog().getByLabel('New password').fill(changed);
  const line = await confirmed(browser.page);
  await page.getByRole('heading', { name: 'Log in to Codis test' }).waitFor();
  expect((await cluster.cli('auth', 'users')).code).toBe(6);
  const before = adminPassword;
  adminPassword = changed;
  await logInBoth();
  const byButton = await passwordEvent();

  const [current, next] = [join(dir, 'current'), join(dir, 'next')];
  writeFileSync(current, `${changed}\n`);
  writeFileSync(next, `${before}\n`);
  await cluster.cliOk(...line.split(' ').slice(1), '--password-file', current, '--new-password-file', next);
  expect((await cluster.cli('auth', 'users')).code).toBe(6);
  adminPassword = before;
  await logInBoth();
  expect(await passwordEvent()).toEqual(byButton);
});

test.each(['anna.b', 'x'.repeat(33), '-anna', 'anna b', 'anna$(x)'])('%j is no name, in the field already', async (name) => {
  for (const opener of ['Add a user …', 'Add a token …']) {
    await button(opener).click();
    await dialog().getByLabel('Name').fill(name);
    await dialog().getByText('A name is 1 to 32 letters, digits, dashes or underscores, and begins with no dash.').first().waitFor();
    expect(await dialog().locator('.dialog-foot .copy').count()).toBe(0);
    expect(await dialog().locator('.dialog-foot button').last().getAttribute('aria-disabled')).toBe('true');
    await browser.page.keyboard.press('Escape');
  }
  const token = { name, role: 'viewer' };
  const made = await Promise.all(
    [
      { path: '/users', body: { ...token, password: PASSWORD } },
      { path: '/tokens', body: token },
    ].map(({ path, body }) =>
      browser.page.evaluate(
        async ([target, text]) => {
          const { csrf } = (await (await fetch('/api/v1/session')).json()) as { csrf: string };
          const headers = { 'content-type': 'application/json', 'x-codis-csrf': csrf };
          return (await fetch(`/api/v1${target}`, { method: 'POST', headers, body: text! })).status;
        },
        [path, JSON.stringify(body)],
      ),
    ),
  );
  expect(made).toEqual([400, 400]);
});

test('what was typed and not sent is in no dialog any more', async () => {
  await button('Add a user …').click();
  await dialog().getByLabel('Name').fill('carla');
  await dialog().getByLabel('Password').fill('a secret of hers');
  await browser.page.keyboard.press('Escape');
  await button('Add a user …').click();
  expect(await dialog().getByLabel('Name').inputValue()).toBe('');
  expect(await dialog().getByLabel('Password').inputValue()).toBe('');
  await browser.page.keyboard.press('Escape');
});
