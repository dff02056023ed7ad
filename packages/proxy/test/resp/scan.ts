// What the tests of the RESP scanners share: bytes in pieces, and everything a scanner finds in them.

import { FAIL, FRAME, RequestScanner } from '../../src/resp/request-scanner.ts';

export const CRLF = '\r\n';

/** A text of bytes: every character is one. */
export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

export interface Scanned {
  /** The arguments of each request. */
  readonly requests: Buffer[][];
  /** Each request as it would be forwarded. */
  readonly frames: Buffer[];
  /** The protocol error it ended with, or null. */
  readonly error: string | null;
  /** Bytes of a request that is not all there. */
  readonly pendingBytes: number;
}

export interface ScanOptions {
  readonly bytesMax?: number;
  readonly authenticated?: boolean;
}

const MEGABYTE = 1024 * 1024;

/** Feeds `pieces` one after the other, as a session does, and throws when a frame that was returned changes afterwards. */
export function scanAll(pieces: Iterable<Buffer>, options: ScanOptions = {}): Scanned {
  const scanner = new RequestScanner(options.bytesMax ?? 64 * MEGABYTE);
  scanner.authenticated = options.authenticated ?? true;
  const requests: Buffer[][] = [];
  const kept: { frame: Buffer; copy: Buffer }[] = [];
  let error: string | null = null;
  for (const piece of pieces) {
    scanner.feed(piece);
    let result = scanner.next();
    for (; result === FRAME; result = scanner.next()) {
      const { buf, start, end, args, argc } = scanner.frame;
      requests.push(Array.from({ length: argc }, (_, at) => Buffer.from(buf.subarray(args[at * 2], args[at * 2 + 1]))));
      const frame = buf.subarray(start, end);
      kept.push({ frame, copy: Buffer.from(frame) });
    }
    if (result === FAIL) {
      error = scanner.error;
      break;
    }
  }
  const changed = kept.findIndex(({ frame, copy }) => !frame.equals(copy));
  if (changed >= 0) throw new Error(`frame ${changed} was overwritten after it was returned`);
  return { requests, frames: kept.map(({ copy }) => copy), error, pendingBytes: scanner.pendingBytes };
}

export function bytewise(input: Buffer): Buffer[] {
  return Array.from(input, (_, at) => input.subarray(at, at + 1));
}

/** Every way to cut `input` in two. */
export function everySplit(input: Buffer): Buffer[][] {
  return Array.from({ length: input.length + 1 }, (_, at) => [input.subarray(0, at), input.subarray(at)]);
}

/** `input` cut into pieces of these lengths, in turn and over again. */
export function cut(input: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < input.length; turn++) {
    const length = lengths[turn % lengths.length] ?? input.length;
    pieces.push(input.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
