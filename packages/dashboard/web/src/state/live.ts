// The live stream: one connection, the newest state, and whether it is to be believed.
//
//   connecting ──snapshot──▶ live ──5 s of silence, or the end of the stream──▶ lost ──snapshot──▶ live
//
// Invariant: what is shown while the connection is lost stays as it was, with its time; nothing is made up, nothing typed is touched.

import type { LiveTroubleView } from '@codis/config/api';
import { batch, computed, signal } from '@preact/signals';
import { applyLive, type LiveState } from '../lib/live-state.ts';
import { parseSafely } from '../lib/safe-json.ts';
import { SseParser } from '../lib/sse.ts';
import { loggedOut } from './api.ts';

const SILENCE_MS_MAX = 5000;
const LOOK_EVERY_MS = 500;
const RETRY_MS_FIRST = 250;
const RETRY_MS_MAX = 2000;

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `since`: when it was last heard of, by this browser's clock; null: never. */
  | { readonly kind: 'lost'; readonly since: number | null };

export const connection = signal<Connection>({ kind: 'connecting' });
/** The view stands still; what arrives is kept for later. */
export const paused = signal(false);
/** This browser's clock, once a second. */
export const now = signal(Date.now());

/** Why there is nothing to show yet, as the dashboard says it. */
export const beginningTrouble = signal<string | null>(null);

const newest = signal<LiveState | null>(null);
const frozen = signal<LiveState | null>(null);

/** What is shown; null before the first snapshot. */
export const live = computed(() => (paused.value ? frozen.value : newest.value));
export const loaded = computed(() => live.value !== null);
/** Why the dashboard can’t read the cluster just now; null while it can. */
export const trouble = computed(() => live.value?.trouble ?? null);
export const epoch = computed(() => live.value?.topology?.epoch ?? null);
export const status = computed(() => live.value?.status ?? null);
export const topology = computed(() => live.value?.topology ?? null);
export const migrations = computed(() => live.value?.migrations ?? []);
export const alerts = computed(() => live.value?.alerts.alerts ?? []);
/** When what is shown was read: when it was frozen, when the stream broke, or just now. */
export const asOf = computed(() => live.value?.at ?? null);

export function pause(on: boolean): void {
  batch(() => {
    frozen.value = newest.peek();
    paused.value = on;
  });
}

let heardAt: number | null = null;
let running: AbortController | null = null;

/** Keeps a connection until it is stopped. */
export function startLive(): () => void {
  const stop = new AbortController();
  const watch = setInterval(lookAround, LOOK_EVERY_MS);
  void keepConnected(stop.signal);
  return () => {
    stop.abort();
    running?.abort();
    clearInterval(watch);
  };
}

function lookAround(): void {
  const at = Date.now();
  if (Math.floor(at / 1000) !== Math.floor(now.value / 1000)) now.value = at;
  if (heardAt !== null && at - heardAt > SILENCE_MS_MAX) {
    lost();
    running?.abort();
  }
}

function lost(): void {
  if (connection.value.kind !== 'lost') connection.value = { kind: 'lost', since: heardAt };
}

async function keepConnected(stop: AbortSignal): Promise<void> {
  let wait = RETRY_MS_FIRST;
  while (!stop.aborted) {
    if (await readStream()) wait = RETRY_MS_FIRST;
    if (stop.aborted) return;
    lost();
    await new Promise((next) => setTimeout(next, wait * (0.75 + Math.random() / 2)));
    wait = Math.min(RETRY_MS_MAX, wait * 2);
  }
}

/** Reads one stream to its end; true when anything came. */
async function readStream(): Promise<boolean> {
  running = new AbortController();
  let heard = false;
  try {
    const answer = await fetch('/api/v1/live', { headers: { accept: 'text/event-stream' }, signal: running.signal });
    if (answer.status === 401) loggedOut.value = true;
    if (!answer.ok || answer.body === null) return false;
    const parser = new SseParser();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return heard;
      heard = true;
      take(parser, value);
    }
  } catch (error) {
    // How fetch says that nobody listens, that the line broke, and that we hung up.
    if (error instanceof TypeError || error instanceof DOMException) return heard;
    throw error;
  }
}

function take(parser: SseParser, text: string): void {
  heardAt = Date.now();
  batch(() => {
    let state = newest.peek();
    for (const { event, data } of parser.push(text)) {
      const content = parseSafely(data);
      state = applyLive(state, event, content);
      if (event === 'snapshot') connection.value = { kind: 'live' };
      if (event === 'trouble') beginningTrouble.value = (content as LiveTroubleView).detail;
    }
    newest.value = state;
  });
}
