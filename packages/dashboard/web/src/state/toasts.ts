// Short messages about what was done. A failure stays until it is dismissed; a success goes by itself, unless somebody is at it.

import { signal } from '@preact/signals';
import { told } from '../lib/told.ts';
import { t } from '../lib/words.ts';
import { Problem } from './api.ts';

export interface Toast {
  readonly id: number;
  readonly kind: 'done' | 'failed';
  readonly text: string;
  readonly hints: readonly string[];
  readonly at: string;
}

const DONE_MS = 6000;
/** Of what was done; failures are never pushed out. */
const DONE_MAX = 5;
let nextId = 1;

export const toasts = signal<readonly Toast[]>([]);
/** Of those that go by themselves. */
const timers = new Map<number, ReturnType<typeof setTimeout>>();

export function toastDone(text: string, notes: readonly string[] = []): void {
  const toast = add({ kind: 'done', text, hints: notes });
  const excess = toasts.value.filter(({ kind }) => kind === 'done').slice(0, -DONE_MAX);
  for (const { id } of excess) dismiss(id);
  release(toast);
}

/** What fails again in the same way takes the place of the message of before. */
export function toastFailed(what: string, error: unknown): void {
  if (!(error instanceof Problem)) throw error;
  const text = `${t('{what}: ', { what })}${told(error.message) ?? error.message}`;
  for (const { id, kind, text: known } of toasts.value) if (kind === 'failed' && known === text) dismiss(id);
  add({ kind: 'failed', text, hints: error.hints });
}

export function dismiss(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Somebody points at it, or has the focus in it. */
export function hold(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
}

/** Nobody is at it (any more). Notes are to be read, at one's own speed. */
export function release({ id, kind, hints }: Toast): void {
  if (kind === 'failed' || hints.length > 0) return;
  hold(id);
  timers.set(
    id,
    setTimeout(() => dismiss(id), DONE_MS),
  );
}

function add(said: Omit<Toast, 'id' | 'at'>): Toast {
  const toast = { ...said, id: nextId++, at: new Date().toISOString() };
  toasts.value = [...toasts.value, toast];
  return toast;
}
