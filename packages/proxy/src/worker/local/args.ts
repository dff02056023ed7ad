// Arguments of a request as values, for commands that the proxy answers itself. Not for the hot path: everything here allocates.

import type { Frame } from '../../resp/request-scanner.ts';

/** The bytes of argument `at`; they belong to the frame. */
export function arg(frame: Frame, at: number): Buffer {
  return frame.buf.subarray(frame.args[at * 2], frame.args[at * 2 + 1]);
}

/** Longer text of a client is of no use to anyone, and may be too long for a string. */
const TEXT_BYTES_MAX = 1024 * 1024;

/** Argument `at` as UTF-8 text. */
export function text(frame: Frame, at: number): string {
  return arg(frame, at).subarray(0, TEXT_BYTES_MAX).toString('utf8');
}

/** Argument `at` in lower case: a subcommand, an option. */
export function word(frame: Frame, at: number): string {
  return text(frame, at).toLowerCase();
}

/** All arguments from number `from`, in lower case. */
export function words(frame: Frame, from: number): string[] {
  return Array.from({ length: Math.max(0, frame.argc - from) }, (_, at) => word(frame, from + at));
}
