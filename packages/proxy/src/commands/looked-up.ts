// A command that is not in the proxy's table, made out of what a server's COMMAND INFO says of it. Pure. What can't be routed for sure is refused, and says why.
//
//   from Redis 7:  name, arity, flags, first, last, step, categories, tips, key specs, subcommands        before: up to categories at most

import type { Value } from '../resp/decode.ts';
import { type CommandClass, refused } from './classes.ts';
import { type Command, LOOKED_UP_INDEX } from './command.ts';
import type { KeyPlace } from './key-places.ts';
import type { KeySpec } from './key-specs.ts';

const NO_KEYS = refused('it has no keys, which would say where it is to run; connect to a server');
const ADMIN = refused('it is about one server; connect to that server');
const PUBSUB = refused('the proxy does not know what it does with channels; connect to a server');
const UNKNOWN_KEYS = refused('its server does not tell where all of its keys stand; connect to a server');
const CONTAINER = refused('it has subcommands, and this is none of them');

/** `entry` is one item of the reply to COMMAND INFO; null for a command that the server doesn't know. */
export function commandFrom(entry: Value, name: string): Command | null {
  if (!Array.isArray(entry) || typeof entry[1] !== 'number') return null;
  const [, arity, flagNames, first, last, step, , , specs, children] = entry as readonly Value[];
  const flags = texts(flagNames).map((flag) => flag.toLowerCase());
  const keys = keysOf(specs, { first: number(first), last: number(last), step: number(step) }, flags);
  const subcommands = subcommandsOf(children, name);
  return {
    name,
    index: LOOKED_UP_INDEX,
    arity: number(arity),
    flags,
    keys: keys ?? { kind: 'range', first: 0, last: 0, step: 0 },
    class: subcommands === null ? classFor(flags, keys) : CONTAINER,
    subcommands,
  };
}

function classFor(flags: readonly string[], keys: KeySpec | null): CommandClass {
  if (keys === null) return UNKNOWN_KEYS;
  if (flags.includes('pubsub')) return PUBSUB;
  if (keys.kind === 'range' && keys.first <= 0) return flags.includes('admin') ? ADMIN : NO_KEYS;
  return { kind: flags.includes('blocking') ? 'blocking' : 'slot' };
}

/** Null when nobody can tell where all of them are. */
function keysOf(specs: Value | undefined, range: { first: number; last: number; step: number }, flags: readonly string[]): KeySpec | null {
  if (!Array.isArray(specs) || specs.length === 0)
    return flags.includes('movablekeys') || (range.first > 0 && range.step < 1) ? null : { kind: 'range', ...range };
  const places = (specs as readonly Value[]).map(placeOf);
  return places.includes(null) ? null : { kind: 'places', places: places.filter((place) => place !== null) };
}

function placeOf(spec: Value): KeyPlace | null {
  const flags = texts(field(spec, 'flags')).map((flag) => flag.toLowerCase());
  if (flags.includes('incomplete') || flags.includes('not_key')) return null;
  const begin = field(spec, 'begin_search');
  const find = field(spec, 'find_keys');
  const begins = beginOf(String(field(begin, 'type')), field(begin, 'spec'));
  const finds = findOf(String(field(find, 'type')), field(find, 'spec'));
  return begins === null || finds === null ? null : { begin: begins, find: finds };
}

function beginOf(type: string, spec: Value | undefined): KeyPlace['begin'] | null {
  if (type === 'index') return { kind: 'index', at: number(field(spec, 'index')) };
  if (type !== 'keyword') return null;
  return { kind: 'keyword', word: String(field(spec, 'keyword')).toLowerCase(), from: number(field(spec, 'startfrom')) };
}

function findOf(type: string, spec: Value | undefined): KeyPlace['find'] | null {
  const step = number(field(spec, 'keystep'));
  if (step < 1) return null;
  if (type === 'range') return { kind: 'range', last: number(field(spec, 'lastkey')), step, limit: number(field(spec, 'limit')) };
  if (type !== 'keynum') return null;
  return { kind: 'keynum', count: number(field(spec, 'keynumidx')), first: number(field(spec, 'firstkey')), step };
}

/** Their names come as `parent|child`, by the parent's own name. */
function subcommandsOf(children: Value | undefined, parent: string): ReadonlyMap<string, Command> | null {
  if (!Array.isArray(children) || children.length === 0) return null;
  const found = new Map<string, Command>();
  for (const child of children as readonly Value[]) {
    const full = Array.isArray(child) ? String(child[0]).toLowerCase() : '';
    const short = full.slice(full.indexOf('|') + 1);
    const command = commandFrom(child, `${parent}|${short}`);
    if (command !== null) found.set(short, command);
  }
  return found;
}

/** The value that follows `name` in a map. */
function field(map: Value | undefined, name: string): Value | undefined {
  if (!Array.isArray(map)) return undefined;
  for (let at = 0; at + 1 < map.length; at += 2) if (map[at] === name) return map[at + 1] as Value;
  return undefined;
}

function number(value: Value | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function texts(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
