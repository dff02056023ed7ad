// From model values to what the API answers. Pure.

import type {
  EventView,
  GroupView,
  MigrationView,
  ProxyEntryView,
  ServerView,
  SlotRunView,
  SlotStateView,
  StalledView,
  TopologyView,
} from '../api/index.ts';
import {
  type Epoch,
  type GroupId,
  type Migration,
  type ProxyView,
  type Server,
  type SlotState,
  slotRuns,
  type Topology,
  unreachable,
  type VersionedTopology,
  verificationOf,
  verificationText,
} from '../model/index.ts';
import type { NumberedEvent } from '../operations/index.ts';

export function topologyView({ epoch, topology }: VersionedTopology): TopologyView {
  return { epoch, slots: slotRunViews(topology), groups: groupViews(topology) };
}

export function slotRunViews(topology: Topology): SlotRunView[] {
  return slotRuns(topology).map(({ first, last, state }) => ({ first, last, ...slotStateView(state) }));
}

export function slotStateView(state: SlotState): SlotStateView {
  switch (state.kind) {
    case 'offline':
      return { state: 'offline', group: null, to: null, migration: null };
    case 'online':
      return { state: 'online', group: state.owner, to: null, migration: null };
    case 'locked':
    case 'migrating':
      return { state: state.kind, group: state.from, to: state.to, migration: state.migration };
    default:
      return unreachable(state);
  }
}

/** The group that requests for a slot go to; null when it belongs to none. */
export function servingGroup(state: SlotState): GroupId | null {
  if (state.kind === 'offline') return null;
  if (state.kind === 'online') return state.owner;
  return state.kind === 'locked' ? state.from : state.to;
}

export function groupViews(topology: Topology): GroupView[] {
  const counts = new Map<number, number>();
  for (const state of topology.slots) {
    const { group } = slotStateView(state);
    if (group !== null) counts.set(group, (counts.get(group) ?? 0) + 1);
  }
  return topology.groups.map(({ id, servers }) => ({ id, slotsCount: counts.get(id) ?? 0, servers: servers.map(serverView) }));
}

export function serverView({ addr, role, zone, replicaReads }: Server): ServerView {
  return { addr, role, zone: zone ?? null, replicaReads: replicaReads ?? true };
}

/** What a proxy says of itself. */
export interface Serving {
  readonly serving: boolean;
  readonly sessions: number;
}

/** `epoch` is the topology's; null before there is one. */
export function proxyView(proxy: ProxyView, epoch: Epoch | null, serving: Serving | null): ProxyEntryView {
  const { id, addr, adminAddr, wanted, live } = proxy;
  return {
    id,
    addr,
    adminAddr,
    wanted,
    state: proxyState(proxy, epoch, serving),
    epoch: live?.epoch ?? null,
    pid: live?.pid ?? null,
    startedAt: live?.startedAt ?? null,
  };
}

function proxyState({ wanted, live }: ProxyView, epoch: Epoch | null, serving: Serving | null): ProxyEntryView['state'] {
  if (wanted === 'offline') return live && serving && serving.sessions > 0 ? 'draining' : 'offline';
  if (!live) return 'lost';
  if (epoch !== null && live.epoch < epoch) return 'behind';
  return serving?.serving === false ? 'joining' : 'online';
}

export function migrationView(record: Migration, stalled: StalledView | null): MigrationView {
  const { progress, arrivals, ...migration } = record;
  const verification = verificationOf(arrivals);
  const text = verificationText(verification);
  const verified = text === null ? null : { ...verification, text };
  return {
    ...migration,
    ...progress,
    verified,
    secondsLeft: migration.state === 'running' && migration.resumesAt === null ? progress.secondsLeft : null,
    stalled,
  };
}

const MIGRATION = /\bmigration (\d+)/;
const PLAN = /\bplan (\d+)/;

export function eventView({ seq, at, actor, via, ip, action, object, before, after, epoch, denied, failed }: NumberedEvent): EventView {
  return {
    seq,
    at,
    actor,
    via,
    ip,
    action,
    object,
    before,
    after,
    epoch,
    result: denied !== undefined ? 'denied' : failed !== undefined ? 'failed' : 'done',
    detail: denied ?? failed ?? null,
    migration: numberIn(object, MIGRATION),
    plan: numberIn(object, PLAN),
  };
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
