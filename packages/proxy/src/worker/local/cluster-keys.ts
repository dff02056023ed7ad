// CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT. Stock servers that are no cluster have no index of Redis Cluster's slots, so all masters are scanned, a piece at a
// time: it takes as long as SCAN over everything takes, and holds up nobody but the client that asked.
//
// A key that a slot move carries from a server not yet scanned to one already scanned is missed, as it may be by any walk that takes time.

import { fenceKey } from '@codis/config/model';
import { findCommand } from '../../commands/command.ts';
import { array, bulk, encodeRequest, errorReply, integer, NOT_AN_INTEGER } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { firstError } from '../gather.ts';
import type { Request } from '../request.ts';
import type { Router } from '../router.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { elementsOf } from '../split.ts';
import { text } from './args.ts';
import { CLUSTER_SLOT_COUNT, clusterSlotOf } from './cluster-slot.ts';

/** Keys asked for at once of each server: well under a millisecond of its time and of ours. */
const SCAN_COUNT = '1000';
/** What SCAN gives twice is counted once, so the names found are kept meanwhile. */
const FOUND_MAX = 1_000_000;

const INVALID_SLOT = errorReply('ERR Invalid slot');
const INVALID_SLOT_OR_COUNT = errorReply('ERR Invalid slot or number of keys');
const INTEGER = /^-?\d{1,18}$/;

interface SlotScan {
  readonly slot: number;
  /** As many keys are enough. */
  readonly max: number;
  readonly reply: (keys: ReadonlySet<string>) => Buffer;
}

export interface SlotKeysContext {
  readonly router: Router;
  readonly product: string;
}

/** COUNTKEYSINSLOT slot. */
export function countKeysInSlot(context: SlotKeysContext, session: Session, frame: Frame): Buffer | null {
  const slot = integerAt(frame, 2);
  if (slot === null) return NOT_AN_INTEGER;
  if (slot < 0 || slot >= CLUSTER_SLOT_COUNT) return INVALID_SLOT;
  return scan(context, session, frame, { slot, max: FOUND_MAX + 1, reply: countReply(slot) });
}

/** GETKEYSINSLOT slot count. */
export function getKeysInSlot(context: SlotKeysContext, session: Session, frame: Frame): Buffer | null {
  const slot = integerAt(frame, 2);
  const max = integerAt(frame, 3);
  if (slot === null || max === null) return NOT_AN_INTEGER;
  if (slot < 0 || slot >= CLUSTER_SLOT_COUNT || max < 0) return INVALID_SLOT_OR_COUNT;
  const reply = (keys: ReadonlySet<string>) => array([...keys].map((key) => bulk(Buffer.from(key, 'latin1'))));
  if (max === 0) return reply(new Set());
  return scan(context, session, frame, { slot, max: Math.min(max, FOUND_MAX), reply });
}

function integerAt(frame: Frame, at: number): number | null {
  const given = text(frame, at);
  return INTEGER.test(given) ? Number(given) : null;
}

const countReply = (slot: number) => (keys: ReadonlySet<string>) =>
  keys.size > FOUND_MAX
    ? errorReply(`ERR slot ${slot} of Redis Cluster has more than ${FOUND_MAX} keys here; the proxy counts no further`)
    : integer(keys.size);

function scan(context: SlotKeysContext, session: Session, frame: Frame, what: SlotScan): null {
  if (!session.inOrder(commandOf(frame), frame)) return null;
  const cursors = new Map(context.router.masters().map((server) => [server, '0']));
  scanOn({ ...context, session, parent: session.enqueue(), cursors, found: new Set(), what });
  return null;
}

interface Walk extends SlotKeysContext {
  readonly session: Session;
  readonly parent: Request;
  /** Of the servers that have more. */
  readonly cursors: Map<Server, string>;
  readonly found: Set<string>;
  readonly what: SlotScan;
}

/** One piece of every server that has more, and so on until all are through. */
function scanOn(walk: Walk): void {
  const { router, session, parent, cursors } = walk;
  const servers = [...cursors.keys()];
  const piece = (server: Server) => encodeRequest(['SCAN', cursors.get(server) ?? '0', 'COUNT', SCAN_COUNT]);
  const merge = (replies: readonly Buffer[]): Buffer | null => {
    const error = firstError(replies);
    if (error !== undefined) return error;
    for (const [at, server] of servers.entries()) takePiece(walk, server, replies[at] as Buffer);
    if (cursors.size === 0 || walk.found.size >= walk.what.max) return walk.what.reply(walk.found);
    scanOn(walk);
    return null;
  };
  router.ask(session, servers, piece, merge, parent);
}

function takePiece({ cursors, found, what, product }: Walk, server: Server, reply: Buffer): void {
  const [cursor, keys] = elementsOf(reply);
  const next = cursor === undefined ? '0' : contentOf(cursor).toString('latin1');
  if (next === '0') cursors.delete(server);
  else cursors.set(server, next);
  const fence = fenceKey(product);
  for (const element of keys === undefined ? [] : elementsOf(keys)) {
    const key = contentOf(element);
    if (clusterSlotOf(key) !== what.slot || found.size >= what.max) continue;
    const name = key.toString('latin1');
    if (name !== fence) found.add(name);
  }
}

/** What stands in a bulk string. */
function contentOf(bulkString: Buffer): Buffer {
  return bulkString.subarray(bulkString.indexOf(10) + 1, bulkString.length - 2);
}

function commandOf(frame: Frame) {
  const parent = findCommand(frame.buf, frame.args[0] as number, frame.args[1] as number);
  const command = parent?.subcommands?.get(text(frame, 1).toLowerCase());
  if (command === undefined) throw new Error('a request that is handled here has a command');
  return command;
}
