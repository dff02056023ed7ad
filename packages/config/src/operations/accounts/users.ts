// Who may log in, and as what. Kept in the coordinator, so all dashboards of a product know the same.
//
// Invariant: once there are users, one of them is an admin. Each change of users raises the version of `users`, so no two that would leave none both happen.

import { type Coordinator, type Op, PATHS, userPath } from '../../coordinator/index.ts';
import { CodisError } from '../../model/index.ts';
import type { Caller } from '../caller.ts';
import { commitAudited, ensureParents } from '../commit.ts';
import { decodeRecord, textField } from './records.ts';
import { hashPassword, newPassword, type PasswordHash, passwordMatches } from './secrets.ts';

export type UserRole = 'viewer' | 'operator' | 'admin';

export const isUserRole = (value: unknown): value is UserRole => value === 'viewer' || value === 'operator' || value === 'admin';

/** `users/<name>`. */
export interface User {
  readonly name: string;
  readonly role: UserRole;
  readonly password: PasswordHash;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Logins from before the password was changed are over. */
  readonly passwordAt: string;
}

/** In order of name. */
export async function listUsers(coordinator: Coordinator): Promise<User[]> {
  const users = await Promise.all((await coordinator.list(PATHS.users)).map((name) => readUser(coordinator, name)));
  return users.filter((user) => user !== null);
}

export async function readUser(coordinator: Coordinator, name: string): Promise<User | null> {
  const entry = await coordinator.read(userPath(name));
  return entry && decodeUser(entry.data);
}

/** Throws CODIS_E_USER_EXISTS, or CODIS_E_BAD_REQUEST for a password that won't do. */
export async function addUser(caller: Caller, { name, role, password }: { name: string; role: UserRole; password: string }): Promise<void> {
  const hash = await hashPassword(password);
  const now = new Date().toISOString();
  await changeUsers(caller, async () => {
    if (await readUser(caller.coordinator, name)) throw new CodisError('CODIS_E_USER_EXISTS', `there is a user ${name} already`);
    return {
      op: { op: 'create', path: userPath(name), data: encode({ name, role, password: hash, createdAt: now, passwordAt: now }) },
      event: { action: 'user.add', object: `user ${name} as ${role}`, before: 'none', after: role },
    };
  });
}

/** Throws CODIS_E_UNKNOWN_USER, CODIS_E_USER_NEEDED for the last admin, or CODIS_E_BAD_REQUEST for a password that won't do. */
export async function changeUser(
  caller: Caller,
  { name, role, password }: { name: string; role?: UserRole | undefined; password?: string | undefined },
): Promise<void> {
  const hash = password === undefined ? undefined : await hashPassword(password);
  const now = new Date().toISOString();
  await changeUsers(caller, async () => {
    const { user, version } = await requireUser(caller.coordinator, name);
    if (role !== undefined && role !== 'admin') await checkNotLast(caller.coordinator, user);
    const changed: User = { ...user, role: role ?? user.role, ...(hash ? { password: hash, passwordAt: now } : {}) };
    const what = [role === undefined ? [] : [`role ${role}`], hash ? ['password'] : []].flat().join(', ');
    return {
      op: { op: 'set', path: userPath(name), data: encode(changed), version },
      event: { action: 'user.change', object: `user ${name}: ${what || 'nothing'}`, before: user.role, after: changed.role },
    };
  });
}

/** Throws CODIS_E_UNKNOWN_USER, or CODIS_E_USER_NEEDED for the last admin. */
export async function removeUser(caller: Caller, { name }: { name: string }): Promise<void> {
  await changeUsers(caller, async () => {
    const { user, version } = await requireUser(caller.coordinator, name);
    await checkNotLast(caller.coordinator, user);
    return {
      op: { op: 'delete', path: userPath(name), version },
      event: { action: 'user.remove', object: `user ${name}`, before: user.role, after: 'none' },
    };
  });
}

/** The user with this name and password; null when there is none. */
export async function checkPassword(
  coordinator: Coordinator,
  { name, password }: { name: string; password: string },
): Promise<User | null> {
  const user = await readUser(coordinator, name);
  return (await passwordMatches(password, user?.password ?? null)) ? user : null;
}

/** Makes `admin` where there is no user yet, and returns its password; null when there are some. */
export async function ensureAdmin(caller: Caller): Promise<string | null> {
  await ensureParents(caller);
  if ((await listUsers(caller.coordinator)).length > 0) return null;
  const password = newPassword();
  try {
    await addUser(caller, { name: 'admin', role: 'admin', password });
    return password;
  } catch (error) {
    if (error instanceof CodisError && error.code === 'CODIS_E_USER_EXISTS') return null;
    throw error;
  }
}

interface UserChange {
  readonly op: Op;
  readonly event: {
    readonly action: 'user.add' | 'user.change' | 'user.remove';
    readonly object: string;
    readonly before: string;
    readonly after: string;
  };
}

function changeUsers(caller: Caller, decide: () => Promise<UserChange>): Promise<void> {
  return commitAudited(caller, async () => {
    const all = await caller.coordinator.read(PATHS.users);
    const { op, event } = await decide();
    const guard: Op[] = all ? [{ op: 'set', path: PATHS.users, data: Buffer.alloc(0), version: all.version }] : [];
    return { ops: [...guard, op], event: { ...event, epoch: null }, value: undefined };
  });
}

async function requireUser(coordinator: Coordinator, name: string): Promise<{ user: User; version: number }> {
  const entry = await coordinator.read(userPath(name));
  if (!entry) throw new CodisError('CODIS_E_UNKNOWN_USER', `there is no user ${name}`);
  return { user: decodeUser(entry.data), version: entry.version };
}

async function checkNotLast(coordinator: Coordinator, { name, role }: User): Promise<void> {
  if (role !== 'admin') return;
  const admins = (await listUsers(coordinator)).filter((user) => user.role === 'admin' && user.name !== name);
  if (admins.length === 0) throw new CodisError('CODIS_E_USER_NEEDED', `${name} is the last admin`);
}

const encode = (user: User): Buffer => Buffer.from(JSON.stringify(user));

function decodeUser(data: Uint8Array): User {
  return decodeRecord('user', data, (value) => {
    const password = value['password'] as Record<string, unknown>;
    const role = value['role'];
    if (!isUserRole(role)) throw new TypeError(`its role is ${JSON.stringify(role)}`);
    return {
      name: textField(value, 'name'),
      role,
      password: { salt: textField(password, 'salt'), hash: textField(password, 'hash') },
      createdAt: textField(value, 'createdAt'),
      passwordAt: textField(value, 'passwordAt'),
    };
  });
}
