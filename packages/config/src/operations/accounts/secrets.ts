// Passwords and tokens, as they are kept: never as they are. A password is stretched by scrypt; what is random and long anyway is hashed once.

import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { CodisError } from '../../model/index.ts';

export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 256;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const SECRET_BYTES = 32;
/** About 50 ms, and 32 MB while it lasts. */
const COST = { N: 32_768, r: 8, p: 1, maxmem: 67_108_864 } as const;

export interface PasswordHash {
  readonly salt: string;
  readonly hash: string;
}

/** Throws CODIS_E_BAD_REQUEST for one that is too short or too long. */
export async function hashPassword(password: string): Promise<PasswordHash> {
  if (password.length < PASSWORD_LENGTH_MIN || password.length > PASSWORD_LENGTH_MAX) {
    throw new CodisError(
      'CODIS_E_BAD_REQUEST',
      `a password has ${PASSWORD_LENGTH_MIN} to ${PASSWORD_LENGTH_MAX} characters; this one has ${password.length}`,
    );
  }
  const salt = randomBytes(SALT_BYTES);
  return { salt: salt.toString('hex'), hash: (await stretch(password, salt)).toString('hex') };
}

/** `kept`: null for a user that does not exist, which takes as long. */
export async function passwordMatches(password: string, kept: PasswordHash | null): Promise<boolean> {
  if (password.length > PASSWORD_LENGTH_MAX) return false;
  const key = await stretch(password, Buffer.from(kept?.salt ?? '00'.repeat(SALT_BYTES), 'hex'));
  return kept !== null && equal(key.toString('hex'), kept.hash);
}

/** 43 characters that nobody guesses. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

/** For a first password: as hard to guess as it must be, and still to be typed. */
export const newPassword = (): string => randomBytes(12).toString('base64url');

/** Of a secret that is random. */
export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

export function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function stretch(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((done, failed) => {
    scrypt(password.normalize('NFC'), salt, KEY_BYTES, COST, (error, key) => (error ? failed(error) : done(key)));
  });
}
