// What becomes of conditions over time. Pure: the alerts of before and the conditions of now in, the alerts of now out.
//
//   ─holds─▶ pending ─for HOLD_MS─▶ firing ─gone for QUIET_MS─▶ resolved ─an hour─▶ forgotten
//                └─gone─▶ forgotten                      ▲ │ acknowledged, silenced: a firing one that somebody has spoken to
//
// Nothing flaps: what comes and goes faster than it must hold never fires, and what fires stays so until it has been gone for a while; longer where a number is held against a
// limit, for it may swing round that.

import type { AlertRuleName, AlertsView, AlertView } from '@codis/config/api';
import type { AlertNotes } from '@codis/config/operations';
import { type Condition, conditionId } from '@codis/config/status';
import { HOLD_MS } from './rules.ts';

export const QUIET_MS = 10_000;
const QUIET_OF_LIMITS_MS = 60_000;
const LIMITS: ReadonlySet<AlertRuleName> = new Set(['replication-lag', 'memory', 'error-rate', 'latency', 'clock-skew']);
const RESOLVED_KEPT_MS = 3_600_000;
const RESOLVED_MAX = 200;

/** One alert as it is followed. `…Ms` by a clock that only goes forward, `…At` the time of day. */
export interface Followed {
  readonly id: string;
  readonly condition: Condition;
  readonly since: { readonly ms: number; readonly at: string };
  readonly fired: { readonly ms: number; readonly at: string } | null;
  /** When its condition was last seen to hold. */
  readonly lastMs: number;
  readonly resolved: { readonly ms: number; readonly at: string } | null;
}

/** By id. */
export type Alerts = ReadonlyMap<string, Followed>;

interface Now {
  readonly ms: number;
  readonly at: string;
}

export function advance(before: Alerts, conditions: readonly Condition[], now: Now): Alerts {
  const after = new Map<string, Followed>();
  for (const condition of conditions) {
    const id = conditionId(condition);
    if (after.has(id)) continue;
    const known = before.get(id);
    const living = known && !known.resolved ? known : null;
    const since = living?.since ?? now;
    const fires = now.ms - since.ms >= HOLD_MS[condition.rule];
    after.set(id, { id, condition, since, fired: living?.fired ?? (fires ? now : null), lastMs: now.ms, resolved: null });
  }
  const over: Followed[] = [];
  for (const [id, alert] of before) {
    if (after.has(id)) continue;
    if (alert.resolved) over.push(alert);
    else if (alert.fired && now.ms - alert.lastMs < quietMs(alert.condition.rule)) after.set(id, alert);
    else if (alert.fired) over.push({ ...alert, resolved: now });
  }
  const recent = over.filter(({ resolved }) => resolved !== null && now.ms - resolved.ms < RESOLVED_KEPT_MS);
  for (const alert of recent.toSorted((a, b) => (a.resolved?.ms ?? 0) - (b.resolved?.ms ?? 0)).slice(-RESOLVED_MAX))
    after.set(alert.id, alert);
  return after;
}

/** For how long the condition of one that fires must be gone before it is over. */
export const quietMs = (rule: AlertRuleName): number => (LIMITS.has(rule) ? QUIET_OF_LIMITS_MS : QUIET_MS);

/** Those that began to fire, and those that were resolved, between two steps. */
export function news(before: Alerts, after: Alerts): { fired: Followed[]; resolved: Followed[] } {
  const all = [...after.values()];
  return {
    fired: all.filter(({ id, fired, resolved }) => fired && !resolved && before.get(id)?.fired?.ms !== fired.ms),
    resolved: all.filter(({ id, resolved }) => resolved && before.get(id)?.resolved?.ms !== resolved.ms),
  };
}

/** Whether somebody wants to hear nothing of it. `now` is the time of day. */
export function isSilent(notes: AlertNotes, id: string, now: number): boolean {
  const until = notes.get(id)?.silencedUntil ?? null;
  return until !== null && Date.parse(until) > now;
}

/** What somebody is to be told by now who was told of those in `told`: of each once that it fires, and once that it is over. One that is silent is told of when its silence ends. */
export function tidings(
  told: ReadonlySet<string>,
  alerts: Alerts,
  silent: (id: string) => boolean,
): { readonly fresh: Followed[]; readonly over: Followed[]; readonly told: ReadonlySet<string> } {
  const fresh: Followed[] = [];
  const over: Followed[] = [];
  const after = new Set<string>();
  for (const alert of alerts.values()) {
    const { id, fired, resolved } = alert;
    const knew = told.has(id);
    if (resolved && knew) over.push(alert);
    if (!fired || resolved) continue;
    if (!knew && silent(id)) continue;
    if (!knew) fresh.push(alert);
    after.add(id);
  }
  return { fresh, over, told: after };
}

/** Whether one is about to fire: then it is worth looking again soon. */
export function isPending(alerts: Alerts): boolean {
  return [...alerts.values()].some(({ fired }) => !fired);
}

const ORDER: Readonly<Record<AlertView['state'], number>> = { firing: 0, acknowledged: 1, silenced: 2, pending: 3, resolved: 4 };

/** `now` is the time of day. */
export function alertsView(
  alerts: Alerts,
  notes: AlertNotes,
  { now, evaluatedAt }: { now: number; evaluatedAt: string | null },
): AlertsView {
  const views = [...alerts.values()].map((alert) => alertView(alert, notes, now));
  const rank = ({ state, severity }: AlertView) => ORDER[state] * 2 + (severity === 'critical' ? 0 : 1);
  return { alerts: views.toSorted((a, b) => rank(a) - rank(b) || (a.since < b.since ? 1 : -1)), evaluatedAt };
}

function alertView({ id, condition, since, fired, resolved }: Followed, notes: AlertNotes, now: number): AlertView {
  const note = notes.get(id);
  const { rule, severity, object, text, why, try: tries } = condition;
  const silencedUntil = isSilent(notes, id, now) ? (note?.silencedUntil ?? null) : null;
  const acknowledged = note?.acknowledgedAt && fired && note.acknowledgedAt >= fired.at ? note.acknowledgedBy : null;
  return {
    id,
    rule,
    severity: severity === 'problem' ? 'critical' : 'warning',
    state: stateOf({ fired, resolved, silencedUntil, acknowledged }),
    object,
    text,
    why,
    try: tries,
    since: since.at,
    firedAt: fired?.at ?? null,
    resolvedAt: resolved?.at ?? null,
    acknowledgedBy: acknowledged,
    silencedUntil,
  };
}

function stateOf(alert: {
  fired: unknown;
  resolved: unknown;
  silencedUntil: string | null;
  acknowledged: string | null;
}): AlertView['state'] {
  if (alert.resolved) return 'resolved';
  if (!alert.fired) return 'pending';
  if (alert.silencedUntil !== null) return 'silenced';
  return alert.acknowledged === null ? 'firing' : 'acknowledged';
}
