// Goal: whoever copies a command line out of the console gets what its button does: the same audit event, with the same words.
// Method: each dialog is opened and confirmed in a browser whose changes never reach the dashboard; what it would have sent is sent as a dry run, and so is its command line.
// Whether the two leave the same is decided by what the dashboard says it would write down.

import { execFileSync } from 'node:child_process';
import type { AlertsView, DryRunView, GroupStatusView, StatusView } from '@codis/config/api';
import type { Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually, stopAll } from '../harness/process.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { confirmed, openBrowser, type TestBrowser } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 60_000 });

const ALERT = 'proxy-lost:proxy_2';

interface Asked {
  readonly method: string;
  /** Behind /api/v1. */
  readonly path: string;
  readonly body: string | null;
}

let cluster: Cluster;
let browser: TestBrowser;
let spare: RedisServer;
/** What the console would have changed since the last look. */
let asked: Asked[] = [];

const api = async <View>(path: string): Promise<View> =>
  (await (await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`)).json()) as View;

beforeAll(async () => {
  [cluster, browser, spare] = await Promise.all([startCluster({ groups: 2, replicas: 1, proxies: 2 }), openBrowser(), startRedis()]);
  const client = cluster.proxies[0]!.client();
  await Promise.all(Array.from({ length: 5000 }, (_, index) => client.set(`key:${index}`, 'x')));
  await cluster.cliOk('slot', 'migrate', '0', '49', '2', '--keys-per-second', '1');
  await cluster.cliOk('slot', 'migrate', '50', '99', '2', '--keys-per-second', '1');
  await cluster.cliOk('migration', 'pause', '2');
  await cluster.cliOk('server', 'add-group', '7');
  await cluster.proxies[1]!.child.stop('SIGKILL');
  await cluster.servers[1]![1]!.client().replicaof('NO', 'ONE');
  await eventually(async () => (await api<AlertsView>('/alerts')).alerts.some(({ id, state }) => id === ALERT && state === 'firing'), {
    what: 'the alert',
    everyMs: 200,
  });
  const isStray = async () => {
    const stray = await strayOf(2);
    return stray?.observedRole === 'master' && (stray.keysCount ?? 0) > 0;
  };
  await eventually(isStray, { what: 'the replica to be seen as a master with keys', everyMs: 200 });
  await withholdChanges();
}, 90_000);

afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

async function strayOf(group: number): Promise<GroupStatusView['servers'][number] | undefined> {
  const { groups } = await api<StatusView>('/status');
  return groups.find(({ id }) => id === group)?.servers.find(({ role }) => role === 'replica');
}

/** Changes are noted and answered as if they had been made; questions and dry runs go through. */
async function withholdChanges(): Promise<void> {
  await browser.page.route('**/api/v1/**', async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const path = `${pathname.replace('/api/v1', '')}${search}`;
    if (request.method() === 'GET' || search.includes('dryRun=true') || pathname.endsWith('/servers/probe')) return route.continue();
    asked.push({ method: request.method(), path, body: request.postData() });
    return route.fulfill({ status: 200, contentType: 'application/json', body: '{"notes":[],"steps":[],"migration":null}' });
  });
}

async function open(path: string): Promise<void> {
  await browser.page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/${path}`);
  await browser.page.getByText('live', { exact: true }).waitFor();
}

const button = (name: string | RegExp) => browser.page.getByRole('button', { name }).first();
const dialog = () => browser.page.getByRole('dialog');

/** As a shell takes it apart. */
const words = (line: string) =>
  execFileSync('sh', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(0, -1);

async function wouldByCall({ method, path, body }: Asked): Promise<DryRunView['would']> {
  const url = new URL(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`);
  url.searchParams.set('dryRun', 'true');
  const headers = { 'x-codis-actor': 'parity', ...(body === null ? {} : { 'content-type': 'application/json' }) };
  const answer = (await (await fetch(url, { method, headers, body })).json()) as DryRunView & { detail?: string };
  expect(answer.detail).toBeUndefined();
  return answer.would;
}

async function wouldByLine(line: string): Promise<DryRunView['would']> {
  const [program, ...args] = words(line);
  expect(program).toBe('codis-config');
  return (JSON.parse(await cluster.cliOk(...args, '--dry-run', '-o', 'json')) as DryRunView).would;
}

/** Who acknowledges, and until when it is silent, is another each time. */
const alike = (would: DryRunView['would']) =>
  would.map(({ action, object, epoch, before, after }) => ({
    action,
    object,
    epoch,
    before,
    after: action.startsWith('alert.') ? after?.split(' ')[0] : after,
  }));

/** What is done in the browser, which ends in a line that was offered. */
type Doing = () => Promise<string>;

const ACTIONS: readonly (readonly [name: string, action: string, doing: Doing])[] = [
  [
    'adding a server to a new group',
    'server.add',
    async () => {
      await open('groups');
      await button(/^Add a group …/).click();
      await lookAt(spare.addr);
      return confirmed(browser.page);
    },
  ],
  [
    'adding a replica',
    'server.add',
    async () => {
      await open('groups');
      await button('Add a server … (group 1)').click();
      await lookAt(spare.addr);
      return confirmed(browser.page);
    },
  ],
  [
    'adding a replica and saying where it stands',
    'server.add',
    async () => {
      await open('groups');
      await button('Add a server … (group 1)').click();
      await lookAt(spare.addr);
      const zone = dialog().getByLabel('Zone', { exact: true });
      await zone.fill('no zone');
      await dialog().getByText('Write 1 to 32 letters, digits, dots, dashes or underscores, and not none.').first().waitFor();
      expect(await dialog().locator('.dialog-foot .copy').count()).toBe(0);
      expect(await dialog().locator('.dialog-foot button').last().getAttribute('aria-disabled')).toBe('true');
      await zone.fill(' az2 ');
      const line = await confirmed(browser.page);
      expect(line).toMatch(/ replica --zone az2$/);
      expect(JSON.parse(asked[0]!.body ?? '')).toMatchObject({ addr: spare.addr, role: 'replica', zone: 'az2' });
      return line;
    },
  ],
  [
    'promoting a server',
    'server.promote',
    async () => {
      await open('groups/1');
      await button(/^Promote …/).click();
      await dialog().getByText('can take over').waitFor();
      return confirmed(browser.page);
    },
  ],
  [
    'having a server follow its master',
    'server.replicate',
    async () => {
      await open('groups/2');
      await button(/^Follow the master …/).click();
      await dialog()
        .getByLabel(/^To confirm, type/)
        .fill(cluster.servers[1]![1]!.addr);
      return confirmed(browser.page);
    },
  ],
  [
    'saying where a server stands',
    'server.set',
    async () => {
      await open('groups/1');
      await button(`Zone of ${cluster.servers[0]![1]!.addr} …`).click();
      await dialog().getByLabel('Zone', { exact: true }).fill('az1');
      return confirmed(browser.page);
    },
  ],
  [
    'switching off the reads from a replica',
    'server.set',
    async () => {
      await open('groups/1');
      const reads = browser.page.getByRole('switch', { name: `Clients’ READONLY reads from ${cluster.servers[0]![1]!.addr}` });
      expect(await reads.getAttribute('aria-checked')).toBe('true');
      await reads.click();
      return confirmed(browser.page);
    },
  ],
  ['removing a server', 'server.remove', () => confirmedAt('groups/1', `Remove …: Remove ${cluster.servers[0]![1]!.addr}`)],
  ['removing a group', 'group.remove', () => confirmedAt('groups/7', 'Remove …: Remove group 7')],
  [
    'planning to drain a group',
    'plan.create',
    async () => {
      await open('groups/2');
      await button('Drain group 2').click();
      return planned();
    },
  ],
  [
    'planning to move a slot',
    'plan.create',
    async () => {
      await open('slots/700');
      await button('Move slot 700…').click();
      await button('Next: where to').click();
      await browser.page.getByLabel(/group 1/).check();
      return planned();
    },
  ],
  [
    'planning a rebalance by keys with weights',
    'plan.create',
    async () => {
      await open('migrations/new');
      await browser.page.getByLabel(/^Rebalance/).check();
      await button('Next: where to').click();
      await browser.page.getByLabel('Make even').selectOption('keys');
      await browser.page.getByLabel('group 2').fill('2');
      return planned();
    },
  ],
  [
    'carrying out a plan',
    'plan.apply',
    async () => {
      await cluster.cliOk('plan', 'move', '1000', '1003', '1');
      await open('migrations/plan/1');
      await browser.page.getByLabel('Keys, at most').fill('20');
      await browser.page.getByLabel('Memory, at most').fill('3');
      await browser.page.getByLabel(/^Durable/).check();
      await browser.page.getByLabel(/^Why/).fill("anna's test");
      await button('Move 4 slots').click();
      return confirmed(browser.page);
    },
  ],
  ['pausing a migration', 'migration.pause', () => confirmedAt('migrations/1', 'Pause …: Pause migration 1')],
  ['resuming a migration', 'migration.resume', () => confirmedAt('migrations/2', 'Resume …: Resume migration 2')],
  ['cancelling a migration', 'migration.cancel', () => confirmedAt('migrations/1', /: Cancel migration 1$/)],
  [
    'setting limits',
    'migration.throttle',
    async () => {
      await open('migrations/1');
      await browser.page.getByLabel('Keys, at most').fill('77');
      await browser.page.getByLabel('Pause between batches').fill('5');
      const line = await browser.page.locator('.copy code').getByText('migration throttle 1').textContent();
      await button('Set the limits').click();
      await eventually(() => asked.length === 1, { what: 'it to be asked for' });
      return line ?? '';
    },
  ],
  [
    'draining a proxy',
    'proxy.offline',
    async () => {
      await open('proxies');
      await button('Drain …: Drain proxy_1').click();
      await dialog().getByLabel('Clients may go on for').fill('9');
      return confirmed(browser.page);
    },
  ],
  ['taking a proxy offline', 'proxy.offline', () => confirmedAt('proxies', 'Take offline …: Take proxy_1 offline')],
  [
    'trying a proxy',
    'proxy.try',
    async () => {
      await open('proxies/proxy_1');
      const line = await browser.page.locator('.copy code').getByText('proxy try proxy_1').textContent();
      await button('SET hello via proxy_1').click();
      await eventually(() => asked.length === 1, { what: 'it to be asked for' });
      return line ?? '';
    },
  ],
  ['removing a proxy', 'proxy.remove', () => confirmedAt('proxies', 'Remove …: Remove proxy_2')],
  ['acknowledging an alert', 'alert.acknowledge', async () => confirmedIn(await alertItem(), 'Acknowledge')],
  ['silencing an alert', 'alert.silence', async () => confirmedIn(await alertItem(), /^Silence …/)],
];

async function lookAt(addr: string): Promise<void> {
  await dialog().getByLabel('Address').fill(addr);
  await dialog().getByRole('button', { name: 'Look at it' }).click();
  await dialog().getByText('can be used').waitFor();
}

async function confirmedAt(path: string, name: string | RegExp): Promise<string> {
  await open(path);
  await button(name).click();
  return confirmed(browser.page);
}

async function alertItem(): Promise<Locator> {
  await open('alerts');
  return browser.page.getByRole('listitem').filter({ hasText: 'Proxy proxy_2 is lost' }).first();
}

async function confirmedIn(place: Locator, name: string | RegExp): Promise<string> {
  await place.getByRole('button', { name }).first().click();
  return confirmed(browser.page);
}

/** Asks for the plan of the wizard. */
async function planned(): Promise<string> {
  const line = await browser.page.locator('form.wizard .copy code').textContent();
  await button('Review the plan').click();
  await eventually(() => asked.length === 1, { what: 'the plan to be asked for' });
  return line ?? '';
}

test.each(ACTIONS)('%s (%s) by its button and by its command line is the same event', async (_, action, doing) => {
  asked = [];
  const line = await doing();
  expect(asked, line).toHaveLength(1);
  const [byCall, byLine] = [await wouldByCall(asked[0]!), await wouldByLine(line)];
  expect(byCall.map((would) => would.action)).toEqual([action]);
  expect(alike(byLine), line).toEqual(alike(byCall));
});

test('nothing was changed by all that, and the page met no error', async () => {
  const { migrations } = await api<{ migrations: { state: string }[] }>('/migrations');
  expect(migrations.map(({ state }) => state)).toEqual(['running', 'paused']);
  expect(browser.errors).toEqual([]);
});
