// Goal: from an empty dashboard to a cluster that serves, in at most 8 clicks and one paste.
// Method: a real dashboard without anything, four Redis servers, of which two replicate; a browser; every click is counted.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, freePort, stopAll } from '../harness/process.ts';
import { openBrowser, type TestBrowser, violations } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

/** What is said where nothing is yet, and the command that brings something there. */
const PAGES: readonly (readonly [path: string, text: string, command: string | null])[] = [
  ['', 'Four steps to a cluster', null],
  ['slots', 'There is no slot table yet', 'codis-config slot init'],
  ['migrations', 'No slot has been moved yet', 'codis-config plan rebalance'],
  ['migrations/new', 'there is nothing to move', 'codis-config slot init'],
  ['groups', 'No group yet. A group is a master and its replicas', 'codis-config server add 1 127.0.0.1:6379 master'],
  ['proxies', 'No proxy is registered, so no client can connect', 'npx codis-proxy'],
  ['keys', 'Keys are met when the servers are looked through', 'codis-config key big'],
  ['slowlog', 'no slot table yet', 'codis-config slot init'],
  ['events', 'Nothing has been changed yet', 'codis-config events'],
  ['alerts', 'Alerts come here by themselves', 'codis-config alerts'],
  ['settings', 'About', null],
];

let cluster: Cluster;
let browser: TestBrowser;
let at: (path: string) => string;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ bare: true, groups: 2, replicas: 1 }), openBrowser()]);
  at = (path) => `http://127.0.0.1:${cluster.dashboardPort}${path}`;
  for (const [master, replica] of cluster.servers) await replica!.client().replicaof('127.0.0.1', master!.port);
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

test('an empty dashboard says on every page what belongs there, and axe finds nothing', async () => {
  const { page } = browser;
  for (const [path, text, command] of PAGES) {
    await page.goto(at(`/c/test/${path}`));
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.getByText('live', { exact: true }).waitFor();
    expect(await violations(page), path).toEqual([]);
    expect(await page.getByRole('heading', { level: 1 }).count(), path).toBe(1);
    const main = page.locator('main');
    await main.getByText(text).first().waitFor();
    if (command !== null) await main.getByText(command).first().waitFor();
  }
});

describe('the first cluster', () => {
  test('takes at most 8 clicks and one paste', async () => {
    const { page } = browser;
    let clicks = 0;
    const click = (name: string | RegExp) => {
      clicks++;
      return page.getByRole('button', { name }).click();
    };
    await page.goto(at('/'));
    await page.waitForURL('**/c/test/');
    await page.getByText('Four steps to a cluster').waitFor();
    clicks++;
    await page.getByLabel('Addresses of masters and replicas').click();
    await page.keyboard.insertText(
      cluster.servers
        .flat()
        .map(({ addr }) => addr)
        .join('\n'),
    );
    await click('Look at the servers');
    await page.getByText('about 512 slots').first().waitFor();
    await page.getByText('codis-config slot init && codis-config server add 1 ').waitFor();
    await click('Make the cluster');
    await page.getByText('npx codis-proxy').waitFor();
    const proxy = await cluster.startProxy('proxy_1');
    await page.getByText('It serves. Any Redis client can use it:').waitFor();
    await page.getByText('Healthy', { exact: true }).waitFor();
    // What was made is tried at once: a key goes there and back, and is gone again.
    await page.getByText('it serves', { exact: true }).waitFor();
    for (const [sent, reply] of [
      [/^SET codis:try:\w+ hello PX 10000$/, 'OK'],
      [/^GET codis:try:\w+$/, 'hello'],
      [/^DEL codis:try:\w+$/, '1'],
    ] as const) {
      const step = page.getByRole('listitem').filter({ has: page.getByText(sent) });
      expect(await step.textContent()).toContain(`→ ${reply} (`);
    }
    await page.getByText('codis-config proxy try proxy_1', { exact: true }).waitFor();
    expect(clicks).toBeLessThanOrEqual(8);
    await click('SET hello via proxy_1');
    await page.getByText('it serves', { exact: true }).waitFor();
    expect(clicks).toBeLessThanOrEqual(8);
    const client = proxy.client();
    expect(await client.set('hello', 'world')).toBe('OK');
    expect(await page.title()).toBe('Overview · test');
  });

  test('refuses what is no address in the field, with a sentence', async () => {
    const { page } = browser;
    await page.goto(at('/c/test/groups'));
    await page.getByRole('button', { name: 'Add a group …' }).click();
    await page.getByLabel('Address').fill('localhost');
    await page.getByText('“localhost” is not an address: write host:port').first().waitFor();
    expect(await page.getByRole('button', { name: 'Look at it' }).getAttribute('aria-disabled')).toBe('true');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // The browser gives it back a moment after the dialog is gone.
    await eventually(async () => (await page.evaluate(() => document.activeElement?.textContent)) === 'Add a group …', {
      what: 'the focus',
    });
    expect(browser.errors).toEqual([]);
  });

  test('takes a further server as a replica, and none that it has already', async () => {
    const { page } = browser;
    await page.getByRole('button', { name: 'Add a server … (group 1)' }).click();
    await page.getByText('is attached as its replica').waitFor();
    await page.getByLabel('Address').fill(cluster.servers[1]![0]!.addr);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('It is in group 2 already.').first().waitFor();
    expect(await page.getByRole('button', { name: 'Add a server to group 1' }).getAttribute('aria-disabled')).toBe('true');
    await page.keyboard.press('Escape');
    // A refusal is known before one confirms.
    await page.getByRole('button', { name: `Remove …: Remove ${cluster.servers[0]![0]!.addr}` }).click();
    await page
      .getByRole('dialog')
      .getByText(/It would be refused/)
      .first()
      .waitFor();
    await page.keyboard.press('Escape');
    expect(browser.errors).toEqual([]);
  });

  test('keeps what failed, with why and when, where it was tried', async () => {
    const { page } = browser;
    const gone = `127.0.0.1:${await freePort()}`;
    const answer = await fetch(at('/api/v1/groups/1/servers'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-codis-actor': 'anna' },
      body: JSON.stringify({ addr: gone, role: 'replica' }),
    });
    expect(answer.status).toBe(502);
    await page.goto(at('/c/test/groups/1'));
    const card = page.getByRole('region', { name: 'Group 1', exact: true });
    await card.getByText(`${gone} can't be reached`).waitFor();
    await card.getByText('Tried by anna@127.0.0.1').waitFor();
    await card.getByRole('link', { name: /^event \d+$/ }).click();
    await page.getByText('POST /api/v1/groups/1/servers').waitFor();
  });
});
