// What the commands about all groups have in common: what they stand on, which server has a group, how the keys in a reply are gone through, and how
// many replies of one kind become one.

import { asGroupId, departureKeys, fenceKey, findGroup, masterOf, type reservedNames, type Slot, slotOf } from '@codis/config/model';
import { COMMANDS, type Command } from '../../commands/command.ts';
import { bulk, errorReply, OK } from '../../resp/replies.ts';
import type { Router } from '../router.ts';
import type { Server } from '../server.ts';
import type { Ground } from './scan-pass.ts';

export interface Around {
  readonly router: Router;
  /** The reserved key that a fence is made of: never shown, never flushed. */
  readonly marker: Buffer;
  readonly product: string;
  /** Whether a name is reserved: that of the marker, or of a big key's copy that is not complete. Never shown. */
  readonly isReserved: ReturnType<typeof reservedNames>;
  /** How much one reply may hold. */
  readonly replyBytesMax: number;
  /** CONFIG RESETSTAT: the proxy's own counters begin anew. */
  readonly resetStats: () => void;
}

const MINUS = 0x2d;
const LF = 10;
const CRLF_BYTES = 2;
const NO_GROUND: Ground['slots'] = [];

export function groundOf({ dispatcher: { table, history } }: Router): Ground {
  return { epoch: table.epoch, slots: table.topology?.slots ?? NO_GROUND, history };
}

/** The reserved names that there may be in database 0 of some master: the marker of a fence, what is kept while slots move, and what a target may know longer than that. */
export function keptNames({ table }: Router, product: string): string[] {
  const names = new Set([fenceKey(product)]);
  for (const { id } of table.topology?.groups ?? []) names.add(departureKeys(product, { from: id, to: id }).source);
  for (const state of table.topology?.slots ?? []) {
    if (state.kind !== 'migrating') continue;
    const { handed, left } = departureKeys(product, state);
    names.add(handed).add(left);
  }
  return [...names];
}

/** The master of a group, or the error that stands in the way. */
export function masterOfGroup({ table, servers }: Router, group: number): Server | Buffer {
  const found = table.topology === null ? undefined : findGroup(table.topology, asGroupId(group));
  const addr = found === undefined ? undefined : masterOf(found);
  const server = addr === undefined ? undefined : servers.get(addr);
  return server ?? errorReply(`ERR group ${group} has no master, and its keys can't be left out silently; see: codis-config server list`);
}

/** The masters of these groups, or the first error. */
export function mastersOf(router: Router, groups: Iterable<number>): Server[] | Buffer {
  const servers: Server[] = [];
  for (const group of groups) {
    const server = masterOfGroup(router, group);
    if (Buffer.isBuffer(server)) return server;
    servers.push(server);
  }
  return servers;
}

/** The table's entry of that name, for `Session.inOrder`. */
export function commandNamed(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found === undefined) throw new TypeError(`there is no command ${name}`);
  return found;
}

export function isError(reply: Buffer): boolean {
  return reply[0] === MINUS;
}

/** What stands in a bulk string that is a whole reply. */
export function contentOf(reply: Buffer): Buffer {
  return reply.subarray(reply.indexOf(LF) + 1, reply.length - CRLF_BYTES);
}

/** Bulk strings as they came, in runs. */
export interface Bulks {
  readonly runs: readonly Buffer[];
  readonly count: number;
}

/** The keys of an array of bulk strings that `keep` wants. Nothing is copied and nothing is made per key, for there may be millions. */
export function keepKeys(reply: Buffer, keep: (slot: Slot, start: number, end: number) => boolean): Bulks {
  const runs: Buffer[] = [];
  let count = 0;
  let run = -1;
  let at = reply.indexOf(LF) + 1;
  while (at < reply.length) {
    const start = reply.indexOf(LF, at) + 1;
    const end = start + lengthIn(reply, at + 1, start - CRLF_BYTES);
    if (keep(slotOf(reply, start, end), start, end)) {
      count++;
      if (run < 0) run = at;
    } else if (run >= 0) {
      runs.push(reply.subarray(run, at));
      run = -1;
    }
    at = end + CRLF_BYTES;
  }
  if (run >= 0) runs.push(reply.subarray(run, at));
  return { runs, count };
}

/** An array of them. */
export function arrayOf(bulks: Bulks): Buffer {
  return Buffer.concat([Buffer.from(`*${bulks.count}\r\n`), ...bulks.runs]);
}

/** OK when all servers say so. An error that all give is the reply; where some did it and some did not, the reply names them. */
export function mergeDone(what: string, servers: readonly Server[], replies: readonly Buffer[]): Buffer {
  const failed = replies.filter(isError);
  const [first] = failed;
  if (first === undefined) return replies[0] ?? OK;
  if (failed.length === replies.length) return first;
  const text = first.toString('utf8', 1).trim();
  const names = (are: boolean) => servers.filter((_, at) => isError(replies[at] as Buffer) === are).map(({ addr }) => addr);
  const code = /^[A-Z]+ /.exec(text)?.[0] ?? 'ERR ';
  return errorReply(
    `${code}${what} was carried out at ${names(false).join(', ')}, but not at ${names(true).join(', ')}: ${text.replace(code, '')}`,
  );
}

/** The first reply that is none, where any server will do. */
export function firstAnswer(replies: readonly Buffer[]): Buffer {
  return replies.find((reply) => !isError(reply)) ?? (replies[0] as Buffer);
}

export function bulkNumber(value: bigint): Buffer {
  return bulk(String(value));
}

function lengthIn(buf: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + ((buf[at] as number) - 0x30);
  return value;
}
