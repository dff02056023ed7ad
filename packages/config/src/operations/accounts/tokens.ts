// Tokens: what programs log in with. `codis.<name>.<secret>`; only a hash of the secret is kept.

import { type Coordinator, PATHS, tokenPath } from '../../coordinator/index.ts';
import { CodisError } from '../../model/index.ts';
import type { Caller } from '../caller.ts';
import { commitAudited } from '../commit.ts';
import { decodeRecord, textField } from './records.ts';
import { equal, hashSecret, newSecret } from './secrets.ts';
import { isUserRole, type UserRole } from './users.ts';

const TOKEN = /^codis\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/;
const DAY_MS = 86_400_000;

/** `tokens/<name>`. */
export interface Token {
  readonly name: string;
  readonly role: UserRole;
  readonly hash: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Null: never. */
  readonly expiresAt: string | null;
}

/** In order of name. */
export async function listTokens(coordinator: Coordinator): Promise<Token[]> {
  const tokens = await Promise.all((await coordinator.list(PATHS.tokens)).map((name) => readToken(coordinator, name)));
  return tokens.filter((token) => token !== null);
}

/** Returns the secret too: it is said this once. Throws CODIS_E_USER_EXISTS. */
export async function addToken(
  caller: Caller,
  { name, role, expiresInDays }: { name: string; role: UserRole; expiresInDays: number | null },
): Promise<{ token: Token; secret: string }> {
  const secret = `codis.${name}.${newSecret()}`;
  const now = Date.now();
  const expiresAt = expiresInDays === null ? null : new Date(now + expiresInDays * DAY_MS).toISOString();
  const token: Token = { name, role, hash: hashSecret(secret), createdAt: new Date(now).toISOString(), expiresAt };
  await commitAudited(caller, async () => {
    if (await readToken(caller.coordinator, name)) throw new CodisError('CODIS_E_USER_EXISTS', `there is a token ${name} already`);
    return {
      ops: [{ op: 'create', path: tokenPath(name), data: Buffer.from(JSON.stringify(token)) }],
      event: { action: 'token.add', object: `token ${name} as ${role}`, epoch: null, before: 'none', after: tokenText(token) },
      value: undefined,
    };
  });
  return { token, secret };
}

/** Throws CODIS_E_UNKNOWN_TOKEN. */
export async function removeToken(caller: Caller, { name }: { name: string }): Promise<void> {
  await commitAudited(caller, async () => {
    const entry = await caller.coordinator.read(tokenPath(name));
    const token = await readToken(caller.coordinator, name);
    if (!entry || !token) throw new CodisError('CODIS_E_UNKNOWN_TOKEN', `there is no token ${name}`);
    return {
      ops: [{ op: 'delete', path: tokenPath(name), version: entry.version }],
      event: { action: 'token.remove', object: `token ${name}`, epoch: null, before: tokenText(token), after: 'none' },
      value: undefined,
    };
  });
}

function tokenText({ role, expiresAt }: Token): string {
  return expiresAt === null ? role : `${role} until ${expiresAt}`;
}

/** The token that `secret` is; null for none, or one that has expired. */
export async function checkToken(coordinator: Coordinator, secret: string): Promise<Token | null> {
  const name = TOKEN.exec(secret)?.[1];
  if (name === undefined) return null;
  const token = await readToken(coordinator, name);
  if (!token || !equal(token.hash, hashSecret(secret))) return null;
  return token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now() ? null : token;
}

async function readToken(coordinator: Coordinator, name: string): Promise<Token | null> {
  const entry = await coordinator.read(tokenPath(name));
  if (!entry) return null;
  return decodeRecord('token', entry.data, (value) => {
    const { role, expiresAt } = value;
    if (!isUserRole(role)) throw new TypeError(`its role is ${JSON.stringify(role)}`);
    if (expiresAt !== null && typeof expiresAt !== 'string') throw new TypeError('expiresAt is missing');
    return {
      name: textField(value, 'name'),
      role,
      hash: textField(value, 'hash'),
      createdAt: textField(value, 'createdAt'),
      expiresAt,
    };
  });
}
