// A stream's copy: entries, what XADD would do next, groups with their consumers, and what each consumer has not acknowledged. Of these only when a consumer was
// last seen begins anew. A pending entry that was deleted from the stream can't be made again from outside: such a stream moves in one step.
//
// Needs Redis 7 on both sides, where all of it can be told and set.

import { ahead, entries, type OnPiece, type Place, sizeOfPiece } from './pieces.ts';

const PENDING_COUNT = 500;

/** Copies all but the entries' pieces' pace, which `onPiece` keeps. Returns why it can't be taken apart; null when the copy is made. */
export async function copyStream(from: Place, to: Place, onPiece: OnPiece): Promise<string | null> {
  for await (const piece of ahead(entries(from))) {
    await all(
      to,
      piece.map(([id, fields]) => ['XADD', to.key, id, ...fields]),
    );
    await onPiece(piece.reduce((sum, [, fields]) => sum + sizeOfPiece(fields), 0));
  }
  const about = await fieldsOf(from, 'STREAM', []);
  if (Number(about.get('length')) === 0) return 'it has no entries';
  const counters = ['ENTRIESADDED', text(about, 'entries-added'), 'MAXDELETEDID', text(about, 'max-deleted-entry-id')];
  await all(to, [['XSETID', to.key, text(about, 'last-generated-id'), ...counters]]);
  for (const group of await listOf(from, 'GROUPS', [])) {
    const why = await copyGroup(from, to, group, onPiece);
    if (why !== null) return why;
  }
  return null;
}

/** What tells two streams apart without reading their entries. */
export async function streamSummary(place: Place): Promise<string> {
  const about = await fieldsOf(place, 'STREAM', []);
  const groups = await listOf(place, 'GROUPS', []);
  const fields = ['length', 'last-generated-id', 'max-deleted-entry-id', 'entries-added'].map((name) => String(about.get(name)));
  const of = (group: Fields) =>
    ['name', 'consumers', 'pending', 'last-delivered-id', 'entries-read'].map((name) => latin1(group.get(name)));
  return JSON.stringify([...fields, groups.map(of)]);
}

async function copyGroup(from: Place, to: Place, group: Fields, onPiece: OnPiece): Promise<string | null> {
  const name = group.get('name') as Buffer;
  const read = group.get('entries-read');
  const entriesRead = typeof read === 'number' ? ['ENTRIESREAD', String(read)] : [];
  await all(to, [['XGROUP', 'CREATE', to.key, name, text(group, 'last-delivered-id'), ...entriesRead]]);
  for (const consumer of await listOf(from, 'CONSUMERS', [name])) {
    await all(to, [['XGROUP', 'CREATECONSUMER', to.key, name, consumer.get('name') as Buffer]]);
  }
  let count = 0;
  for (let start = '-'; ; ) {
    const reply = await from.redis.callBuffer('XPENDING', [from.key, name, start, '+', String(PENDING_COUNT)]);
    const pending = reply as [Buffer, Buffer, number, number][];
    const last = pending.at(-1);
    if (last === undefined) break;
    start = `(${String(last[0])}`;
    const claims = pending.map(([id, consumer, idleMs, deliveries]) => {
      const state = ['IDLE', String(idleMs), 'RETRYCOUNT', String(deliveries), 'FORCE', 'JUSTID'];
      return ['XCLAIM', to.key, name, consumer, '0', id, ...state];
    });
    const claimed = await all(to, claims);
    if (claimed.some((ids) => (ids as Buffer[]).length === 0)) return 'entries are pending that were deleted from it';
    count += pending.length;
    await onPiece(0);
  }
  return count === Number(group.get('pending')) ? null : 'its pending entries changed meanwhile';
}

type Fields = ReadonlyMap<string, unknown>;

async function fieldsOf({ redis, key }: Place, what: string, args: readonly Buffer[]): Promise<Fields> {
  return pairs((await redis.callBuffer('XINFO', [what, key, ...args])) as unknown[]);
}

async function listOf({ redis, key }: Place, what: string, args: readonly Buffer[]): Promise<Fields[]> {
  return ((await redis.callBuffer('XINFO', [what, key, ...args])) as unknown[][]).map(pairs);
}

function pairs(reply: readonly unknown[]): Fields {
  const fields = new Map<string, unknown>();
  for (let at = 0; at < reply.length; at += 2) fields.set(String(reply[at]), reply[at + 1]);
  return fields;
}

const latin1 = (value: unknown) => (Buffer.isBuffer(value) ? value.toString('latin1') : value);
const text = (fields: Fields, name: string) => String(fields.get(name));

/** All in one go; throws the first error. */
async function all({ redis }: Place, commands: readonly (readonly (string | Buffer)[])[]): Promise<unknown[]> {
  return Promise.all(commands.map(([name, ...args]) => redis.callBuffer(String(name), args)));
}
