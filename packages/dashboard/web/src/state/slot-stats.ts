// Keys, bytes and requests by slot, as far as they are known. Not in the live stream: they come from looking through servers.

import type { SlotStatsView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { asProblem, get, type Problem } from './api.ts';

export const slotStats = signal<SlotStatsView | null>(null);
export const slotStatsProblem = signal<Problem | null>(null);
export const slotStatsBusy = signal(false);

/** `refresh`: has the servers looked through now. */
export async function loadSlotStats({ refresh }: { refresh: boolean }): Promise<void> {
  slotStatsBusy.value = true;
  try {
    slotStats.value = await get<SlotStatsView>(`/slots/stats${refresh ? '?refresh=true' : ''}`);
    slotStatsProblem.value = null;
  } catch (error) {
    slotStatsProblem.value = asProblem(error);
  } finally {
    slotStatsBusy.value = false;
  }
}
