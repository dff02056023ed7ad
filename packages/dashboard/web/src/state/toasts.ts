// Short messages about what was done. A failure stays until it is dismissed; a success goes by itself.

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
const SHOWN_MAX = 5;
let nextId = 1;

export const toasts = signal<readonly Toast[]>([]);

export function toastDone(text: string, notes: readonly string[] = []): void {
  const id = add({ kind: 'done', text, hints: notes });
  // Notes are to be read, at one's own speed.
  if (notes.length === 0) setTimeout(() => dismiss(id), DONE_MS);
}

export function toastFailed(what: string, error: unknown): void {
  if (!(error instanceof Problem)) throw error;
  add({ kind: 'failed', text: `${t('{what}: ', { what })}${told(error.message) ?? error.message}`, hints: error.hints });
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

function add(toast: Omit<Toast, 'id' | 'at'>): number {
  const id = nextId++;
  toasts.value = [...toasts.value, { ...toast, id, at: new Date().toISOString() }].slice(-SHOWN_MAX);
  return id;
}
