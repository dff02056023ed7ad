// Logins of browsers. A session is kept in the coordinator under a hash of its secret, so that it holds at every dashboard, survives their restarts, and is over everywhere at once.

import { type Coordinator, type Op, PATHS, sessionPath } from '../../coordinator/index.ts';
import type { Caller } from '../caller.ts';
import { commitAudited } from '../commit.ts';
import { decodeRecord, textField } from './records.ts';
import { hashSecret, newSecret } from './secrets.ts';
import { readUser, type User } from './users.ts';

export const SESSION_HOURS = 12;
/** How many are kept; a login beyond them ends the oldest. */
const SESSIONS_MAX = 1000;
/** How many that are over one login clears away. */
const CLEARED_MAX = 20;

/** `sessions/<hash>`. */
interface Session {
  readonly user: string;
  readonly csrf: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly expiresAt: string;
}

/** `secret` is for the cookie. */
export async function openSession(caller: Caller, { user }: { user: User }): Promise<{ secret: string; csrf: string }> {
  const secret = newSecret();
  const csrf = newSecret();
  const now = Date.now();
  const expiresAt = new Date(now + SESSION_HOURS * 3_600_000).toISOString();
  const session: Session = { user: user.name, csrf, createdAt: new Date(now).toISOString(), expiresAt };
  await commitAudited(caller, async () => ({
    ops: [
      ...(await clearing(caller.coordinator, now)),
      { op: 'create', path: sessionPath(hashSecret(secret)), data: Buffer.from(JSON.stringify(session)) },
    ],
    event: { action: 'session.login', object: `user ${user.name}`, epoch: null, before: 'none', after: `logged in until ${expiresAt}` },
    value: undefined,
  }));
  return { secret, csrf };
}

/** Nothing happens when it is over already. */
export async function closeSession(caller: Caller, secret: string): Promise<void> {
  const path = sessionPath(hashSecret(secret));
  const entry = await caller.coordinator.read(path);
  if (!entry) return;
  const { user } = decodeSession(entry.data);
  await commitAudited(caller, async () => ({
    ops: (await caller.coordinator.read(path)) ? [{ op: 'delete', path }] : [],
    event: { action: 'session.logout', object: `user ${user}`, epoch: null, before: 'logged in', after: 'none' },
    value: undefined,
  }));
}

/** Whose session it is; null when it is none, is over, or its user is gone or has another password since. */
export async function checkSession(coordinator: Coordinator, secret: string): Promise<{ user: User; csrf: string } | null> {
  const entry = await coordinator.read(sessionPath(hashSecret(secret)));
  if (!entry) return null;
  const session = decodeSession(entry.data);
  if (Date.parse(session.expiresAt) <= Date.now()) return null;
  const user = await readUser(coordinator, session.user);
  return user && session.createdAt >= user.passwordAt ? { user, csrf: session.csrf } : null;
}

/** The steps that drop sessions that are over, and the oldest when there are too many. */
async function clearing(coordinator: Coordinator, now: number): Promise<Op[]> {
  const names = await coordinator.list(PATHS.sessions);
  const known = await Promise.all(
    names.map(async (name) => ({ path: sessionPath(name), entry: await coordinator.read(sessionPath(name)) })),
  );
  const sessions = known.flatMap(({ path, entry }) => (entry ? [{ path, session: decodeSession(entry.data) }] : []));
  const over = sessions.filter(({ session }) => Date.parse(session.expiresAt) <= now);
  const excess = sessions.length - over.length + 1 - SESSIONS_MAX;
  const oldest = sessions.toSorted((a, b) => a.session.createdAt.localeCompare(b.session.createdAt)).slice(0, Math.max(0, excess));
  return [...new Set([...over, ...oldest].map(({ path }) => path))].slice(0, CLEARED_MAX).map((path) => ({ op: 'delete', path }));
}

function decodeSession(data: Uint8Array): Session {
  return decodeRecord('session', data, (value) => ({
    user: textField(value, 'user'),
    csrf: textField(value, 'csrf'),
    createdAt: textField(value, 'createdAt'),
    expiresAt: textField(value, 'expiresAt'),
  }));
}
