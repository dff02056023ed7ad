// Reading what is kept of users, tokens and sessions.

import { CodisError } from '../../model/index.ts';

/** Throws CODIS_E_COORDINATOR_CORRUPT. The message never repeats what was read. */
export function decodeRecord<T>(what: string, data: Uint8Array, read: (value: Record<string, unknown>) => T): T {
  try {
    return read(JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>);
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'it is no JSON' : (cause as Error).message;
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `a ${what} can't be read: ${why}`);
  }
}

/** Throws a TypeError. */
export function textField(from: Record<string, unknown>, field: string): string {
  const value = from[field];
  if (typeof value === 'string') return value;
  throw new TypeError(`${field} is missing`);
}
