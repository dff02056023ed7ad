// The copy of one big key: made in pieces at the target under a reserved name, and compared in the end. Nothing writes the key meanwhile (it is listed), so
// the copy is that of one moment.

import type { Redis } from 'ioredis';
import type { MigrationId, ServerAddr } from '../../model/index.ts';
import { probe } from '../../redis/probe.ts';
import { ahead, bytesOf, type OnPiece, type Place, ranged, scanned, sizeOfPiece } from './pieces.ts';
import { copyStream, streamSummary } from './streams.ts';
import { setInPieces } from './string-writer.ts';

export type Copied =
  | { readonly kind: 'copied' }
  /** It is not at the source: expired, evicted, flushed. */
  | { readonly kind: 'gone' }
  /** It can't be taken apart, and why. */
  | { readonly kind: 'whole'; readonly why: string };

/** Both ends: connections in the database of the key, to masters. */
export interface Ends {
  readonly from: Place & { readonly addr: ServerAddr };
  /** `key` is the reserved name. */
  readonly to: Place & { readonly addr: ServerAddr };
  readonly product: string;
  /** Which moves the key. */
  readonly migration: MigrationId;
}

/** The first of Redis whose streams can be copied from outside. */
const STREAMS_VERSION = 7;

/** Makes the copy anew. */
export async function copyBigKey(ends: Ends, onPiece: OnPiece): Promise<Copied> {
  const { from, to } = ends;
  await dropCopy(to);
  const type = await from.redis.type(from.key);
  if (type === 'none') return { kind: 'gone' };
  await to.redis.set(labelOf(to), labelFor(ends));
  const why = await copyAs(type, ends, onPiece);
  return why === null ? { kind: 'copied' } : { kind: 'whole', why };
}

/** Takes away what there is of a copy. */
export async function dropCopy(to: Place): Promise<void> {
  await to.redis.unlink(to.key, labelOf(to));
}

/** Says which key the copy is of, and in which move: it is written before the copy, so a replica that was behind when it became the master has no other copy by
 *  this name. What it may have is one of an earlier move: of the same key, as long, and older than what clients have written since. */
const labelOf = ({ key }: Place): Buffer => Buffer.concat([key, Buffer.from(':of')]);

const labelFor = ({ from, migration }: Ends): Buffer => Buffer.concat([Buffer.from(`${migration} `), from.key]);

/** Whether the copy is as the key, as far as its label, type and lengths tell. Also false when either is not there. */
export async function isComplete(ends: Ends): Promise<boolean> {
  const { from, to } = ends;
  if (!(await to.redis.getBuffer(labelOf(to)))?.equals(labelFor(ends))) return false;
  const [type, copied] = await Promise.all([from.redis.type(from.key), to.redis.type(to.key)]);
  if (type === 'none' || type !== copied) return false;
  const [size, copiedSize] = await Promise.all([sizeOf(from, type), sizeOf(to, type)]);
  return size === copiedSize;
}

/** Why it can't be taken apart; null when the copy is made. */
async function copyAs(type: string, { from, to, product }: Ends, onPiece: OnPiece): Promise<string | null> {
  switch (type) {
    case 'string':
      await setInPieces(to, await from.redis.strlen(from.key), paced(bytesOf(from), onPiece));
      return null;
    case 'hash':
      return copyHash(from, to, onPiece);
    case 'set':
      for await (const piece of paced(scanned(from, 'SSCAN'), onPiece)) await write(to, 'SADD', piece);
      return null;
    case 'zset':
      for await (const piece of paced(ranged(from, 'ZRANGE'), onPiece)) await write(to, 'ZADD', swapped(piece));
      return null;
    case 'list':
      for await (const piece of paced(ranged(from, 'LRANGE'), onPiece)) await write(to, 'RPUSH', piece);
      return null;
    case 'stream': {
      const versions = await Promise.all([from, to].map(({ addr, redis }) => probe(addr, redis, product)));
      const old = versions.find(({ version }) => Number.parseInt(version, 10) < STREAMS_VERSION);
      return old ? `${old.addr} is Redis ${old.version}, which can't tell or set all of a stream` : copyStream(from, to, onPiece);
    }
    default:
      return `it is a ${type}`;
  }
}

async function copyHash(from: Place, to: Place, onPiece: OnPiece): Promise<string | null> {
  const fieldsExpire = await knows(from.redis, 'HPTTL');
  for await (const piece of paced(scanned(from, 'HSCAN'), onPiece)) {
    if (fieldsExpire && (await someExpire(from, piece))) return 'it has fields with a time to live';
    await write(to, 'HSET', piece);
  }
  return null;
}

/** `piece`: fields and values in turn. HPTTL is of Redis 7.4. */
async function someExpire({ redis, key }: Place, piece: readonly Buffer[]): Promise<boolean> {
  const fields = piece.filter((_, at) => at % 2 === 0);
  const ttls = await redis.callBuffer('HPTTL', [key, 'FIELDS', String(fields.length), ...fields]);
  return (ttls as number[]).some((ttl) => ttl >= 0);
}

async function knows(redis: Redis, command: string): Promise<boolean> {
  const [info] = (await redis.call('COMMAND', ['INFO', command])) as unknown[];
  return info !== null && info !== undefined;
}

async function* paced<T extends Buffer | readonly Buffer[]>(pieces: AsyncGenerator<T>, onPiece: OnPiece): AsyncGenerator<T> {
  for await (const piece of ahead(pieces)) {
    yield piece;
    await onPiece(sizeOfPiece(piece));
  }
}

async function write({ redis, key }: Place, command: string, args: readonly Buffer[]): Promise<void> {
  await redis.callBuffer(command, [key, ...args]);
}

/** ZRANGE gives member and score, ZADD takes score and member. */
function swapped(pairs: readonly Buffer[]): Buffer[] {
  return pairs.map((_, at) => pairs[at ^ 1] as Buffer);
}

async function sizeOf(place: Place, type: string): Promise<string> {
  const command = SIZE_COMMANDS.get(type);
  if (type === 'stream') return streamSummary(place);
  return command === undefined ? '' : String(await place.redis.call(command, [place.key]));
}

const SIZE_COMMANDS: ReadonlyMap<string, string> = new Map([
  ['string', 'STRLEN'],
  ['hash', 'HLEN'],
  ['set', 'SCARD'],
  ['zset', 'ZCARD'],
  ['list', 'LLEN'],
]);
