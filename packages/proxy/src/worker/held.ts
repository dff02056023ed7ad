// A request that can't go out yet, because its slot is locked or its keys are still being handed over. It keeps the request's bytes, which the
// connection they came on will not keep.

import { invariant } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { FRAME, type Frame, RequestScanner } from '../resp/request-scanner.ts';
import { arena } from './arena.ts';
import type { Request } from './request.ts';
import type { Server } from './server.ts';

export interface Held {
  /** Null once it was answered with an error: whoever still lists it passes over it. */
  request: Request | null;
  readonly command: Command;
  readonly slot: number;
  readonly frame: Buffer;
  /** Where it was to go when it came; null for a slot that was locked then. */
  readonly to: Server | null;
  /** Where it is counted as in flight, if that is not at its slot. */
  readonly lane?: number;
  /** Of the table that it was routed by, while it waits for keys; and what moved its slot then, 0 for nothing. */
  readonly epoch?: number;
  readonly migration?: number;
  /** By the worker's coarse clock. */
  readonly heldAt: number;
  /** Hand-overs it still waits for. */
  waits: number;
  /** What to answer when it has waited too long, if something better is known than that. */
  why?: Buffer;
}

/** The bytes of `frame`, copied. */
export function copyFrame(frame: Frame): Buffer {
  return Buffer.from(frame.buf.subarray(frame.start, frame.end));
}

/** `frame`, in bytes that nobody writes to: what was read stands in the arena only as long as it is routed. */
export function ownFrame(frame: Frame): Frame {
  if (frame.buf !== arena) return frame;
  const { start, argc } = frame;
  const args = frame.args.slice(0, argc * 2);
  for (let at = 0; at < args.length; at++) args[at] = (args[at] as number) - start;
  return { buf: copyFrame(frame), start: 0, end: frame.end - start, argc, args, isLarge: false };
}

/** Where the arguments stand in a request that was copied; valid until the next call of anybody. */
export function reframe(bytes: Buffer): Frame {
  const scanner = new RequestScanner(bytes.length);
  scanner.feed(bytes);
  const result = scanner.next();
  invariant(result === FRAME, 'what was a request once is one still');
  return scanner.frame;
}
