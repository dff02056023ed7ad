// Since when each registered proxy has had no session, by the controller's own monotonic clock. Pure: what was known goes in, what is known now
// comes out.

import type { ProxyId, ProxyView } from '../model/index.ts';

/** When each proxy without a session was first seen without one. */
export type Absences = ReadonlyMap<ProxyId, number>;

/** The absences after looking at `proxies`: who is back or deregistered is forgotten, who is newly away is away since now. */
export function observeAbsences(absences: Absences, proxies: readonly ProxyView[], nowMs: number): Absences {
  const next = new Map<ProxyId, number>();
  for (const { id, live } of proxies) if (live === null) next.set(id, absences.get(id) ?? nowMs);
  return next;
}

/** Who has been away for `timeoutMs` and may be fenced, and who might just be coming back. */
export function sortAbsences(absences: Absences, { nowMs, timeoutMs }: { nowMs: number; timeoutMs: number }) {
  const lost: ProxyId[] = [];
  const doubtful: ProxyId[] = [];
  for (const [id, sinceMs] of absences) (nowMs - sinceMs >= timeoutMs ? lost : doubtful).push(id);
  return { lost, doubtful };
}
