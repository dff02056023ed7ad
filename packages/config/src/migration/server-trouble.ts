// What a Redis server did wrong, told apart from what this program did wrong.

import { CodisError } from '../model/index.ts';

const SERVER_CODES: ReadonlySet<string> = new Set([
  'CODIS_E_NO_MASTER',
  'CODIS_E_NOT_REDIS',
  'CODIS_E_SERVER_UNREACHABLE',
  'CODIS_E_SERVER_WRONG_ROLE',
  'CODIS_E_SOURCE_WENT_BACK',
  'CODIS_E_TIMEOUT',
]);

const FORBIDDEN = /unknown (?:redis )?command|NOPERM|not allowed|can't run this command|ACL failure/i;

/** Whether `error` is a server's doing: an error reply, or one of the codes that say so. */
export function isServerTrouble(error: unknown): error is Error {
  if (error instanceof CodisError) return SERVER_CODES.has(error.code);
  return isErrorReply(error);
}

/** The trouble in words, for a reason that people read; what is no server's doing is thrown on. */
export function serverTrouble(server: string, error: unknown): string {
  if (!isServerTrouble(error)) throw error;
  return isErrorReply(error) ? `${server} answered: ${error.message}` : error.message;
}

/** A server that does not know a command, or has an ACL that forbids it. */
export function isForbidden(error: unknown): boolean {
  return isErrorReply(error) && FORBIDDEN.test(error.message);
}

/** Broken connections as CODIS_E_SERVER_UNREACHABLE; any other error as it is. */
export function explained(server: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof CodisError || isErrorReply(error)) return error;
  if (!('code' in error) && !/timed out|Connection is closed|isn't writeable/.test(error.message)) return error;
  return new CodisError('CODIS_E_SERVER_UNREACHABLE', `${server} stopped answering: ${error.message}`, { cause: error });
}

function isErrorReply(error: unknown): error is Error & { readonly name: 'ReplyError' } {
  return error instanceof Error && error.name === 'ReplyError';
}
