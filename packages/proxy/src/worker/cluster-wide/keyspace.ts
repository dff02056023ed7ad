// DBSIZE, RANDOMKEY and SWAPDB: a number, a key, and a swap over all groups that have slots. Reserved keys (the marker of
// a fence, big keys that are not complete) are not counted, not given and not swapped.
//
// SWAPDB is done at one master after the other. No slot may be in a move then, and none begins one: it counts as in flight for all slots, so that no lock is
// acknowledged before it is over. What hand-overs know of keys that have left is by database.

import { arrivalKey, SLOT_COUNT, slotOf } from '@codis/config/model';
import { DB_OUT_OF_RANGE, encodeRequest, errorReply, integer, nil } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { text } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import { integerIn } from '../merge.ts';
import type { Request } from '../request.ts';
import { LOCKED, MIGRATING } from '../route-table.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { type Around, commandNamed, contentOf, groundOf, isError, keptNames, mastersOf, mergeDone } from './around.ts';
import { groupsOf, mayHold } from './scan-pass.ts';

const DBSIZE = commandNamed('dbsize');
const RANDOMKEY = commandNamed('randomkey');
const SWAPDB = commandNamed('swapdb');

const DOLLAR = 0x24;
const MINUS = 0x2d;
const DATABASES = 16;
const EVERY_SLOT = Array.from({ length: SLOT_COUNT }, (_, slot) => slot);
const SLOTS_IN_MOVE = errorReply('TRYAGAIN slots are being moved; SWAPDB waits until they have arrived, see: codis-config migration list');
/** Keys that turn out to be none of the clients': gone by then, or in a group that does not have their slot. */
const RANDOM_TRIES = 32;

/** KEYS: the reserved names. */
const DBSIZE_SCRIPT = `return redis.call('DBSIZE') - redis.call('EXISTS', unpack(KEYS))`;
const RANDOMKEY_SCRIPT = `
local reserved = {}
for _, key in ipairs(KEYS) do reserved[key] = true end
for try = 1, 100 do
  local key = redis.call('RANDOMKEY')
  if not reserved[key] then return key end
end
return false
`.trim();
/** KEYS[1]: the marker, which stays in database 0. ARGV: two databases. */
const SWAPDB_SCRIPT = `
redis.call('SELECT', 0)
local marker = redis.call('GET', KEYS[1])
if marker then redis.call('DEL', KEYS[1]) end
redis.call('SWAPDB', ARGV[1], ARGV[2])
if marker then redis.call('SET', KEYS[1], marker) end
return redis.status_reply('OK')
`.trim();

export function keyspaceCommands(around: Around): Handlers {
  return [
    ['dbsize', (session, frame) => dbsize(around, session, frame)],
    ['randomkey', (session, frame) => randomkey(around, session, frame)],
    ['swapdb', (session, frame) => swapdb(around, session, frame)],
  ];
}

/** The masters of the groups that have slots, or an error. */
function mastersWithSlots({ router }: Around): Server[] | Buffer {
  return mastersOf(router, groupsOf(null, groundOf(router).slots));
}

function script(around: Around, body: string, ...args: readonly string[]): Buffer {
  return encodeRequest(['EVAL', body, '1', around.marker, ...args]);
}

/** The reserved names that there may be in the session's database: most are in database 0, and each group that big keys leave has one copy growing. */
function reservedFor({ product, router }: Around, { db }: Session): string[] {
  const { bigKeys, topology } = router.table;
  const names = new Set<string>();
  for (const slot of bigKeys.keys()) {
    const state = topology?.slots[slot];
    if (state?.kind === 'migrating' && state.bigKeys?.some((bigKey) => bigKey.db === db)) names.add(arrivalKey(product, state.from));
  }
  return db === 0 ? [...keptNames(router, product), ...names] : [...names];
}

function withoutReserved(around: Around, session: Session, plain: string, body: string): Buffer {
  const names = reservedFor(around, session);
  return encodeRequest(names.length === 0 ? [plain] : ['EVAL', body, String(names.length), ...names]);
}

function sizeRequest(around: Around, session: Session): Buffer {
  return withoutReserved(around, session, 'DBSIZE', DBSIZE_SCRIPT);
}

function dbsize(around: Around, session: Session, frame: Frame): Buffer | null {
  if (!session.inOrder(DBSIZE, frame)) return null;
  const servers = mastersWithSlots(around);
  if (Buffer.isBuffer(servers)) return servers;
  const request = sizeRequest(around, session);
  around.router.ask(
    session,
    servers,
    () => request,
    (replies) => replies.find(isError) ?? integer(replies.reduce((sum, reply) => sum + integerIn(reply), 0)),
  );
  return null;
}

function randomkey(around: Around, session: Session, frame: Frame): null {
  if (!session.inOrder(RANDOMKEY, frame)) return null;
  const parent = session.enqueue();
  session.afterAll();
  tryRandom(around, session, parent, RANDOM_TRIES);
  return null;
}

/** Any key of all is as likely as another, as far as each server makes it so. */
function tryRandom(around: Around, session: Session, parent: Request, tries: number): void {
  const { router } = around;
  const { slots } = groundOf(router);
  const groups = groupsOf(null, slots);
  const servers = mastersOf(router, groups);
  if (Buffer.isBuffer(servers)) {
    session.answer(parent, servers);
    return;
  }
  const size = sizeRequest(around, session);
  const request = withoutReserved(around, session, 'RANDOMKEY', RANDOMKEY_SCRIPT);
  const onSizes = (replies: readonly Buffer[]): Buffer | null => {
    const failed = replies.find(isError);
    if (failed !== undefined) return failed;
    const at = pick(replies.map(integerIn));
    const server = servers[at];
    if (server === undefined) return nil(session.protocol);
    router.ask(
      session,
      [server],
      () => request,
      ([reply]) => onKey(reply as Buffer, groups[at] as number),
      parent,
    );
    return null;
  };
  const onKey = (reply: Buffer, group: number): Buffer | null => {
    if (isError(reply) || isShown(around, reply, group)) return reply;
    if (tries <= 1) return nil(session.protocol);
    tryRandom(around, session, parent, tries - 1);
    return null;
  };
  router.ask(session, servers, () => size, onSizes, parent);
}

/** Whether it is a key, and of a slot that the group may have. */
function isShown({ router, isReserved }: Around, reply: Buffer, group: number): boolean {
  if (reply[0] !== DOLLAR || reply[1] === MINUS) return false;
  const key = contentOf(reply);
  const state = isReserved(key) ? undefined : groundOf(router).slots[slotOf(key)];
  return state !== undefined && mayHold(state, group);
}

/** An index, each as likely as its weight says; -1 when there is nothing to choose from. */
function pick(weights: readonly number[]): number {
  let left = Math.random() * weights.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  return weights.findIndex((weight) => {
    left -= Math.max(0, weight);
    return weight > 0 && left < 0;
  });
}

function swapdb(around: Around, session: Session, frame: Frame): Buffer | null {
  const [first, second] = [text(frame, 1), text(frame, 2)];
  if (!isInteger(first)) return errorReply('ERR invalid first DB index');
  if (!isInteger(second)) return errorReply('ERR invalid second DB index');
  if (![first, second].every((db) => Number(db) >= 0 && Number(db) < DATABASES)) return DB_OUT_OF_RANGE;
  if (!session.inOrder(SWAPDB, frame)) return null;
  const { table } = around.router;
  if (table.kind.some((kind) => kind === LOCKED || kind === MIGRATING)) return SLOTS_IN_MOVE;
  const servers = around.router.masters();
  const request = script(around, SWAPDB_SCRIPT, first, second);
  const parent = session.enqueue();
  session.afterAll();
  const merge = (replies: readonly Buffer[]) => mergeDone('SWAPDB', servers, replies);
  around.router.ask(session, servers, () => request, merge, parent, EVERY_SLOT);
  return null;
}

/** Of 32 bits, as Redis reads it. */
function isInteger(given: string): boolean {
  return /^(?:0|-?[1-9]\d{0,9})$/.test(given) && Number(given) === (Number(given) | 0);
}
