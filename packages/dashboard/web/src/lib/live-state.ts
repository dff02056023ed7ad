// What the pages show, and how each live event changes it. Functions from values to values: what an event does not name stays the same object.

import type {
  AlertsView,
  GroupStatusView,
  GroupView,
  HistoryMarkerView,
  LiveEventName,
  LiveEvents,
  MigrationView,
  ProxyStatsView,
  SlotStateView,
  StatsPointView,
  StatusView,
} from '@codis/config/api';
import { expandRuns } from './slots.ts';

export interface LiveState {
  /** By the dashboard's clock, ISO 8601. */
  readonly at: string;
  readonly status: StatusView;
  /** Null: there is no slot table yet. */
  readonly topology: ShownTopology | null;
  readonly migrations: readonly MigrationView[];
  readonly alerts: AlertsView;
  readonly point: StatsPointView;
  /** What happened since the snapshot, the newest of it. */
  readonly markers: readonly HistoryMarkerView[];
  readonly proxyStats: ReadonlyMap<string, ProxyStatsView>;
  /** Why the dashboard can't read the cluster just now; null while it can. */
  readonly trouble: string | null;
}

export interface ShownTopology {
  readonly epoch: number;
  /** 1024 of them. */
  readonly slots: readonly SlotStateView[];
  readonly groups: readonly GroupView[];
}

type Update = { [Name in LiveEventName]: (state: LiveState, data: LiveEvents[Name]) => LiveState };

const MARKERS_MAX = 200;

const UPDATES: Update = {
  snapshot: (_, data) => fromSnapshot(data),
  topology: (state, data) => ({ ...state, topology: changedTopology(state.topology, data) }),
  status: (state, data) => ({ ...state, at: data.at, status: changedStatus(state.status, data) }),
  migrations: (state, { migrations, gone }) => ({ ...state, migrations: merged(state.migrations, migrations, gone) }),
  alerts: (state, alerts) => ({ ...state, alerts }),
  stats: (state, { point, proxies, gone }) => ({ ...state, point, proxyStats: changedProxies(state.proxyStats, proxies, gone) }),
  markers: (state, { markers }) => ({ ...state, markers: [...state.markers, ...markers].slice(-MARKERS_MAX) }),
  beat: (state, { at }) => ({ ...state, at }),
  trouble: (state, { detail }) => ({ ...state, trouble: detail }),
};

/** Null before the first snapshot, and after an event that this page does not know. */
export function applyLive(state: LiveState | null, event: string, data: unknown): LiveState | null {
  if (event === 'snapshot') return fromSnapshot(data as LiveEvents['snapshot']);
  if (state === null || !isKnown(event)) return state;
  return (UPDATES[event] as (state: LiveState, data: unknown) => LiveState)(state, data);
}

function isKnown(event: string): event is LiveEventName {
  return Object.hasOwn(UPDATES, event);
}

function fromSnapshot({ at, status, topology, migrations, alerts, stats }: LiveEvents['snapshot']): LiveState {
  return {
    at,
    status,
    topology: topology === null ? null : { ...topology, slots: expandRuns(topology.slots) },
    migrations,
    alerts,
    point: stats.point,
    markers: [],
    proxyStats: changedProxies(new Map(), stats.proxies, []),
    trouble: null,
  };
}

function changedTopology(shown: ShownTopology | null, { epoch, slots: runs, groups }: LiveEvents['topology']): ShownTopology {
  const slots = shown === null ? expandRuns(runs) : [...shown.slots];
  if (shown !== null) {
    for (const { first, last, state, group, to, migration } of runs) slots.fill({ state, group, to, migration }, first, last + 1);
  }
  return { epoch, slots, groups: groups ?? shown?.groups ?? [] };
}

function changedStatus(status: StatusView, { at, status: rest, groups, gone }: LiveEvents['status']): StatusView {
  return { ...status, ...rest, groups: merged<GroupStatusView>(status.groups, groups, gone), readAt: at };
}

/** By id, in the order of ids. */
function merged<Item extends { readonly id: number }>(
  before: readonly Item[],
  changed: readonly Item[],
  gone: readonly number[],
): readonly Item[] {
  if (changed.length === 0 && gone.length === 0) return before;
  const all = new Map(before.map((item) => [item.id, item]));
  for (const item of changed) all.set(item.id, item);
  for (const id of gone) all.delete(id);
  return [...all.values()].sort((a, b) => a.id - b.id);
}

function changedProxies(
  before: ReadonlyMap<string, ProxyStatsView>,
  changed: readonly ProxyStatsView[],
  gone: readonly string[],
): ReadonlyMap<string, ProxyStatsView> {
  if (changed.length === 0 && gone.length === 0) return before;
  const all = new Map(before);
  for (const stats of changed) all.set(stats.id, stats);
  for (const id of gone) all.delete(id);
  return all;
}
