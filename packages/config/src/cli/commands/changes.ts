// What every change answers, as codis-config says it.

import type { ChangeView } from '../../api/index.ts';
import type { Answer } from '../output.ts';

/** `done` in words, with the epoch it made. */
export function changed(view: ChangeView, done: string): Answer {
  return { json: view, table: `${done} (epoch ${view.epoch})`, names: [view.epoch], notes: view.notes };
}

/** `slot 5` or `slots 0-511`. */
export function slotsText(first: number, last: number): string {
  return first === last ? `slot ${first}` : `slots ${first}-${last}`;
}

/** `0-511`, or `5`. */
export function rangeText(first: number, last: number): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
