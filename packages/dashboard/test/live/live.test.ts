// What listeners are told: a snapshot, then only what is new, and together the same as what there is.

import type { LiveEventName, LiveSnapshotView, LiveStatusView, LiveTopologyView, SlotRunView } from '@codis/config/api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSame, proxiesChange, statusChange, topologyChange } from '../../src/live/changes.ts';
import { LiveHub } from '../../src/live/hub.ts';
import type { Frame } from '../../src/observe/observer.ts';
import { AT, group, migration, point, proxyStats, server, status, topology } from '../facts.ts';

const frame = (over: Partial<Frame> = {}): Frame => ({
  at: AT,
  status: status(),
  topology: topology(),
  migrations: [],
  point: point(),
  proxies: [proxyStats('p1')],
  alerts: { alerts: [], evaluatedAt: AT },
  ...over,
});

describe('what is new', () => {
  test('is not what never stands still', () => {
    const noise = server('m:1', 'master', { offset: 99_999, uptimeSeconds: 1, usedMemoryBytes: 10_100_000, opsPerSecond: 9 });
    expect(isSame(server('m:1', 'master'), noise)).toBe(true);
    expect(isSame(server('m:1', 'master'), { ...noise, usedMemoryBytes: 11_000_000 })).toBe(false);
    expect(isSame(server('m:1', 'master'), { ...noise, keysCount: 101 })).toBe(false);
    expect(isSame(proxyStats('p1'), proxyStats('p1', { at: 'later', uptimeSeconds: 3602 }))).toBe(true);
    expect(isSame(server('m:1', 'master', { opsPerSecond: 0 }), server('m:1', 'master', { opsPerSecond: 2 }))).toBe(true);
    expect(isSame(proxyStats('p1', { opsPerSecond: 5 }), proxyStats('p1', { opsPerSecond: 0 }))).toBe(false);
  });

  test('of a status is the groups that changed, and those that are gone', () => {
    const now = status({ groups: [group(1, [server('m1:1', 'master', { up: false })])], readAt: 'later' });
    expect(statusChange(status(), now)).toEqual({ at: 'later', status: null, groups: now.groups, gone: [2] });
    expect(statusChange(status(), status({ readAt: 'later' }))).toBeNull();
    expect(statusChange(status(), status({ verdict: 'degraded' }))?.status).toMatchObject({ verdict: 'degraded' });
  });

  test('of a table is the slots that changed', () => {
    const moved: SlotRunView[] = [
      { first: 0, last: 99, state: 'online', group: 1, to: null, migration: null },
      { first: 100, last: 149, state: 'migrating', group: 1, to: 2, migration: 3 },
      { first: 150, last: 511, state: 'online', group: 1, to: null, migration: null },
      { first: 512, last: 1023, state: 'online', group: 2, to: null, migration: null },
    ];
    expect(topologyChange(topology(), topology({ epoch: 8, slots: moved }))).toEqual({ epoch: 8, slots: [moved[1]], groups: null });
    expect(topologyChange(topology(), topology())).toBeNull();
    expect(topologyChange(null, topology())).toEqual(topology());
  });

  test('of proxies is those of which more than the noise changed', () => {
    const told = [proxyStats('p1'), proxyStats('p2')];
    expect(proxiesChange(told, [proxyStats('p1', { sessions: 11 })])).toMatchObject({
      proxies: [{ id: 'p1', sessions: 11 }],
      gone: ['p2'],
    });
  });
});

type Heard = { name: LiveEventName; data: never };

describe('the hub', () => {
  let hub: LiveHub;
  beforeEach(() => {
    hub = new LiveHub();
  });
  afterEach(() => hub.close());

  function listen(): Heard[] {
    const heard: Heard[] = [];
    hub.add((text) => {
      const [, name, data] = /^event: (\w+)\ndata: (.*)\n\n$/.exec(text) ?? [];
      if (name !== 'beat') heard.push({ name: name as LiveEventName, data: JSON.parse(data!) as never });
    });
    return heard;
  }
  const names = (heard: readonly Heard[]) => heard.map(({ name }) => name);

  test('sends a snapshot first, whether or not there was a look already', () => {
    const early = listen();
    hub.onFrame(frame());
    const late = listen();
    expect([names(early), names(late)]).toEqual([['snapshot'], ['snapshot']]);
    expect(late[0]).toEqual(early[0]);
  });

  test('at rest sends the numbers alone', () => {
    hub.onFrame(frame());
    const heard = listen();
    hub.onFrame(frame({ at: 'later', status: status({ readAt: 'later' }) }));
    expect(names(heard)).toEqual(['snapshot', 'stats']);
    expect(JSON.stringify(heard[1]).length).toBeLessThan(300);
  });

  test('tells changes that add up to what is there', () => {
    hub.onFrame(frame());
    const heard = listen();
    const slots: SlotRunView[] = [{ first: 0, last: 1023, state: 'online', group: 2, to: null, migration: null }];
    const next = frame({
      status: status({ verdict: 'degraded', groups: [group(1, [server('m1:1', 'master', { keysCount: 5 })]), group(2)] }),
      topology: topology({ epoch: 8, slots }),
      migrations: [migration()],
    });
    hub.onFrame(next);
    expect(names(heard)).toEqual(['snapshot', 'topology', 'status', 'migrations', 'stats']);
    const [snapshot, table, change] = heard as unknown as [
      { data: LiveSnapshotView },
      { data: LiveTopologyView },
      { data: LiveStatusView },
    ];
    expect(table.data.slots).toEqual([{ ...slots[0], last: 511 }]);
    expect(change.data.groups).toEqual([next.status.groups[0]]);
    expect(snapshot.data.status.groups[1]).toEqual(next.status.groups[1]);
    const late = listen() as unknown as { data: LiveSnapshotView }[];
    expect(late[0]?.data).toMatchObject({
      status: { verdict: 'degraded', groups: next.status.groups },
      topology: { epoch: 8, slots },
      migrations: [{ id: 3 }],
    });
  });

  test('tells a change of the table at once, and never an older one', () => {
    hub.onFrame(frame());
    const heard = listen();
    hub.onTopology(topology({ epoch: 9, slots: [{ first: 0, last: 1023, state: 'online', group: 1, to: null, migration: null }] }));
    hub.onFrame(frame({ topology: topology({ epoch: 8 }) }));
    expect(names(heard)).toEqual(['snapshot', 'topology', 'stats']);
  });

  test('says when nothing is known, and begins anew with a snapshot', () => {
    hub.onFrame(frame());
    const heard = listen();
    hub.onTrouble({ at: AT, detail: 'gone', code: 'CODIS_E_COORDINATOR_LOST' });
    const late = listen();
    hub.onFrame(frame());
    expect(names(heard)).toEqual(['snapshot', 'trouble', 'snapshot']);
    expect(names(late)).toEqual(['trouble', 'snapshot']);
  });
});
