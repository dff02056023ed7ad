// Goal: what clients, keys and people are called is shown as what it is, wherever it stands: never as HTML, nor so that it turns a line round or hides.
// Method: the real console against an API every text of which is as hostile as a name can be.

import type { AlertView, BigKeysView, EventsView, MigrationView, PlanView, SlowLogView } from '@codis/config/api';
import { NOTHING_SWEPT, UNTHROTTLED } from '@codis/config/model';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openBrowser, type TestBrowser } from './browser.ts';
import { type FakeApi, largeCluster, startFakeApi } from './fake-api.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 60_000 });

const AT = '2026-01-01T00:00:00.000Z';
const NAME = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>\u202e\u0007{{1}}';
/** As the API writes a key. */
const KEY = JSON.stringify(NAME);
const SHOWN = /<img src=x onerror=.*<script>.*\\u\{202e\}/;

const event = {
  seq: 7,
  at: AT,
  actor: NAME,
  via: 'claimed',
  ip: '127.0.0.1',
  action: 'slot.assign',
  object: NAME,
  before: NAME,
  after: NAME,
  epoch: 1,
  result: 'failed',
  detail: NAME,
  migration: null,
  plan: null,
} as const;
const events: EventsView = { events: [event], older: null };
const slowlog: SlowLogView = {
  entries: [
    {
      source: 'proxy',
      where: 'proxy_1',
      id: 1,
      at: AT,
      micros: 12_000,
      split: { proxy: 1, held: 0, server: 11_999 },
      command: 'get',
      args: [KEY],
      key: KEY,
      slot: 5,
      group: 1,
      client: NAME,
      migration: 3,
    },
  ],
  notes: [NAME],
};
const big: BigKeysView = { at: AT, keys: [{ key: KEY, slot: 5, group: 1, db: 0, bytes: 5000 }], basis: [NAME] };
const plan: PlanView = {
  id: 1,
  state: 'pending',
  goal: 'move slot 5 to group 2',
  request: { kind: 'move', moves: [{ first: 5, last: 5, to: 2 }] },
  epoch: 1,
  slotsCount: 1,
  keysCount: 1,
  bytes: 1,
  durationMs: 1,
  migration: null,
  actor: NAME,
  createdAt: AT,
  moves: [{ first: 5, last: 5, from: 1, to: 2, keysCount: 1, bytes: 1 }],
  groups: [],
  balance: { before: 50, after: 100 },
  biggestKeys: [{ key: KEY, slot: 5, db: 0, bytes: 5000, inPieces: false, blockingMs: 1 }],
  warnings: [NAME],
  basis: [NAME],
};
const alert: AlertView = {
  id: 'no-replica:1',
  rule: 'no-replica',
  severity: 'warning',
  state: 'acknowledged',
  object: { kind: 'group', id: '1' },
  text: NAME,
  why: NAME,
  try: [{ label: NAME, cli: NAME, api: null }],
  since: AT,
  firedAt: AT,
  resolvedAt: null,
  acknowledgedBy: NAME,
  silencedUntil: null,
};
const migration: MigrationView = {
  id: 3,
  state: 'running',
  moves: [{ first: 5, last: 5, to: 2 }],
  throttle: UNTHROTTLED,
  durable: false,
  ...NOTHING_SWEPT,
  slotsTotal: 1,
  verified: null,
  takesBack: null,
  takenBackBy: null,
  waiting: NAME,
  resumesAt: null,
  stalled: null,
  actor: NAME,
  comment: NAME,
  createdAt: AT,
  endedAt: null,
};

const ANSWERS: readonly (readonly [path: string, answer: object])[] = [
  ['/events/7', event],
  ['/events', events],
  ['/slowlog', slowlog],
  ['/keys/big', big],
  ['/plans/1', plan],
  ['/plans', { plans: [] }],
  ['/migrations/3/slots', { id: 3, epoch: 1, slots: [] }],
];

let api: FakeApi;
let browser: TestBrowser;

beforeAll(async () => {
  const cluster = largeCluster({ groups: 2, proxies: 1 });
  const cause = { severity: 'problem', text: NAME, object: { kind: 'group', id: '1' }, since: AT, try: alert.try } as const;
  const status = { ...cluster.status, verdict: 'degraded' as const, summary: `Degraded: ${NAME}`, causes: [cause] };
  [api, browser] = await Promise.all([
    startFakeApi({ ...cluster, status, migrations: [migration], alerts: { alerts: [alert], evaluatedAt: AT } }),
    openBrowser(),
  ]);
  for (const [path, answer] of ANSWERS.toReversed()) {
    await browser.page.route(
      (url) => url.pathname === `/api/v1${path}`,
      (route) => route.fulfill({ status: 200, contentType: 'application/json', body: JSON.stringify(answer) }),
    );
  }
});
afterAll(async () => {
  await browser?.close();
  await api?.close();
});

test.each([['events'], ['events/7'], ['slowlog'], ['keys'], ['migrations/plan/1'], ['migrations'], ['migrations/3'], ['alerts'], ['']])(
  'on the page “%s”',
  async (path) => {
    const { page } = browser;
    await page.goto(`${api.url}/c/large/${path}`);
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('main').getByText('<img src=x').first().waitFor();
    const text = (await page.locator('main').textContent()) ?? '';
    expect(text).toMatch(SHOWN);
    // Nothing that turns a line round, rings, or hides.
    expect(text.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu)).toBeNull();
    expect(await page.locator('main :is(img, script)').count()).toBe(0);
    expect(await page.title()).not.toContain('taken');
    expect(browser.errors).toEqual([]);
  },
);
