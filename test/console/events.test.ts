// Goal: every event that is kept can be come to in the console: page after page, with the filter that was set, and by its own address.
// Method: a log of more events than the console asks for at once, one of the oldest by somebody of its own.

import { eventPath, openCoordinator } from '@codis/config/coordinator';
import { loadSettings } from '@codis/config/settings';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { stopAll } from '../harness/process.ts';
import { faults, openBrowser, type TestBrowser } from './browser.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

const LAST = 2500;
const SOUGHT = 7;
const AT_ONCE = 100;

let cluster: Cluster;
let browser: TestBrowser;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([startCluster({ groups: 1 }), openBrowser()]);
  await writeEvents(LAST);
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await stopAll();
});

/** From behind what is there, up to `last`. */
async function writeEvents(last: number): Promise<void> {
  const coordinator = openCoordinator(loadSettings({ file: cluster.configFile }).settings);
  await coordinator.ready(10_000);
  try {
    const known = Number((await coordinator.list('events')).at(-1) ?? 0);
    expect(known < SOUGHT || known > LAST).toBe(true);
    for (let first = known + 1; first <= last; first += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, last - first + 1) }, (_, index) => first + index);
      const result = await coordinator.commit(
        numbers.map((seq) => ({ op: 'create' as const, path: eventPath(seq), data: Buffer.from(JSON.stringify(eventOf(seq))) })),
      );
      expect(result).toMatchObject({ ok: true });
    }
  } finally {
    await coordinator.close();
  }
}

function eventOf(seq: number) {
  const actor = seq === SOUGHT ? 'zoe@10.0.0.9' : 'anna@10.0.0.1';
  const change = { action: 'slot.assign', object: `slot ${seq % 1024} → group 1`, epoch: null, before: 'offline', after: 'group 1' };
  return { id: `e${seq}`, actor, via: 'user', ip: '10.0.0.1', at: '2026-01-01T00:00:00.000Z', ...change };
}

const open = (path: string) => browser.page.goto(`http://127.0.0.1:${cluster.dashboardPort}/c/test/${path}`);
const older = () => browser.page.getByRole('button', { name: 'Older events' });
const linkTo = (seq: number) => browser.page.getByRole('link', { name: String(seq), exact: true });

test('older events come page by page, with the filter that is set, until all are there', async () => {
  const { page } = browser;
  await open('events');
  await page.getByText('1000 of 1000', { exact: true }).waitFor();
  await page.getByLabel('Who, what or on what').fill('zoe');
  await page.getByText('0 of 1000', { exact: true }).waitFor();
  expect(await faults(page)).toEqual([]);
  await older().click();
  await page.getByText('0 of 2000', { exact: true }).waitFor();
  await older().click();
  await page.getByText(`1 of ${LAST}`, { exact: true }).waitFor();
  await linkTo(SOUGHT).waitFor();
  expect(await older().count()).toBe(0);
  expect(new URL(page.url()).searchParams.get('q')).toBe('zoe');
});

test('what happens meanwhile comes on top of all that is there', async () => {
  const { page } = browser;
  // Rows that are pointed at keep their places.
  await page.mouse.move(5, 5);
  await page.getByLabel('Who, what or on what').fill('');
  await cluster.cliOk('server', 'add-group', '9');
  await page.getByText(`${LAST + 1} of ${LAST + 1}`, { exact: true }).waitFor();
  await page.getByText('group 9', { exact: true }).first().waitFor();
  expect(await older().count()).toBe(0);
});

test('an old event has an address of its own, from the list and by itself', async () => {
  const { page } = browser;
  await page.getByLabel('Who, what or on what').fill('zoe');
  await linkTo(SOUGHT).click();
  await page.getByRole('heading', { name: `Event ${SOUGHT}` }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/c/test/events/${SOUGHT}`);
  await open(`events/${SOUGHT}`);
  await page.getByRole('cell', { name: 'zoe@10.0.0.9' }).waitFor();
  expect(browser.errors).toEqual([]);
});

test('the button is reached by keyboard, and says why nothing comes when the dashboard can’t give more', async () => {
  const { page } = browser;
  await open('events?q=zoe');
  await page.getByText('0 of 1000', { exact: true }).waitFor();
  await page.route('**/api/v1/events?**before=**', (route) => route.abort());
  await older().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('The dashboard does not answer.').waitFor();
  await page.unroute('**/api/v1/events?**before=**');
  await page.keyboard.press('Enter');
  await page.getByText('0 of 2000', { exact: true }).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('the command line goes on where it ended too', async () => {
  const first = await cluster.cli('events', '--limit', '10');
  const [, before] = /^note: there are older ones: say the same with --before (\d+)$/m.exec(first.stderr) ?? [];
  expect(before).toBe(String(LAST + 1 - 9));
  const names = (await cluster.cliOk('events', '--limit', '2', '--before', before!, '-o', 'name')).trim().split('\n');
  expect(names).toEqual([String(Number(before) - 1), String(Number(before) - 2)]);
});

test('when more came at once than is asked for, the list begins anew: none is left out', async () => {
  const { page } = browser;
  const settled = page.waitForResponse((answer) => answer.url().includes(`since=${LAST + 1}`));
  await open('events');
  await page.getByText('1000 of 1000', { exact: true }).waitFor();
  await older().click();
  await page.getByText('2000 of 2000', { exact: true }).waitFor();
  await page.mouse.move(5, 5);
  await settled;
  let release = (): void => undefined;
  const written = new Promise<void>((done) => {
    release = done;
  });
  // The page may ask while they are written: then it is answered afterwards.
  await page.route('**/api/v1/events?**since=**', async (route) => {
    await written;
    await route.continue();
  });
  await writeEvents(LAST + 1200);
  release();
  await cluster.cliOk('server', 'add-group', '8');
  await page.getByText('group 8', { exact: true }).first().waitFor();
  await page.getByText('1000 of 1000', { exact: true }).waitFor();
  await older().click();
  await page.getByText('2000 of 2000', { exact: true }).waitFor();
  await page.getByLabel('Who, what or on what').fill(`slot ${(LAST + 50) % 1024} `);
  await linkTo(LAST + 50).waitFor();
});
