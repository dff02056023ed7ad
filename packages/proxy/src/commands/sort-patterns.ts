// SORT … BY pattern, GET pattern: commands that read keys which only the values of another key name. They may, where the pattern has a tag before its `*` that
// keeps every key it can make in the slot of the key that is sorted.
//
// Source: sort.c, sortCommandGeneric() and patternHashSlot(), of Redis 7.4, which takes that much in Redis Cluster.

import { slotOf } from '@codis/config/model';
import type { Frame } from '../resp/request-scanner.ts';
import type { Command } from './command.ts';

const STAR = 0x2a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** Longer than any option. */
const OPTION_BYTES_MAX = 8;

/** How many arguments follow an option, for those that have some. */
const VALUES: ReadonlyMap<string, number> = new Map([
  ['limit', 2],
  ['store', 1],
  ['by', 1],
  ['get', 1],
]);

/** The first option of a SORT whose keys may be in other slots; null when there is none. */
export function deniedOption(frame: Frame): 'BY' | 'GET' | null {
  const slot = slotOf(frame.buf, frame.args[2], frame.args[3]);
  const at = findPattern(frame, (start, end) => slotOfPattern(frame.buf, start, end) !== slot);
  if (at < 0) return null;
  return optionAt(frame, at - 1) === 'by' ? 'BY' : 'GET';
}

/** Whether a command reads keys that are not among its arguments. */
export function readsByPattern(command: Command, frame: Frame): boolean {
  return command.keys.kind === 'store' && command.keys.sort && findPattern(frame, () => true) >= 0;
}

/** The first argument behind BY or GET that has a `*` and for which `is` holds; -1 for none. */
function findPattern(frame: Frame, is: (start: number, end: number) => boolean): number {
  for (let arg = 2; arg < frame.argc; arg++) {
    const option = optionAt(frame, arg);
    const values = VALUES.get(option) ?? 0;
    arg += values;
    if ((option !== 'by' && option !== 'get') || arg >= frame.argc) continue;
    const start = frame.args[arg * 2] as number;
    const end = frame.args[arg * 2 + 1] as number;
    if (frame.buf.subarray(start, end).includes(STAR) && is(start, end)) return arg;
  }
  return -1;
}

function optionAt(frame: Frame, arg: number): string {
  const start = frame.args[arg * 2] as number;
  const end = frame.args[arg * 2 + 1] as number;
  return end - start > OPTION_BYTES_MAX ? '' : frame.buf.toString('latin1', start, end).toLowerCase();
}

/** The slot of every key that a pattern can make; -1 when it has no tag, or the value gets into it. */
function slotOfPattern(buf: Buffer, start: number, end: number): number {
  let open = -1;
  for (let at = start; at < end; at++) {
    const byte = buf[at];
    if (byte === STAR) return -1;
    if (byte === OPEN && open < 0) open = at;
    else if (byte === CLOSE && open >= 0) return slotOf(buf, open, at + 1);
  }
  return -1;
}
