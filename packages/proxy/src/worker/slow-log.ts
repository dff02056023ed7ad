// The slow log of one worker: its last requests that took longer than slowlog_log_slower_than, newest first. The time is what a client sees of it in the proxy:
// from when its bytes were read to when the whole reply was here.
//
// Requests do not keep their bytes for this: a request knows where it stands in the worker's recent input, and its arguments are looked for there when it
// turns out to be slow. When that was overwritten meanwhile only the command is shown.

import { findArguments, redact } from './request-text.ts';
import type { SlowRequest } from './timings.ts';

export interface SlowEntry {
  readonly id: number;
  /** Unix time in seconds. */
  readonly time: number;
  readonly micros: number;
  /** Bytes as latin1, cut as Redis does. */
  readonly args: readonly string[];
  readonly addr: string;
  readonly name: string;
  readonly stages: SlowRequest['stages'];
}

/** Source: slowlog.h. */
const ARGS_MAX = 32;
const ARG_BYTES_MAX = 128;

export class SlowLog {
  readonly #options: { readonly entriesMax: number; readonly nextId: () => number };
  /** Oldest first. */
  readonly #entries: SlowEntry[] = [];

  /** `nextId`: unique in this proxy, and growing. */
  constructor(options: { readonly entriesMax: number; readonly nextId: () => number }) {
    this.#options = options;
  }

  get length(): number {
    return this.#entries.length;
  }

  add(slow: SlowRequest): void {
    const { entriesMax, nextId } = this.#options;
    if (slow.command.flags.includes('skip_slowlog') || entriesMax === 0) return;
    if (this.#entries.length >= entriesMax) this.#entries.shift();
    this.#entries.push({
      id: nextId(),
      time: Math.floor(Date.now() / 1000),
      micros: slow.micros,
      args: argumentsOf(slow),
      addr: slow.session?.addr ?? '',
      name: slow.session?.name ?? '',
      stages: slow.stages,
    });
  }

  /** The newest, newest first. */
  newest(count: number): SlowEntry[] {
    return this.#entries.slice(-count || this.#entries.length).reverse();
  }

  reset(): void {
    this.#entries.length = 0;
  }
}

/** Source: slowlog.c, slowlogCreateEntry(). */
function argumentsOf({ command, frame }: SlowRequest): string[] {
  const found = frame === null ? null : findArguments(frame, 0, ARGS_MAX);
  if (found === null) return [command.name.replace('|', ' ')];
  const words: string[] = [];
  for (let at = 0; at < found.at.length; at += 2) words.push(shortened(found.buf, found.at[at] as number, found.at[at + 1] as number));
  const cut = redact(command.name, words);
  if (found.count > ARGS_MAX) cut[ARGS_MAX - 1] = `... (${found.count - ARGS_MAX + 1} more arguments)`;
  return cut;
}

function shortened(buf: Buffer, start: number, end: number): string {
  if (end - start <= ARG_BYTES_MAX) return buf.toString('latin1', start, end);
  return `${buf.toString('latin1', start, start + ARG_BYTES_MAX)}... (${end - start - ARG_BYTES_MAX} more bytes)`;
}
