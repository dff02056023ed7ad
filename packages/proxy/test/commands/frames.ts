// Requests as the router sees them, from words.

import { encodeRequest } from '../../src/resp/replies.ts';
import { FRAME, type Frame, RequestScanner } from '../../src/resp/request-scanner.ts';

/** Where the arguments of this request stand. It is valid until the next frame of anybody. */
export function frameOf(args: readonly (string | Buffer)[]): Frame {
  const request = encodeRequest(args);
  const scanner = new RequestScanner(request.length);
  scanner.feed(request);
  if (scanner.next() !== FRAME) throw new Error(`${args.map(String).join(' ')} is no request: ${scanner.error}`);
  return scanner.frame;
}

export function argOf(frame: Frame, at: number): Buffer {
  return frame.buf.subarray(frame.args[at * 2], frame.args[at * 2 + 1]);
}
