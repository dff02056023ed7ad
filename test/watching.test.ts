// Goal: whoever watches a cluster over the dashboard's API is told what is there and what changes, in the same words everywhere, and at rest next to nothing.
// Method: one cluster of real programs, a stream of events kept open, and things that happen to the cluster.

import { get as httpGet, type IncomingMessage } from 'node:http';
import type {
  AlertsView,
  ExplainView,
  HistoryView,
  LiveEventName,
  LiveMarkersView,
  LiveSnapshotView,
  LiveStatsView,
  LiveStatusView,
  LiveTopologyView,
  ProxyDetailView,
  ProxyEntryView,
  SlotHistoryView,
  SlotStatsView,
  SlowLogView,
  StatusView,
} from '@codis/config/api';
import { type Slot, slotOf } from '@codis/config/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

let cluster: Cluster;
let stream: Stream;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2, groups: 2, replicas: 1, settings: { workers: 2, slowlog_log_slower_than: 0 } });
  stream = await openStream();
});
afterAll(async () => {
  stream.close();
  await cluster.stop();
  await stopAll();
});

interface Heard {
  readonly name: LiveEventName;
  readonly data: unknown;
}

interface Stream {
  readonly heard: Heard[];
  /** Bytes since the beginning. */
  bytes: number;
  ended: boolean;
  close(): void;
}

function openStream(): Promise<Stream> {
  return new Promise((opened, failed) => {
    const request = httpGet(
      { host: '127.0.0.1', port: cluster.dashboardPort, path: '/api/v1/live', agent: false },
      (response: IncomingMessage) => {
        const events: Stream = { heard: [], bytes: 0, ended: false, close: () => request.destroy() };
        let rest = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          events.bytes += Buffer.byteLength(text);
          const parts = (rest + text).split('\n\n');
          rest = parts.pop() ?? '';
          for (const part of parts) {
            const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
            events.heard.push({ name: name as LiveEventName, data: JSON.parse(data ?? 'null') });
          }
        });
        for (const end of ['close', 'error'] as const)
          response.on(end, () => {
            events.ended = true;
          });
        opened(events);
      },
    );
    request.on('error', failed);
  });
}

/** What was heard under this name from now on, or from `from`. */
const heardOf = <T>(name: LiveEventName, from = 0) =>
  stream.heard
    .slice(from)
    .filter((one) => one.name === name)
    .map(({ data }) => data as T);

async function api<T>(path: string, method = 'GET', body?: unknown): Promise<T> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`http://127.0.0.1:${cluster.dashboardPort}/api/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { detail?: string };
  expect(answer.detail ?? response.status).toBe(200);
  return answer;
}

const until = (what: string, holds: () => boolean | Promise<boolean>) => eventually(holds, { what, timeoutMs: 30_000 });

describe('a cluster at rest', () => {
  test('is told whole at first', async () => {
    await until('a snapshot', () => heardOf('snapshot').length > 0);
    const [snapshot] = heardOf<LiveSnapshotView>('snapshot');
    const runs = [
      { first: 0, group: 1 },
      { first: 512, group: 2 },
    ];
    expect(snapshot).toMatchObject({ topology: { slots: runs } });
    // The dashboard may have looked before the slots were there, or when replicas were still being filled.
    const isWell = (status: LiveStatusView['status']) => status?.verdict === 'healthy' && status.slots.served === 1024;
    const seen = () => [snapshot!.status, ...heardOf<LiveStatusView>('status').map(({ status }) => status)];
    await until('all slots to be served, and it to be healthy', () => seen().some(isWell));
  });

  test('sends little: less than 60 KB in a minute, and something every five seconds', async () => {
    await until('no alert to be pending', async () => (await api<AlertsView>('/alerts')).alerts.every(({ state }) => state !== 'pending'));
    const [bytes, beats] = [stream.bytes, heardOf('beat').length];
    const start = performance.now();
    await until('beats', () => heardOf('beat').length >= beats + 3);
    const seconds = (performance.now() - start) / 1000;
    expect(((stream.bytes - bytes) / seconds) * 60).toBeLessThan(60 * 1024);
  });
});

describe('clients', () => {
  test('show as numbers of the cluster and of each proxy, and stay in its history', async () => {
    const clients = cluster.proxies.map((proxy) => proxy.client());
    const load = setInterval(() => {
      for (const client of clients) for (let key = 0; key < 50; key++) client.set(`key:${key}`, 'value').catch(() => undefined);
    }, 20);
    try {
      await until('numbers', () => (heardOf<LiveStatsView>('stats').at(-1)?.point.opsPerSecond ?? 0) > 100);
    } finally {
      clearInterval(load);
    }
    const busy = heardOf<LiveStatsView>('stats').at(-1)!;
    expect(busy.point.p50Ms).toBeGreaterThan(0);
    expect(busy.point.p99Ms).toBeGreaterThanOrEqual(busy.point.p50Ms!);
    expect(busy.point.sessions).toBeGreaterThanOrEqual(2);
    const history = await api<HistoryView>('/history?range=15m');
    expect(history.series.opsPerSecond).toContain(busy.point.opsPerSecond);
    expect(history.series.opsPerSecond).toHaveLength(history.times.length);
    await until('both workers to be heard, and what they did', async () => {
      const { serving, workersCount, problem, commands } = await api<ProxyDetailView>('/proxies/proxy_1/stats');
      return (
        serving === true &&
        workersCount === 2 &&
        problem === null &&
        commands.some(({ command, callsCount }) => command === 'set' && callsCount > 0)
      );
    });
  });

  test('ask for slots, and that is counted by slot over all proxies', { timeout: 60_000 }, async () => {
    const clients = cluster.proxies.map((proxy) => proxy.client());
    const load = setInterval(() => {
      for (const client of clients) void client.mget('{hot}a', '{hot}b', '{cold}');
    }, 5);
    try {
      const { opsPerSecond, basis } = await api<SlotStatsView>('/slots/stats');
      expect(basis).toContainEqual(expect.stringMatching(/^requests: counted by all 2 proxies over \d\.\d s$/));
      const asked = new Set(['hot', 'cold'].map((tag) => slotOf(Buffer.from(tag))));
      for (const [slot, rate] of opsPerSecond.entries()) {
        if (asked.has(slot as Slot)) expect(rate).toBeGreaterThan(10);
        else expect(rate).toBe(0);
      }
      // And kept, minute by minute, without being asked for.
      const level = async (tag: string) => {
        const slot = slotOf(Buffer.from(tag));
        const { levels } = await api<SlotHistoryView>(`/slots/history?first=${slot}&last=${slot}`);
        return Buffer.from(levels, 'base64').findLast((byte) => byte !== 255);
      };
      await eventually(async () => ((await level('hot')) ?? 0) > 60, { what: 'the hot slot in the history', timeoutMs: 40_000 });
      expect(await level('neither')).toBe(0);
    } finally {
      clearInterval(load);
    }
  });

  test('who are slow are in one list with what servers say, and without what they stored', async () => {
    const key = 'slow:{42}:key';
    await cluster.proxies[0]!.client().set(key, 'a secret of theirs');
    const [server] = cluster.servers[slotOf(Buffer.from(key)) < 512 ? 0 : 1]!;
    await server!.client().config('SET', 'slowlog-log-slower-than', '0');
    await cluster.proxies[1]!.client().append(key, 'another secret');
    await server!.client().config('SET', 'slowlog-log-slower-than', '10000');
    const { entries, notes } = await api<SlowLogView>('/slowlog?prefix=slow:');
    expect(notes).toEqual([]);
    const about = { key: '"slow:{42}:key"', slot: 136, group: 1 };
    expect(entries).toContainEqual(
      expect.objectContaining({ ...about, source: 'proxy', where: 'proxy_1', command: 'set', args: ['"slow:{42}:key"', '(18 bytes)'] }),
    );
    expect(entries).toContainEqual(
      expect.objectContaining({ ...about, source: 'server', where: server!.addr, command: 'append', split: null }),
    );
    expect(JSON.stringify(entries)).not.toContain('secret');
    expect(
      (await api<SlowLogView>('/slowlog?source=server&command=append')).entries.every(
        ({ source, command }) => source === 'server' && command === 'append',
      ),
    ).toBe(true);
  });
});

describe('a change', () => {
  test('of the table is told as the slots that changed', async () => {
    const from = stream.heard.length;
    await cluster.cliOk('slot', 'migrate', '100', '109', '2');
    await until('the slots to arrive', () =>
      heardOf<LiveTopologyView>('topology', from).some(({ slots }) => slots.some(({ group, state }) => group === 2 && state === 'online')),
    );
    for (const { slots } of heardOf<LiveTopologyView>('topology', from)) {
      for (const { first, last } of slots) expect([first >= 100, last <= 109]).toEqual([true, true]);
    }
    await until('the migration to be told as done', () => JSON.stringify(heardOf('migrations', from).at(-1)).includes('"state":"done"'));
    const { slots } = await api<{ slots: unknown }>('/migrations/1/slots');
    expect(slots).toMatchObject([{ first: 100, last: 109, stage: 'done', from: 1, to: 2 }]);
  });

  test('of what is wanted of a proxy: it drains while its clients go on, and can be called back or hurried', async () => {
    const client = cluster.proxies[1]!.client();
    await client.set('kept', '1');
    const wanted = (body: unknown) => api('/proxies/proxy_2/wanted', 'PUT', body);
    await wanted({ wanted: 'offline', drainSeconds: 600 });
    const state = async () => (await api<ProxyEntryView>('/proxies/proxy_2')).state;
    await until('it to drain', async () => (await state()) === 'draining');
    expect(await client.get('kept')).toBe('1');
    await wanted({ wanted: 'online' });
    await until('it to be back', async () => (await state()) === 'online');
    expect(await client.get('kept')).toBe('1');
    const closed = new Promise((done) => client.once('close', done));
    await wanted({ wanted: 'offline', drainSeconds: 600 });
    await wanted({ wanted: 'offline', drainSeconds: 1 });
    await closed;
    await until('it to be offline', async () => (await state()) === 'offline');
    await wanted({ wanted: 'online' });
  });
});

describe('a master that is killed', () => {
  test('shows in verdict, causes, alerts and explanation, with the button that mends it', async () => {
    const [master, replica] = cluster.servers[1]!;
    const from = stream.heard.length;
    await master!.child.stop('SIGKILL');
    const isTold = ({ status }: LiveStatusView) => status?.verdict === 'degraded';
    await until('the verdict', () => heardOf<LiveStatusView>('status', from).some(isTold));
    const [cause] = heardOf<LiveStatusView>('status', from).find(isTold)!.status!.causes;
    expect(cause).toMatchObject({
      severity: 'problem',
      object: { kind: 'group', id: '2' },
      text: expect.stringContaining(`${master!.addr}, is down`),
    });
    await until('the alert', () =>
      heardOf<AlertsView>('alerts', from).some(({ alerts }) =>
        alerts.some(({ id, state }) => id === 'slots-unserved:2' && state === 'firing'),
      ),
    );
    const why = await api<ExplainView>('/explain?group=2');
    expect(why.because[0]).toMatchObject({ check: `its master ${master!.addr} answers`, result: 'failed' });
    const status = await api<StatusView>('/status');
    expect(status.keys).toMatchObject({ unknownGroups: [2], estimatedCount: expect.any(Number) });
    expect(status.keys.estimatedCount).toBeGreaterThanOrEqual(status.keys.knownCount);

    const promote = cause!.try[0]!;
    expect(promote.label).toBe(`Promote ${replica!.addr}`);
    await api(promote.api!.path, promote.api!.method, JSON.parse(promote.api!.body!));
    await until('all to be well', async () => (await api<StatusView>('/status')).verdict === 'healthy');
    const marks = (await api<HistoryView>('/history')).markers.map(({ text }) => text);
    expect(marks.some((text) => text.startsWith('server.promote'))).toBe(true);
    expect(marks.some((text) => text.includes('is down'))).toBe(true);
    const told = () => heardOf<LiveMarkersView>('markers', from).flatMap(({ markers }) => markers.map(({ text }) => text));
    await until('the marks to be told to who listens', () =>
      ['server.promote', 'is down'].every((part) => told().some((text) => text.includes(part))),
    );
    const numbers = heardOf<LiveMarkersView>('markers', from).flatMap(({ markers }) => markers.flatMap(({ event }) => event ?? []));
    expect(numbers).toEqual([...new Set(numbers)]);
  });
});

describe('a dashboard that dies', () => {
  test('ends the stream; the next one begins with a snapshot', async () => {
    await cluster.dashboard.stop('SIGKILL');
    await until('the end', () => stream.ended);
    await cluster.startDashboard();
    stream = await openStream();
    await until('a snapshot', () => heardOf('snapshot').length > 0);
  });

  test('in peace ends the stream too, and is not held up by who listens', async () => {
    expect(await cluster.dashboard.stop('SIGTERM')).toBe(0);
    await until('the end', () => stream.ended);
  });
});
