// Calls to the dashboard's API: JSON in, JSON out, and every failure as a `Problem` that can be shown to a person.

import type { DryRunView, ProblemView } from '@codis/config/api';
import { signal } from '@preact/signals';
import { parseSafely } from '../lib/safe-json.ts';
import { t } from '../lib/words.ts';

const BASE = '/api/v1';
/** Looking through servers may take this long. */
const CALL_MS_MAX = 60_000;

/** What went wrong, in words, and what to do. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly hints: readonly string[];
  /** When it was met, ISO 8601. */
  readonly at = new Date().toISOString();

  constructor({ detail, code, status, hints }: { detail: string; code: string; status: number; hints: readonly string[] }) {
    super(detail);
    this.code = code;
    this.status = status;
    this.hints = hints;
  }
}

/** What to send as `x-codis-csrf`; null outside of a cookie's session. Set by session.ts. */
export const csrf = signal<string | null>(null);
/** Becomes true when an answer says that one has to log in again. */
export const loggedOut = signal(false);

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface CallOptions {
  readonly body?: unknown;
  /** Refused unless the topology is at this epoch. */
  readonly epoch?: number | null;
}

export const get = <Answer>(path: string): Promise<Answer> => call<Answer>('GET', path);

/** Asks what a change would do; nothing changes. */
export function dryRun(method: Method, path: string, options: CallOptions = {}): Promise<DryRunView> {
  return call<DryRunView>(method, `${path}${path.includes('?') ? '&' : '?'}dryRun=true`, options);
}

/** `path` begins behind /api/v1. Rejects with a `Problem`. */
export async function call<Answer>(method: Method, path: string, { body, epoch }: CallOptions = {}): Promise<Answer> {
  const headers = new Headers({ accept: 'application/json' });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (epoch !== undefined && epoch !== null) headers.set('if-match', `"${epoch}"`);
  if (method !== 'GET' && csrf.value !== null) headers.set('x-codis-csrf', csrf.value);
  if (method === 'POST') headers.set('idempotency-key', randomKey());
  const answer = await ask(`${BASE}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(CALL_MS_MAX),
  });
  if (answer.ok) return parseSafely(await answer.text()) as Answer;
  const problem = await problemOf(answer);
  if (answer.status === 401) loggedOut.value = true;
  throw problem;
}

async function ask(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    const unknown = init.method === 'GET' ? '' : t(' Whether the change was made is not known; look before you ask again.');
    throw Object.assign(
      new Problem({
        detail: `${late ? t('The dashboard did not answer in time.') : t('The dashboard does not answer.')}${unknown}`,
        code: 'CODIS_E_DASHBOARD_UNREACHABLE',
        status: 0,
        hints: [t('see whether codis-dashboard runs; what you typed is kept')],
      }),
      { cause },
    );
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  if (answer.headers.get('content-type')?.startsWith('application/problem+json')) {
    const { detail, code, status, try: hints } = parseSafely(await answer.text()) as ProblemView;
    return new Problem({ detail, code, status, hints });
  }
  return new Problem({
    detail: t('Something between this page and the dashboard answered in its place.'),
    code: 'CODIS_E_INTERNAL',
    status: answer.status,
    hints: [t('look at proxies and firewalls on the way to the dashboard')],
  });
}

/** Not randomUUID, which browsers keep for HTTPS and localhost. */
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
