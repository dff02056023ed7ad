// Whether two replies are the same, byte for byte or as far as a line says.

import { elementsOf } from '../harness/raw-client.ts';
import type { Match } from './line.ts';

/** How far clocks may be apart between two servers of one test: in milliseconds or seconds, whatever the number counts. */
const APART_MAX = 20_000;

/** Errors are the same in any case: nothing that a line says excuses another text. */
export function agree(redis: Buffer, ours: Buffer, match: Match): boolean {
  if (redis.equals(ours)) return true;
  const [expected, found] = [redis.toString('latin1'), ours.toString('latin1')];
  if (expected.startsWith('-') || found.startsWith('-')) return false;
  switch (match) {
    case 'same':
      return false;
    case 'kind':
      return expected[0] === found[0];
    case 'numbers':
      return withoutNumbers(expected) === withoutNumbers(found);
    case 'names':
      return hasFields(expected, found);
    case 'near':
      return withoutNumbers(expected) === withoutNumbers(found) && numbersAreNear(expected, found);
    case 'unordered':
      return sorted(redis) === sorted(ours);
  }
}

/** Lengths of bulk strings are numbers too: those of texts that differ in the digits of a number. */
function withoutNumbers(text: string): string {
  return text.replace(/\d+(?:\.\d+)?/g, '#');
}

/** Fields of INFO about how a server was built and runs, which the proxy does not have: docs/commands.md says so. */
const ABSENT = new Set(
  `monotonic_clock atomicvar_api gcc_version hz configured_hz executable config_file repl_backlog_first_byte_offset evicted_clients
   instantaneous_input_repl_kbps instantaneous_output_repl_kbps total_reads_processed total_writes_processed io_threaded_reads_processed
   io_threaded_writes_processed reply_buffer_shrinks reply_buffer_expands`.split(/\s+/),
);

/** Every section and field that Redis has is there; what is there besides may be. */
function hasFields(expected: string, found: string): boolean {
  const fields = new Set(fieldsOf(found));
  return fieldsOf(expected).every((field) => fields.has(field) || ABSENT.has(field));
}

function fieldsOf(text: string): string[] {
  return (text.match(/^# \w+|^[\w.-]+(?=:)/gm) ?? []).filter((field) => field !== 'txt');
}

function numbersAreNear(expected: string, found: string): boolean {
  const numbers = numbersIn(found);
  return numbersIn(expected).every((number, at) => Math.abs(number - numbers[at]!) <= APART_MAX);
}

function numbersIn(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}

const AGGREGATES = new Set(['*', '~', '>', '%']);

/** A text that is equal for replies that hold the same in another order, on every level. A map's keys stay with their values. */
function sorted(reply: Buffer): string {
  const kind = String.fromCharCode(reply[0]!);
  if (!AGGREGATES.has(kind)) return reply.toString('latin1');
  const elements = elementsOf(reply).map(sorted);
  const entries = kind === '%' ? pairs(elements) : elements;
  return `${kind}${entries.length}[${entries.sort().join('')}]`;
}

function pairs(elements: readonly string[]): string[] {
  return elements.flatMap((element, at) => (at % 2 === 0 ? [`${element}${elements[at + 1] ?? ''}`] : []));
}

const SHOWN_MAX = 2000;

/** A reply as a failed test shows it. */
export function shown(reply: Buffer): string {
  const text = reply.toString('latin1');
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
}
