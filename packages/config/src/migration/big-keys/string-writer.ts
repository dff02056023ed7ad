// One SET whose value is sent piece by piece. Redis takes the value off the network as it comes and keeps that very memory, so nothing is copied and nobody
// waits; APPEND and SETRANGE would move or clear the whole value again and again (up to 60 ms at a time for 100 MB, measured on Redis 7.0).

import { once } from 'node:events';
import { Command, type Redis } from 'ioredis';
import { CodisError } from '../../model/index.ts';
import type { Place } from './pieces.ts';

/** ioredis sends of this command what stands before the value. */
class SetHeader extends Command {
  readonly #header: Buffer;

  constructor(key: Buffer, bytesCount: number) {
    super('set', [key, '']);
    this.#header = Buffer.concat([Buffer.from(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n`), key, Buffer.from(`\r\n$${bytesCount}\r\n`)]);
  }

  override toWritable(): Buffer {
    return this.#header;
  }
}

/** Sets `to` to the pieces, which are `bytesCount` bytes together. The connection is used for nothing else meanwhile; after an error it must be closed, for the
 *  server still waits for the rest. */
export async function setInPieces({ redis, key }: Place, bytesCount: number, pieces: AsyncIterable<Buffer>): Promise<void> {
  const command = new SetHeader(key, bytesCount);
  const { stream } = redis;
  const done = redis.sendCommand(command) as Promise<unknown>;
  done.catch(() => undefined);
  let left = bytesCount;
  for await (const piece of pieces) {
    left -= piece.length;
    if (left < 0) break;
    // One that was closed already says so to nobody any more.
    if (stream.destroyed) break;
    if (!stream.write(piece)) await drained(stream);
  }
  if (left !== 0 || stream.destroyed) {
    redis.disconnect();
    throw new CodisError('CODIS_E_SERVER_UNREACHABLE', 'the value changed, or the connection broke, while it was copied');
  }
  stream.write('\r\n');
  await done;
}

/** Until it takes more, or is closed. */
async function drained(stream: Redis['stream']): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(stream, 'drain', { signal }), once(stream, 'close', { signal })]);
  } finally {
    over.abort();
  }
}
