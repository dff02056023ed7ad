// Sending a command whose arguments stand ready as bytes. ioredis writes each argument anew, which for a thousand names takes as long as the server needs to
// hand their keys over.

import { Command, type Redis } from 'ioredis';

class PreparedCommand extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, bytes: Buffer) {
    super(name, [], { replyEncoding: 'utf8' });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Arguments of a command, encoded: `count` RESP bulk strings, one after the other. */
export interface EncodedArgs {
  readonly count: number;
  readonly bytes: Buffer;
}

export function encodeArgs(args: readonly (string | number | Buffer)[]): EncodedArgs {
  const parts = args.flatMap((arg) => {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return { count: args.length, bytes: Buffer.concat(parts) };
}

/** Sends `name` with the arguments of `parts` in order. Bulk strings in the reply come as strings. Throws as any command of `redis`. */
export function sendPrepared(redis: Redis, name: string, parts: readonly EncodedArgs[]): Promise<unknown> {
  const count = 1 + parts.reduce((sum, part) => sum + part.count, 0);
  const head = Buffer.from(`*${count}\r\n$${name.length}\r\n${name}\r\n`, 'latin1');
  const command = new PreparedCommand(name, Buffer.concat([head, ...parts.map(({ bytes }) => bytes)]));
  redis.sendCommand(command);
  return command.promise;
}
