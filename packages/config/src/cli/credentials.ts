// What says who calls: a token from a file, or what `auth login` left behind. Kept below the home directory, readable for its owner only, one file for each dashboard.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CodisError } from '../model/index.ts';

/** Of a browser-like session: the cookie, and what has to be sent beside it with every change. */
export interface Login {
  readonly cookie: string;
  readonly csrf: string;
}

/** The headers to send to the dashboard at `addr`: none when there is neither. Throws CODIS_E_BAD_CONFIG. */
export function credentialsFor(addr: string, tokenFile: string | undefined): Readonly<Record<string, string>> {
  if (tokenFile !== undefined) return { authorization: `Bearer ${readSecret(tokenFile)}` };
  const login = readLogin(addr);
  return login === null ? {} : { cookie: login.cookie, 'x-codis-csrf': login.csrf };
}

/** A password or token: the first line of a file. Throws CODIS_E_BAD_CONFIG. */
export function readSecret(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CodisError('CODIS_E_BAD_CONFIG', `${file} can't be read: ${(cause as Error).message}`, { cause });
  }
  const secret = text.split(/\r?\n/)[0] ?? '';
  if (/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(secret)) return secret;
  throw new CodisError('CODIS_E_BAD_CONFIG', `${file} should have a password or a token in its first line, in printable ASCII characters`);
}

export function saveLogin(addr: string, login: Login): void {
  const file = loginFile(addr);
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  rmSync(file, { force: true });
  writeFileSync(file, JSON.stringify(login), { mode: 0o600, flag: 'wx' });
}

export function forgetLogin(addr: string): void {
  rmSync(loginFile(addr), { force: true });
}

/** Null when there is none, or what is there is not ours: then one logs in again. */
function readLogin(addr: string): Login | null {
  try {
    const { cookie, csrf } = JSON.parse(readFileSync(loginFile(addr), 'utf8')) as Partial<Login>;
    return typeof cookie === 'string' && typeof csrf === 'string' ? { cookie, csrf } : null;
  } catch {
    return null;
  }
}

function loginFile(addr: string): string {
  return join(homedir(), '.config', 'codis', `login-${addr.replaceAll(/[^A-Za-z0-9.-]/g, '_')}.json`);
}
