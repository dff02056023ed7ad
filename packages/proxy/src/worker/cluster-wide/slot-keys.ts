// CLUSTER COUNTKEYSINSLOT and GETKEYSINSLOT. Stock servers that are no cluster have no index of Redis Cluster's slots, so all groups are scanned, a piece at a
// time: it takes as long as a client's own SCAN over everything, finds what that finds (scan-pass.ts: also while slots move), and holds up
// nobody but the client that asked.

import { reservedNames } from '@codis/config/model';
import type { Command } from '../../commands/command.ts';
import { array, bulk, encodeRequest, errorReply, integer, NOT_AN_INTEGER } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Merge } from '../gather.ts';
import { text } from '../local/args.ts';
import { CLUSTER_SLOT_COUNT, clusterSlotOf } from '../local/cluster-slot.ts';
import type { Handlers } from '../local/local-commands.ts';
import { elementsOf } from '../merge.ts';
import type { Request } from '../request.ts';
import type { Router } from '../router.ts';
import type { Session } from '../session.ts';
import { commandNamed, contentOf, groundOf, isError, keepKeys, masterOfGroup } from './around.ts';
import type { Cursor } from './scan-cursor.ts';
import { placeAfter, placeFor, wantedAt } from './scan-pass.ts';

/** Keys asked for at once: well under a millisecond of its time and of ours. */
const SCAN_COUNT = '1000';
/** What SCAN gives twice is counted once, so the names found are kept meanwhile. */
const FOUND_MAX = 1_000_000;

const COUNTKEYSINSLOT = commandNamed('cluster|countkeysinslot');
const GETKEYSINSLOT = commandNamed('cluster|getkeysinslot');
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

export function slotKeysCommands(context: SlotKeysContext): Handlers {
  return [
    ['cluster|countkeysinslot', (session, frame) => countKeysInSlot(context, session, frame)],
    ['cluster|getkeysinslot', (session, frame) => getKeysInSlot(context, session, frame)],
  ];
}

/** COUNTKEYSINSLOT slot. */
function countKeysInSlot(context: SlotKeysContext, session: Session, frame: Frame): Buffer | null {
  const slot = integerAt(frame, 2);
  if (slot === null) return NOT_AN_INTEGER;
  if (slot < 0 || slot >= CLUSTER_SLOT_COUNT) return INVALID_SLOT;
  return scan(context, session, frame, COUNTKEYSINSLOT, { slot, max: FOUND_MAX + 1, reply: countReply(slot) });
}

/** GETKEYSINSLOT slot count. */
function getKeysInSlot(context: SlotKeysContext, session: Session, frame: Frame): Buffer | null {
  const slot = integerAt(frame, 2);
  const max = integerAt(frame, 3);
  if (slot === null || max === null) return NOT_AN_INTEGER;
  if (slot < 0 || slot >= CLUSTER_SLOT_COUNT || max < 0) return INVALID_SLOT_OR_COUNT;
  const reply = (keys: ReadonlySet<string>) => array([...keys].map((key) => bulk(Buffer.from(key, 'latin1'))));
  if (max === 0) return reply(new Set());
  return scan(context, session, frame, GETKEYSINSLOT, { slot, max: Math.min(max, FOUND_MAX), reply });
}

function integerAt(frame: Frame, at: number): number | null {
  const given = text(frame, at);
  return INTEGER.test(given) ? Number(given) : null;
}

const countReply = (slot: number) => (keys: ReadonlySet<string>) =>
  keys.size > FOUND_MAX
    ? errorReply(`ERR slot ${slot} of Redis Cluster has more than ${FOUND_MAX} keys here; the proxy counts no further`)
    : integer(keys.size);

function scan(context: SlotKeysContext, session: Session, frame: Frame, command: Command, what: SlotScan): null {
  if (!session.inOrder(command, frame)) return null;
  const walk = {
    ...context,
    session,
    parent: session.enqueue(),
    isReserved: reservedNames(context.product),
    found: new Set<string>(),
    what,
  };
  session.afterAll();
  const reply = scanOn(walk, null);
  if (reply !== null) session.answer(walk.parent, reply);
  return null;
}

interface Walk extends SlotKeysContext {
  readonly session: Session;
  readonly parent: Request;
  readonly isReserved: ReturnType<typeof reservedNames>;
  readonly found: Set<string>;
  readonly what: SlotScan;
}

/** The next piece, from `cursor` on (null: the first). Gives the reply when it is over, null while it goes on. */
function scanOn(walk: Walk, cursor: Cursor | null): Buffer | null {
  const { router, session, parent, found, what } = walk;
  const place = placeFor(cursor, groundOf(router));
  if (place === null || found.size >= what.max) return what.reply(found);
  const server = masterOfGroup(router, place.group);
  if (Buffer.isBuffer(server)) return server;
  const request = encodeRequest(['SCAN', String(place.at), 'COUNT', SCAN_COUNT]);
  const merge: Merge = ([reply]) => (isError(reply as Buffer) ? (reply as Buffer) : takePiece(walk, place, reply as Buffer));
  router.ask(session, [server], () => request, merge, parent);
  return null;
}

function takePiece(walk: Walk, place: Cursor, reply: Buffer): Buffer | null {
  const { router, found, what, isReserved } = walk;
  const [next, keys] = elementsOf(reply) as [Buffer, Buffer];
  const ground = groundOf(router);
  const wanted = wantedAt(place, ground);
  keepKeys(keys, (slot, start, end) => {
    const key = keys.subarray(start, end);
    if (found.size < what.max && clusterSlotOf(key) === what.slot && wanted(slot) && !isReserved(key)) found.add(key.toString('latin1'));
    return false;
  });
  const after = placeAfter(place, BigInt(contentOf(next).toString('latin1')), ground);
  return after === null ? what.reply(found) : scanOn(walk, after);
}
