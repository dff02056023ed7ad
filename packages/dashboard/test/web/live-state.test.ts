import type { LiveSnapshotView, LiveTopologyView, SlotRunView } from '@codis/config/api';
import { describe, expect, test } from 'vitest';
import { applyLive, type LiveState } from '../../web/src/lib/live-state.ts';
import { SseParser } from '../../web/src/lib/sse.ts';

const run = (first: number, last: number, group: number): SlotRunView => ({
  first,
  last,
  state: 'online',
  group,
  to: null,
  migration: null,
});
const point = {
  at: '2026-01-01T00:00:00.000Z',
  opsPerSecond: 1,
  errorsPerSecond: 0,
  p50Ms: null,
  p95Ms: null,
  p99Ms: null,
  sessions: 1,
  usedMemoryBytes: null,
  keysCount: null,
};

function snapshot(): LiveState {
  const data = {
    at: point.at,
    status: { product: 'test', verdict: 'healthy', groups: [{ id: 1 }, { id: 2 }], readAt: point.at },
    topology: { epoch: 5, slots: [run(0, 1023, 1)], groups: [{ id: 1, slotsCount: 1024, servers: [] }] },
    migrations: [{ id: 3, state: 'running' }],
    alerts: { alerts: [], evaluatedAt: null },
    stats: { point, proxies: [], gone: [] },
  };
  return applyLive(null, 'snapshot', data as unknown as LiveSnapshotView) as LiveState;
}

describe('what is shown', () => {
  test('begins with a snapshot, and nothing before it counts', () => {
    expect(applyLive(null, 'beat', { at: 'x' })).toBe(null);
    expect(snapshot()).toMatchObject({ topology: { epoch: 5 }, trouble: null });
    expect(snapshot().topology?.slots).toHaveLength(1024);
  });

  test('changes only where an event says so', () => {
    const before = snapshot();
    const delta: LiveTopologyView = { epoch: 6, slots: [{ ...run(5, 5, 1), state: 'migrating', to: 2, migration: 3 }], groups: null };
    const after = applyLive(before, 'topology', delta) as LiveState;
    expect(after.topology?.epoch).toBe(6);
    expect(after.topology?.slots[5]).toEqual({ state: 'migrating', group: 1, to: 2, migration: 3 });
    expect(after.topology?.slots[4]).toBe(before.topology?.slots[4]);
    expect(after.topology?.groups).toBe(before.topology?.groups);
    expect(after.status).toBe(before.status);
    expect(before.topology?.slots[5]).toMatchObject({ state: 'online' });
  });

  test('takes up changed groups and migrations, and lets go of those that are gone', () => {
    let state = snapshot();
    state = applyLive(state, 'status', {
      at: 'later',
      status: { verdict: 'degraded' },
      groups: [{ id: 2, slotsCount: 9 }],
      gone: [1],
    }) as LiveState;
    expect(state.status).toMatchObject({ product: 'test', verdict: 'degraded', groups: [{ id: 2, slotsCount: 9 }], readAt: 'later' });
    state = applyLive(state, 'migrations', { migrations: [{ id: 4 }, { id: 3, state: 'done' }], gone: [] }) as LiveState;
    expect(state.migrations).toMatchObject([{ id: 3, state: 'done' }, { id: 4 }]);
  });

  test('keeps what it has while the dashboard can’t read, and says so until the next snapshot', () => {
    const troubled = applyLive(snapshot(), 'trouble', { at: 'x', detail: 'no coordinator', code: 'C' }) as LiveState;
    expect(troubled).toMatchObject({ trouble: 'no coordinator', topology: { epoch: 5 } });
    expect(snapshot().trouble).toBe(null);
  });

  test('is not disturbed by an event of a newer dashboard', () => {
    const state = snapshot();
    expect(applyLive(state, 'constructor', {})).toBe(state);
  });
});

describe('server-sent events', () => {
  const TEXT = ': hello\n\nevent: beat\ndata: {"at":"1"}\n\nevent: two\r\ndata: a\r\ndata: b\r\n\r\nevent: rest\ndata: c';

  test('are read in one piece', () => {
    expect(new SseParser().push(TEXT)).toEqual([
      { event: 'beat', data: '{"at":"1"}' },
      { event: 'two', data: 'a\nb' },
    ]);
  });

  test('are the same at every split', () => {
    const whole = new SseParser().push(TEXT);
    for (let at = 0; at <= TEXT.length; at++) {
      const parser = new SseParser();
      expect([...parser.push(TEXT.slice(0, at)), ...parser.push(TEXT.slice(at))], `split at ${at}`).toEqual(whole);
    }
  });
});
