// Who is looking at the page, and whether they may change anything.

import type { LoginRequest, SessionView } from '@codis/config/api';
import { computed, effect, signal } from '@preact/signals';
import { t } from '../lib/words.ts';
import { asProblem, call, csrf, get, loggedOut, type Problem } from './api.ts';
import { connection, paused, trouble } from './live.ts';

export const session = signal<SessionView | null>(null);
/** Why it is not known who is looking. */
export const sessionProblem = signal<Problem | null>(null);

/** Why changes can't be asked for just now, in a sentence; null when they can. */
export const writeBlock = computed<string | null>(() => {
  const current = session.value;
  if (connection.value.kind !== 'live') return t('The connection to the dashboard is lost: what is shown may be old.');
  if (trouble.value !== null) return t('The dashboard can’t read the cluster just now, so what is shown may be old.');
  if (paused.value) return t('The view is paused: resume it, so that you see what you change.');
  if (current === null) return t('It is not known yet who you are.');
  if (current.readOnly) return t('This dashboard is read-only (dashboard_read_only).');
  if (current.role === 'viewer') return t('You are logged in as a viewer; an operator or admin can do this.');
  return current.role === null ? t('You are not logged in.') : null;
});

/** As `writeBlock`, for what only admins may do. */
export const adminBlock = computed<string | null>(
  () => writeBlock.value ?? (session.value?.role === 'admin' ? null : t('Only an admin can do this.')),
);

export const needsLogin = computed(() => session.value?.authRequired === true && session.value.role === null);

export async function loadSession(): Promise<void> {
  try {
    remember(await get<SessionView>('/session'));
    sessionProblem.value = null;
  } catch (error) {
    sessionProblem.value = asProblem(error);
  }
}

export async function login(request: LoginRequest): Promise<void> {
  remember(await call<SessionView>('POST', '/login', { body: request }));
}

export async function logout(): Promise<void> {
  remember(await call<SessionView>('POST', '/logout', { body: {} }));
}

/** Takes up who one is now. */
export function remember(next: SessionView): void {
  csrf.value = next.csrf;
  session.value = next;
  loggedOut.value = false;
}

/** A session that ended elsewhere, or ran out, is noticed by the next call; and a dashboard that comes back may have other settings. */
export function followSession(): () => void {
  const stopWatching = effect(() => {
    if (!loggedOut.value) return;
    loggedOut.value = false;
    void loadSession();
  });
  const stopReturning = effect(() => {
    if (connection.value.kind === 'live') void loadSession();
  });
  return () => {
    stopWatching();
    stopReturning();
  };
}
