// What the masters say to one command about scripts or functions, as one reply. Pure.

import { errorReply } from '../../resp/replies.ts';
import type { Server } from '../server.ts';

const ERROR = 0x2d;

/** The reply of the first server when all agree that it was done; else an error: Redis's own when all gave the same one, else the first, with where it happened. */
export function allOrError(replies: readonly Buffer[], servers: readonly Pick<Server, 'addr'>[]): Buffer {
  const at = replies.findIndex((reply) => reply[0] === ERROR);
  const reply = replies[Math.max(at, 0)] as Buffer;
  if (at < 0 || replies.every((other) => other.equals(reply))) return reply;
  const others = replies.filter((other) => other[0] !== ERROR).length;
  const what = others === 0 ? 'no server has carried it out' : `${others} of ${replies.length} servers have carried it out`;
  return errorReply(`${reply.toString('utf8').slice(1).trim()} (at ${servers[at]?.addr ?? '?'}; ${what})`);
}

/** What KILL answers over all masters: that something was killed, or why not, or that there was nothing. */
export function mergeKills(replies: readonly Buffer[]): Buffer {
  const ranked = replies.toSorted((a, b) => killRank(a) - killRank(b));
  return ranked[0] as Buffer;
}

const KILL_RANKS = ['+OK', '-UNKILLABLE', '-BUSY', '-ERR', '-NOTBUSY'];

function killRank(reply: Buffer): number {
  const head = reply.toString('latin1', 0, 16);
  const rank = KILL_RANKS.findIndex((prefix) => head.startsWith(prefix));
  return rank < 0 ? KILL_RANKS.indexOf('-ERR') : rank;
}
