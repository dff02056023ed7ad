// What is new between two looks at the cluster, so that only that is sent. Pure.
//
// Numbers that never stand still and of which nobody waits for the last digit (memory, offsets, uptimes) are no news by themselves: a cluster at rest sends next to nothing.

import type {
  AlertsView,
  GroupStatusView,
  LiveMigrationsView,
  LiveStatusView,
  LiveTopologyView,
  MigrationView,
  ProxyStatsView,
  SlotRunView,
  StatusView,
  TopologyView,
} from '@codis/config/api';

/** By field: by how much a number may differ and still be the same: absolutely, and as a share of the old one. */
const TOLERANCE: Readonly<Record<string, readonly [absolute: number, share: number]>> = {
  offset: [Number.POSITIVE_INFINITY, 0],
  uptimeSeconds: [Number.POSITIVE_INFINITY, 0],
  usedMemoryBytes: [262_144, 0.02],
  memoryBytes: [1_048_576, 0.05],
  opsPerSecond: [10, 0.05],
  lagBytes: [65_536, 0.05],
  lagSeconds: [3, 0],
  cpuPercent: [3, 0.1],
  lagP99Ms: [5, 0.25],
};
/** From nothing to something is news, from here on: who looks is itself a request or two. */
const FAINT = 3;
/** Fields that say when, not what. */
const TIMES = new Set(['at', 'readAt', 'evaluatedAt']);

/** Whether `now` says nothing new to who has heard `told`. */
export function isSame(told: unknown, now: unknown, field = ''): boolean {
  if (Object.is(told, now) || TIMES.has(field)) return true;
  if (typeof told === 'number' && typeof now === 'number') {
    const [absolute, share] = TOLERANCE[field] ?? [0, 0];
    const apart = Math.abs(now - told);
    const begins = (told === 0) !== (now === 0) && apart > FAINT;
    return apart <= Math.max(absolute, Math.abs(told) * share) && !begins;
  }
  if (typeof told !== 'object' || typeof now !== 'object' || told === null || now === null) return false;
  if (Array.isArray(told) !== Array.isArray(now)) return false;
  const left = Object.entries(told);
  const right = now as Record<string, unknown>;
  return (
    left.length === Object.keys(right).length &&
    left.every(([name, value]) => isSame(value, right[name], Array.isArray(told) ? field : name))
  );
}

/** Null when nothing is new. */
export function statusChange(told: StatusView, now: StatusView): LiveStatusView | null {
  const { groups: before, readAt: _, ...rest } = told;
  const { groups: after, readAt: at, ...restNow } = now;
  const known = byId(before);
  const groups = after.filter((group) => !isSame(known.get(group.id), group));
  const gone = missing(before, after);
  const status = isSame(rest, restNow) ? null : restNow;
  return status || groups.length > 0 || gone.length > 0 ? { at, status, groups, gone } : null;
}

/** What was told, brought up to date by what was sent: what is compared with next time. */
export function statusTold(told: StatusView, now: StatusView, change: LiveStatusView): StatusView {
  const sent = byId(change.groups);
  const known = byId(told.groups);
  const rest = change.status ?? told;
  return {
    ...rest,
    readAt: now.readAt,
    groups: now.groups.map((group): GroupStatusView => sent.get(group.id) ?? known.get(group.id) ?? group),
  };
}

export function migrationsChange(told: readonly MigrationView[], now: readonly MigrationView[]): LiveMigrationsView | null {
  const known = byId(told);
  const migrations = now.filter((migration) => !isSame(known.get(migration.id), migration));
  const gone = missing(told, now);
  return migrations.length > 0 || gone.length > 0 ? { migrations, gone } : null;
}

/** The proxies of which anything but the noise changed, and those that are gone. */
export function proxiesChange(
  told: readonly ProxyStatsView[],
  now: readonly ProxyStatsView[],
): { proxies: ProxyStatsView[]; gone: string[] } {
  const known = byId(told);
  return { proxies: now.filter((proxy) => !isSame(known.get(proxy.id), proxy)), gone: missing(told, now) };
}

export const alertsChanged = (told: AlertsView, now: AlertsView): boolean => !isSame(told.alerts, now.alerts);

/** Null when nothing is new. A table that came into being is all of it. */
export function topologyChange(told: TopologyView | null, now: TopologyView): LiveTopologyView | null {
  if (told && told.epoch === now.epoch) return null;
  if (!told) return now;
  const before = bySlot(told.slots);
  const after = bySlot(now.slots);
  const slots: SlotRunView[] = [];
  for (const [slot, run] of after.entries()) {
    if (isSame(stateOf(before[slot]), stateOf(run))) continue;
    const last = slots.at(-1);
    if (last && last.last === slot - 1 && isSame(stateOf(last), stateOf(run))) slots[slots.length - 1] = { ...last, last: slot };
    else slots.push({ ...run, first: slot, last: slot });
  }
  return { epoch: now.epoch, slots, groups: isSame(told.groups, now.groups) ? null : now.groups };
}

function bySlot(runs: readonly SlotRunView[]): SlotRunView[] {
  return runs.flatMap((run) => new Array<SlotRunView>(run.last - run.first + 1).fill(run));
}

function stateOf(run: SlotRunView | undefined): unknown {
  return run && [run.state, run.group, run.to, run.migration];
}

function byId<Item extends { readonly id: number | string }>(items: readonly Item[]): Map<Item['id'], Item> {
  return new Map(items.map((item) => [item.id, item]));
}

function missing<Item extends { readonly id: number | string }>(before: readonly Item[], after: readonly Item[]): Item['id'][] {
  const now = byId(after);
  return before.filter(({ id }) => !now.has(id)).map(({ id }) => id);
}
