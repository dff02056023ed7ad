// The numbers of the charts: fetched once for a range, and carried on from the live stream.

import type { HistoryRangeName, HistoryView } from '@codis/config/api';
import { effect, signal } from '@preact/signals';
import { appended, type History, marked } from '../lib/history.ts';
import { asProblem, get, type Problem } from './api.ts';
import { connection, live } from './live.ts';

export const RANGES: readonly HistoryRangeName[] = ['15m', '1h', '6h', '24h'];

export const range = signal<HistoryRangeName>('15m');
export const history = signal<History | null>(null);
export const historyProblem = signal<Problem | null>(null);

/** Loads the range that is asked for, anew after each break of the stream, and appends what comes; until it is stopped. */
export function followHistory(): () => void {
  const stopLoading = effect(() => {
    if (connection.value.kind === 'live') void load(range.value);
  });
  const stopAppending = effect(() => {
    const point = live.value?.point;
    const current = history.peek();
    if (point && current) history.value = marked(appended(current, point), live.value?.markers ?? []);
  });
  return () => {
    stopLoading();
    stopAppending();
  };
}

async function load(wanted: HistoryRangeName): Promise<void> {
  try {
    const loaded = await get<HistoryView>(`/history?range=${wanted}`);
    if (range.peek() !== wanted) return;
    history.value = loaded as History;
    historyProblem.value = null;
  } catch (error) {
    historyProblem.value = asProblem(error);
  }
}
