// The requests of commands that block: how long they wait, and the same request with less time, or with the streams' ends written out. Pure.

import { encodeRequest } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { wholeNumber } from '../resp/whole-number.ts';
import { reframe } from './held.ts';
import { arg, text, word } from './local/args.ts';

/** Where the time-out stands, and how many milliseconds its unit has. */
interface TimeoutArg {
  readonly at: number;
  readonly unitMs: number;
}

const SECOND_MS = 1000;
const FIRST: ReadonlySet<string> = new Set(['blmpop', 'bzmpop']);
const LAST: ReadonlySet<string> = new Set(['blpop', 'brpop', 'blmove', 'brpoplpush', 'bzpopmin', 'bzpopmax']);

function timeoutArg(name: string, frame: Frame): TimeoutArg | null {
  if (FIRST.has(name)) return { at: 1, unitMs: SECOND_MS };
  if (LAST.has(name)) return { at: frame.argc - 1, unitMs: SECOND_MS };
  const streams = streamsAt(frame);
  for (let at = 1; at < streams; at++) {
    const option = word(frame, at);
    if (option === 'block') return { at: at + 1, unitMs: 1 };
    at += option === 'group' ? 2 : option === 'noack' ? 0 : 1;
  }
  return null;
}

/** How long a request says it will wait; Infinity for 0, which is for ever, and for what the server will refuse. */
export function waitMs(name: string, frame: Frame): number {
  const timeout = timeoutArg(name, frame);
  if (timeout === null) return Number.POSITIVE_INFINITY;
  const ms = Number(text(frame, timeout.at)) * timeout.unitMs;
  return ms > 0 ? ms : Number.POSITIVE_INFINITY;
}

/** The request with `ms` left to wait, at least one millisecond: 0 would be for ever. */
export function withWaitMs(name: string, bytes: Buffer, ms: number): Buffer {
  const frame = reframe(bytes);
  const timeout = timeoutArg(name, frame);
  if (timeout === null || ms === Number.POSITIVE_INFINITY) return bytes;
  const left = Math.max(1, Math.ceil(ms));
  return replaceArgs(frame, new Map([[timeout.at, timeout.unitMs === 1 ? String(left) : (left / SECOND_MS).toFixed(3)]]));
}

/** A stream that is read from its end: the arguments of its key and of the `$`. */
export interface StreamEnd {
  readonly key: Buffer;
  readonly at: number;
}

/** The streams that XREAD reads from wherever they end. Their keys are copies. */
export function streamEnds(name: string, frame: Frame): StreamEnd[] {
  if (name !== 'xread' || !hasGoodOptions(frame)) return [];
  const first = streamsAt(frame) + 1;
  const count = (frame.argc - first) / 2;
  const ends: StreamEnd[] = [];
  for (let stream = 0; stream < count; stream++) {
    const at = first + count + stream;
    if (text(frame, at) === '$') ends.push({ key: Buffer.from(arg(frame, first + stream)), at });
  }
  return ends;
}

/** Whether XREAD's options, BLOCK and COUNT, are numbers that Redis takes. Else it refuses them before it looks at any stream. */
function hasGoodOptions(frame: Frame): boolean {
  const streams = streamsAt(frame);
  for (let at = 1; at + 1 < streams; at += 2) {
    const value = wholeNumber(text(frame, at + 1));
    if (value === undefined || (value < 0n && word(frame, at) === 'block')) return false;
  }
  return true;
}

/** The request with these arguments replaced. */
export function replaceArgs(frame: Frame, values: ReadonlyMap<number, string>): Buffer {
  return encodeRequest(Array.from({ length: frame.argc }, (_, at) => values.get(at) ?? arg(frame, at)));
}

/** The argument STREAMS. */
function streamsAt(frame: Frame): number {
  for (let at = 1; at < frame.argc; at++) {
    const option = word(frame, at);
    if (option === 'streams') return at;
    at += option === 'group' ? 2 : option === 'noack' ? 0 : 1;
  }
  return frame.argc;
}
