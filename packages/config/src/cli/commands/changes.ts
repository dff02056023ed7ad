// What every change answers, as codis-config says it.

import type { ChangeView } from '../../api/index.ts';
import type { Call } from '../client.ts';
import type { Session } from '../session.ts';

/** Has the topology changed, and says in `done` what that was, with the epoch it made. False when it was a dry run. */
export async function changeTopology(session: Session, call: Call, done: string): Promise<boolean> {
  const view = await session.change<ChangeView>(call);
  if (view === null) return false;
  session.print({ json: view, table: `${done} (epoch ${view.epoch})`, names: [view.epoch], notes: view.notes });
  return true;
}

/** `slot 5` or `slots 0-511`. */
export function slotsText(first: number, last: number): string {
  return first === last ? `slot ${first}` : `slots ${first}-${last}`;
}

/** `0-511`, or `5`. */
export function rangeText(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
