// What the proxy knows of a command, and how it finds it from the bytes of its name.

import { invariant } from '@codis/config/model';
import { CLASSES, type CommandClass, classOf } from './classes.ts';
import { ROWS, type Row } from './data.ts';
import { KEY_SPECS, type KeySpec } from './key-specs.ts';

export interface Command {
  /** Lower case; `object|encoding` for a subcommand. */
  readonly name: string;
  /** Dense, from 0: where counters of this command stand. */
  readonly index: number;
  /** As Redis has it: exact when positive, at least -arity when negative. */
  readonly arity: number;
  readonly flags: readonly string[];
  readonly keys: KeySpec;
  readonly class: CommandClass;
  /** Subcommands by lower-case name; null for a command without. */
  readonly subcommands: ReadonlyMap<string, Command> | null;
}

export const COMMANDS: readonly Command[] = build();
/** Of all commands that are not in the table, together. */
export const LOOKED_UP_INDEX = COMMANDS.length;
/** Length of whatever counts by `Command.index`. */
export const INDEX_COUNT = COMMANDS.length + 1;

const TABLE_SIZE = 4096;
const NAME_BYTES_MAX = 32;
const table = new Array<Command | undefined>(TABLE_SIZE);
const tableNames = new Array<Buffer | undefined>(TABLE_SIZE);
for (const command of COMMANDS) if (!command.name.includes('|')) insert(command);

/** HOT PATH. The command whose name stands at [start, end) of `buf`, in any case; undefined when there is none. */
export function findCommand(buf: Uint8Array, start: number, end: number): Command | undefined {
  if (end - start > NAME_BYTES_MAX) return undefined;
  let at = hash(buf, start, end);
  for (;;) {
    const name = tableNames[at];
    if (name === undefined) return undefined;
    if (sameName(name, buf, start, end)) return table[at];
    at = (at + 1) & (TABLE_SIZE - 1);
  }
}

/** A command that is known to be there. */
export function commandNamed(name: string): Command {
  const command = findCommand(Buffer.from(name), 0, name.length);
  invariant(command !== undefined, 'the table of commands has it');
  return command;
}

function insert(command: Command): void {
  const name = Buffer.from(command.name);
  let at = hash(name, 0, name.length);
  while (table[at] !== undefined) at = (at + 1) & (TABLE_SIZE - 1);
  table[at] = command;
  tableNames[at] = name;
}

/** `| 0x20` makes letters lower case; that it also folds a few other characters only costs a comparison. */
function hash(buf: Uint8Array, start: number, end: number): number {
  let value = end - start;
  for (let at = start; at < end; at++) value = (Math.imul(value, 31) + ((buf[at] as number) | 0x20)) | 0;
  return (value ^ (value >>> 12)) & (TABLE_SIZE - 1);
}

function sameName(name: Buffer, buf: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let at = 0; at < name.length; at++) {
    const byte = buf[start + at] as number;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    if (name[at] !== lower) return false;
  }
  return true;
}

function build(): Command[] {
  const commands: Command[] = [];
  const add = (row: Row, parent: string | null, subcommands: ReadonlyMap<string, Command> | null): Command => {
    const [name, arity, flags, first, last, step] = row;
    const command: Command = {
      name,
      index: commands.length,
      arity,
      flags: flags === '' ? [] : flags.split(' '),
      keys: KEY_SPECS[name] ?? { kind: 'range', first, last, step },
      class: CLASSES[name] ?? classOf({ flags: flags.split(' '), hasKeys: first > 0 || name in KEY_SPECS, parent: CLASSES[parent ?? ''] }),
      subcommands,
    };
    commands.push(command);
    return command;
  };
  const children = new Map<string, Map<string, Command>>();
  for (const row of ROWS) {
    const [parent, child] = row[0].split('|');
    if (parent === undefined || child === undefined) continue;
    const siblings = children.get(parent) ?? new Map<string, Command>();
    siblings.set(child, add(row, parent, null));
    children.set(parent, siblings);
  }
  for (const row of ROWS) if (!row[0].includes('|')) add(row, null, children.get(row[0]) ?? null);
  return commands;
}
