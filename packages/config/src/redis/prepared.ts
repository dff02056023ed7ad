// Sending a command whose arguments stand ready as bytes. ioredis writes each argument anew, which for a thousand names takes as long as the server needs to
// hand their keys over.

import { Command, type Redis } from 'ioredis';

class PreparedCommand extends Command {
  readonly #bytes: Buffer;

  constructor(name: string, bytes: Buffer, replyEncoding: 'utf8' | null) {
    super(name, [], { replyEncoding });
    this.#bytes = bytes;
  }

  override toWritable(): Buffer {
    return this.#bytes;
  }
}

/** Before each argument `$<length>` and after it `\r\n`. */
const FRAME_BYTES = '$\r\n\r\n'.length;
const CR = 13;
const LF = 10;

/** Arguments of a command, encoded: `count` RESP bulk strings, one after the other. */
export interface EncodedArgs {
  readonly count: number;
  readonly bytes: Buffer;
}

export function encodeArgs(args: readonly (string | number | Buffer)[]): EncodedArgs {
  const values = args.map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg))));
  let length = 0;
  for (const value of values) length += value.length + String(value.length).length + FRAME_BYTES;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const value of values) {
    at += bytes.write(`$${value.length}\r\n`, at, 'latin1');
    at += value.copy(bytes, at);
    bytes[at++] = CR;
    bytes[at++] = LF;
  }
  return { count: args.length, bytes };
}

/** Those of `args` at `places`, and the others. */
export function splitArgs(args: EncodedArgs, places: ReadonlySet<number>): { readonly picked: EncodedArgs; readonly others: EncodedArgs } {
  const picked: Buffer[] = [];
  const others: Buffer[] = [];
  for (let place = 0, at = 0; place < args.count; place++) {
    const lineEnd = args.bytes.indexOf('\r\n', at);
    const end = lineEnd + Number(args.bytes.toString('latin1', at + 1, lineEnd)) + 2 * '\r\n'.length;
    (places.has(place) ? picked : others).push(args.bytes.subarray(at, end));
    at = end;
  }
  return {
    picked: { count: picked.length, bytes: Buffer.concat(picked) },
    others: { count: others.length, bytes: Buffer.concat(others) },
  };
}

/** Sends `name` with the arguments of `parts` in order. Bulk strings in the reply come as strings, or as bytes where `replyEncoding` is null. Throws as any command of `redis`. */
export function sendPrepared(
  redis: Redis,
  name: string,
  parts: readonly EncodedArgs[],
  replyEncoding: 'utf8' | null = 'utf8',
): Promise<unknown> {
  const count = 1 + parts.reduce((sum, part) => sum + part.count, 0);
  const head = Buffer.from(`*${count}\r\n$${name.length}\r\n${name}\r\n`, 'latin1');
  const command = new PreparedCommand(name, Buffer.concat([head, ...parts.map(({ bytes }) => bytes)]), replyEncoding);
  redis.sendCommand(command);
  return command.promise;
}
