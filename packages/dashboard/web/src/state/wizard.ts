// The move that is being thought about. Kept by the browser's tab, so that neither a reload nor a lost connection costs what was typed.

import type { CreatePlanRequest, PlanView } from '@codis/config/api';
import { effect, signal } from '@preact/signals';
import { type Draft, EMPTY_DRAFT, planRequest } from '../lib/draft.ts';
import { slotsText } from '../lib/slots.ts';
import { asProblem, call, type Problem } from './api.ts';
import { epoch, topology } from './live.ts';

const KEY = 'codis.draft';

export type Step = 'what' | 'where';

export const draft = signal<Draft>({ ...EMPTY_DRAFT, ...(read(KEY) as Partial<Draft>) });
export const step = signal<Step>('what');
export const planning = signal(false);
export const planProblem = signal<Problem | null>(null);

effect(() => write(KEY, draft.value));

export function change(fields: Partial<Draft>): void {
  planProblem.value = null;
  draft.value = { ...draft.peek(), ...fields };
}

export function draftOfSlots(slots: readonly number[]): void {
  change({ ...EMPTY_DRAFT, kind: 'slots', slots: slotsText(slots) });
  step.value = 'what';
}

export function draftOfDrain(group: number): void {
  change({ ...EMPTY_DRAFT, kind: 'drain', from: group });
  step.value = 'where';
}

/** Asks for the plan of the draft; null when it was refused. */
export function planDraft(): Promise<PlanView | null> {
  const table = topology.value;
  return table === null ? Promise.resolve(null) : plan(planRequest(draft.value, table));
}

export async function plan(request: CreatePlanRequest): Promise<PlanView | null> {
  planning.value = true;
  planProblem.value = null;
  try {
    return await call<PlanView>('POST', '/plans', { body: request, epoch: epoch.value });
  } catch (error) {
    planProblem.value = asProblem(error);
    return null;
  } finally {
    planning.value = false;
  }
}

function read(key: string): object {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(key) ?? '{}');
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    // Nothing is kept, or what is kept is not ours.
    if (error instanceof DOMException || error instanceof SyntaxError) return {};
    throw error;
  }
}

function write(key: string, value: unknown): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
}
