// Alerts wait before they fire and before they are over; what comes and goes is no news; and each rule sees its fault.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AlertNotes } from '@codis/config/operations';
import type { Condition } from '@codis/config/status';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type Alerts, advance, alertsView, isPending, news, QUIET_MS, tidings } from '../../src/alerts/machine.ts';
import { conditionsFor, type Facts, HOLD_MS } from '../../src/alerts/rules.ts';
import { alertmanagerBody, Webhook, webhookBody } from '../../src/alerts/webhook.ts';
import { point } from '../facts.ts';
import { FAULTS, facts, groups } from './faults.ts';

const DEMO = { product: 'demo', consoleUrl: 'http://c:1/c/demo' };

describe('each rule sees its fault', () => {
  test.each(FAULTS)('%s', (rule, seen) => {
    expect(conditionsFor(seen).map((condition) => condition.rule)).toEqual([rule]);
  });

  test('all of them are in this table, and none sees one where all is well', () => {
    expect(FAULTS.map(([rule]) => rule).sort()).toEqual(Object.keys(HOLD_MS).sort());
    expect(conditionsFor(facts())).toEqual([]);
  });

  test('memory becomes critical at nine tenths', () => {
    const at = (used: number) =>
      conditionsFor(facts({ status: groups(['m:1', 'master', { usedMemoryBytes: used, maxMemoryBytes: 100 }], ['r:1', 'replica']) }));
    expect([at(79), at(80), at(90)].map(([first]) => first?.severity)).toEqual([undefined, 'warning', 'problem']);
  });
});

const condition: Condition = {
  rule: 'no-replica',
  severity: 'warning',
  object: { kind: 'group', id: '1' },
  text: 'none',
  why: 'w',
  try: [],
};
const at = (ms: number) => ({ ms, at: new Date(ms).toISOString() });
const HOLD = HOLD_MS['no-replica'];

/** Looks at `[time, whether the condition holds]` one after the other. */
function run(looks: readonly (readonly [number, boolean])[]): Alerts {
  return looks.reduce<Alerts>((alerts, [ms, holds]) => advance(alerts, holds ? [condition] : [], at(ms)), new Map());
}
const stateOf = (alerts: Alerts, notes: AlertNotes = new Map(), now = 0) =>
  alertsView(alerts, notes, { now, evaluatedAt: null }).alerts.map(({ state }) => state);

describe('an alert', () => {
  test('is pending until its condition has held long enough, then fires', () => {
    expect(stateOf(run([[0, true]]))).toEqual(['pending']);
    expect(isPending(run([[0, true]]))).toBe(true);
    expect(
      stateOf(
        run([
          [0, true],
          [HOLD - 1, true],
        ]),
      ),
    ).toEqual(['pending']);
    expect(
      stateOf(
        run([
          [0, true],
          [HOLD, true],
        ]),
      ),
    ).toEqual(['firing']);
  });

  test('that comes and goes never fires, and one that fires does not flap', () => {
    expect(
      stateOf(
        run([
          [0, true],
          [HOLD - 1, false],
          [HOLD, true],
        ]),
      ),
    ).toEqual(['pending']);
    const firing = run([
      [0, true],
      [HOLD, true],
    ]);
    const gap = advance(firing, [], at(HOLD + QUIET_MS - 1));
    expect(stateOf(gap)).toEqual(['firing']);
    const back = advance(gap, [condition], at(HOLD + QUIET_MS));
    expect(news(gap, back)).toEqual({ fired: [], resolved: [] });
  });

  test('is over when its condition has been gone for a while, and is forgotten after an hour', () => {
    const firing = run([
      [0, true],
      [HOLD, true],
    ]);
    const over = advance(firing, [], at(HOLD + QUIET_MS));
    expect(stateOf(over)).toEqual(['resolved']);
    expect(news(firing, over).resolved).toHaveLength(1);
    expect(news(over, advance(over, [], at(HOLD + QUIET_MS + 1000))).resolved).toEqual([]);
    expect(stateOf(advance(over, [], at(HOLD + QUIET_MS + 3_600_000)))).toEqual([]);
    expect(stateOf(advance(over, [condition], at(HOLD + QUIET_MS + 1000)))).toEqual(['pending']);
  });

  test('is silent as long as somebody said, and acknowledged until it fires anew', () => {
    const firing = run([
      [0, true],
      [HOLD, true],
    ]);
    const id = 'no-replica:1';
    const none = { acknowledgedBy: null, acknowledgedAt: null, silencedUntil: null, notedAt: '' };
    const silent = new Map([[id, { ...none, silencedUntil: new Date(100_000).toISOString() }]]);
    expect(stateOf(firing, silent, 99_999)).toEqual(['silenced']);
    expect(stateOf(firing, silent, 100_000)).toEqual(['firing']);
    const acknowledged = (ms: number) => new Map([[id, { ...none, acknowledgedBy: 'anna', acknowledgedAt: new Date(ms).toISOString() }]]);
    expect(stateOf(firing, acknowledged(HOLD + 1))).toEqual(['acknowledged']);
    expect(stateOf(firing, acknowledged(HOLD - 1))).toEqual(['firing']);
  });

  test('keeps its numbers up to date while it fires', () => {
    const later = advance(
      run([
        [0, true],
        [HOLD, true],
      ]),
      [{ ...condition, text: 'still none' }],
      at(HOLD + 1),
    );
    expect(alertsView(later, new Map(), { now: 0, evaluatedAt: null }).alerts).toMatchObject([
      { text: 'still none', state: 'firing', since: at(0).at },
    ]);
  });
});

describe('in ten minutes of looking every two seconds', () => {
  /** How often each alert began to fire. */
  function firings(seen: (second: number) => Facts): Record<string, number> {
    const counts: Record<string, number> = {};
    let alerts: Alerts = new Map();
    for (let second = 0; second < 600; second += 2) {
      const next = advance(alerts, conditionsFor(seen(second)), at(second * 1000));
      for (const { id } of news(alerts, next).fired) counts[id] = (counts[id] ?? 0) + 1;
      alerts = next;
    }
    return counts;
  }

  test('a steady cluster, whose numbers are never quite the same, has no alert', () => {
    const steady = (second: number) =>
      facts({
        status: groups(
          ['m:1', 'master', { usedMemoryBytes: 70 + (second % 7), maxMemoryBytes: 100 }],
          ['r:1', 'replica', { lagBytes: (second * 7919) % 2_000_000 }],
        ),
        point: point({ p99Ms: second % 30 === 0 ? 250 : 3, errorsPerSecond: second % 14 === 0 ? 150 : 0 }),
        skews: new Map([['m:1', second % 10 === 0 ? 2500 : 3]]),
      });
    expect(firings(steady)).toEqual({});
  });

  test.each([20, 60, 110])('numbers that swing round their limits every %i s fire once at most', (period) => {
    const over = (second: number) => second % period < period / 2;
    const swinging = (second: number) =>
      facts({
        status: groups(
          ['m:1', 'master', { usedMemoryBytes: over(second) ? 82 : 78, maxMemoryBytes: 100 }],
          ['r:1', 'replica', { lagBytes: over(second) ? 20_000_000 : 9 }],
        ),
        point: point({ p99Ms: over(second) ? 210 : 190, errorsPerSecond: over(second) ? 120 : 80 }),
        skews: new Map([['m:1', over(second) ? 2100 : 1900]]),
      });
    for (const [id, count] of Object.entries(firings(swinging))) expect([id, count]).toEqual([id, 1]);
  });
});

describe('who wants to be told', () => {
  const firing = run([
    [0, true],
    [HOLD, true],
  ]);
  const over = advance(firing, [], at(HOLD + QUIET_MS));
  const loud = () => false;
  const silent = () => true;
  const ids = ({ fresh, over: ended }: ReturnType<typeof tidings>) => [fresh.map(({ id }) => id), ended.map(({ id }) => id)];

  test('is told once that one fires, and once that it is over', () => {
    const first = tidings(new Set(), firing, loud);
    expect(ids(first)).toEqual([['no-replica:1'], []]);
    const second = tidings(first.told, firing, loud);
    expect(ids(second)).toEqual([[], []]);
    const third = tidings(second.told, over, loud);
    expect(ids(third)).toEqual([[], ['no-replica:1']]);
    expect(ids(tidings(third.told, over, loud))).toEqual([[], []]);
  });

  test('hears nothing of one that is silent, until its silence ends', () => {
    const first = tidings(new Set(), firing, silent);
    expect(ids(first)).toEqual([[], []]);
    expect(ids(tidings(first.told, over, silent))).toEqual([[], []]);
    expect(ids(tidings(first.told, firing, loud))).toEqual([['no-replica:1'], []]);
  });

  test('hears that one is over of which he was told before it was silenced', () => {
    const { told } = tidings(new Set(), firing, loud);
    expect(ids(tidings(tidings(told, firing, silent).told, over, silent))).toEqual([[], ['no-replica:1']]);
  });

  test('hears nothing of one that is only pending', () => {
    expect(ids(tidings(new Set(), run([[0, true]]), loud))).toEqual([[], []]);
  });
});

test('what a webhook does not take is sent again, in order', async () => {
  const got: string[] = [];
  let refusals = 1;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      response.statusCode = refusals-- > 0 ? 500 : 200;
      if (response.statusCode === 200) got.push((JSON.parse(body) as { status: string }).status);
      response.end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const webhook = new Webhook({ url: `http://127.0.0.1:${port}/`, ...DEMO, log: pino({ level: 'silent' }), retryMs: 10 });
  const firing = run([
    [0, true],
    [HOLD, true],
  ]);
  webhook.send([...firing.values()]);
  webhook.send([...advance(firing, [], at(HOLD + QUIET_MS)).values()]);
  await eventually(() => got.length === 2, { what: 'both to arrive' });
  expect(got).toEqual(['firing', 'resolved']);
  webhook.close();
  server.close();
});

test('a webhook gets what Alertmanager would send', () => {
  const alerts = [
    ...run([
      [0, true],
      [HOLD, true],
    ]).values(),
  ];
  expect(webhookBody(alerts, DEMO)).toMatchObject({
    version: '4',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'no-replica', product: 'demo', severity: 'warning', object: 'group 1' },
        startsAt: at(0).at,
        fingerprint: 'no-replica:1',
        generatorURL: 'http://c:1/c/demo/alerts/no-replica%3A1',
      },
    ],
  });
});

test('an Alertmanager gets what a Prometheus would send, and is told again, for it forgets', () => {
  const firing = run([
    [0, true],
    [HOLD, true],
  ]);
  const over = advance(firing, [], at(HOLD + QUIET_MS));
  const labels = { alertname: 'no-replica', product: 'demo', severity: 'warning', object: 'group 1' };
  const [alert] = alertmanagerBody([...firing.values()], DEMO);
  expect(alert).toMatchObject({ labels, annotations: { summary: 'none', description: 'w' }, startsAt: at(0).at });
  expect(alert).not.toHaveProperty('endsAt');
  expect(alertmanagerBody([...over.values()], DEMO)).toMatchObject([{ labels, endsAt: at(HOLD + QUIET_MS).at }]);
  const forgets = (url: string) => new Webhook({ url, ...DEMO, log: pino({ level: 'silent' }) }).forgets;
  expect(forgets('http://am.example:9093/api/v2/alerts')).toBe(true);
  expect(forgets('http://hooks.example/alerts')).toBe(false);
});
