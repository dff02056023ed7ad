// How codis-config fails: one line of what, then why and what to try, and an exit code that means something to scripts.

import type { Command, CommanderError } from 'commander';
import type { ProblemView } from '../api/index.ts';
import { CodisError, ERROR_KINDS, type ErrorCode } from '../model/index.ts';
import { tameText } from './output.ts';

/** Exit codes besides those of the error table (model/errors.ts). */
export const EXIT = { ok: 0, failed: 1, usage: 2, unhealthy: 7, timeout: 8, cancelled: 9 } as const;

/** The dashboard said no. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: ProblemView;

  constructor(problem: ProblemView) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** An expected failure of which more is known than of its kind: what to try in this case, best first. */
export class HintedError extends CodisError {
  readonly hints: readonly string[];

  constructor(code: ErrorCode, message: string, hints: readonly string[], options?: { cause?: unknown }) {
    super(code, message, options);
    this.hints = hints;
  }
}

/** What was typed can't be taken as it is. */
export function badUsage(message: string): HintedError {
  return new HintedError('CODIS_E_BAD_REQUEST', message, ['put --help behind the command: it begins with examples']);
}

/** A command line that is none, and the command at which that showed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly problem: CommanderError;
  readonly command: Command;

  constructor(problem: CommanderError, command: Command) {
    super(problem.message);
    this.problem = problem;
    this.command = command;
  }
}

export interface Failure {
  readonly text: string;
  readonly exit: number;
}

/** What to write to stderr, and the exit code. Anything that is not expected is a bug, said as one, with its stack only when `debug`. */
export function failureOf(error: unknown, { debug = false } = {}): Failure {
  const trace = debug && error instanceof Error ? `\n${error.stack ?? ''}` : '';
  if (error instanceof ProblemError) {
    const { detail, title, code, try: hints } = error.problem;
    return { text: layout(detail, title, hints) + trace, exit: isErrorCode(code) ? ERROR_KINDS[code].exit : EXIT.failed };
  }
  if (error instanceof CodisError) {
    const hints = error instanceof HintedError ? error.hints : [error.kind.hint];
    return { text: layout(error.message, error.kind.title, hints) + trace, exit: error.kind.exit };
  }
  const what = error instanceof Error ? error.message : String(error);
  const { title, hint, exit } = ERROR_KINDS.CODIS_E_INTERNAL;
  return { text: layout(what, title, [debug ? hint : 'run it again with --debug, and report what it says']) + trace, exit };
}

/** What to write to stderr about something that went wrong. */
export function layout(what: string, why: string, hints: readonly string[]): string {
  return [`error: ${what}`, `why:   ${why}`, ...hints.map((hint) => `try:   ${hint}`)].map(tameText).join('\n');
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_KINDS, code);
}
