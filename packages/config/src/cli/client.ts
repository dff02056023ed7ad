// The dashboard's HTTP API, called. Every refusal of the dashboard is a ProblemError; not reaching it, or reaching something else, is a CodisError.

import { request as httpRequest } from 'node:http';
import { userInfo } from 'node:os';
import type { ProblemView } from '../api/index.ts';
import { CodisError, parseAddr } from '../model/index.ts';
import { ProblemError } from './failures.ts';

/** Longer than the slowest operation (a promotion that waits for a replica). */
const TIMEOUT_MS = 30_000;

export interface CallOptions {
  /** For what takes longer than most: it looks at every key, say. */
  readonly timeoutMs?: number;
}

export interface Call extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Behind /api/v1, with its query. */
  readonly path: string;
  readonly body?: object;
}

export interface Client {
  /** `View` is what the route answers; see @codis/config/api. */
  call<View>(call: Call): Promise<View>;
}

export interface Dashboard {
  /** `host:port`. */
  readonly addr: string;
  /** What says who calls: a token or a login's cookie. */
  readonly credentials: Readonly<Record<string, string>>;
}

export function dashboardClient(dashboard: Dashboard): Client {
  return {
    call: async <View>(call: Call) => {
      const { status, text } = await exchange(dashboard, call).catch((error: unknown) => {
        throw connectError(dashboard, call, error);
      });
      return answerOf<View>({ status, text }, dashboard.addr);
    },
  };
}

/** The view in an answer of `where`. Throws ProblemError for a refusal, CODIS_E_DASHBOARD_UNREACHABLE for what is neither. */
export function answerOf<View>({ status, text }: Pick<Exchanged, 'status' | 'text'>, where: string): View {
  const answer = parse(text);
  if (status >= 200 && status < 300 && answer !== undefined) return answer as View;
  if (isProblem(answer)) throw new ProblemError(answer);
  throw stranger(where, { status, text });
}

export interface Exchanged {
  readonly status: number;
  readonly text: string;
  /** The cookies it sets, without their attributes. */
  readonly cookies: readonly string[];
}

/** One request and its whole answer. Plain node:http: Node 20's fetch never settles when the other side takes the connection and drops it. */
export function exchange({ addr, credentials }: Dashboard, { method, path, body, timeoutMs = TIMEOUT_MS }: Call): Promise<Exchanged> {
  const payload = body && JSON.stringify(body);
  const headers = {
    accept: 'application/json',
    'x-codis-actor': actor(),
    ...credentials,
    ...(payload ? { 'content-type': 'application/json' } : {}),
  };
  return new Promise((done, failed) => {
    const outgoing = httpRequest({ ...parseAddr(addr), method, path: `/api/v1${path}`, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      const cookies = (response.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? '');
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8'), cookies }));
    });
    const overdue = setTimeout(() => outgoing.destroy(new TimeoutError()), timeoutMs);
    outgoing.on('error', failed);
    outgoing.on('close', () => clearTimeout(overdue));
    outgoing.end(payload);
  });
}

class TimeoutError extends Error {}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is ProblemView {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value && 'try' in value && Array.isArray(value.try);
}

/** The login name, for the audit log. */
export function actor(): string {
  try {
    return userInfo().username.replace(/[^\x20-\x7e]/g, '?') || 'codis-config';
  } catch {
    return 'codis-config';
  }
}

const unreachable = (what: string, cause?: unknown) => new CodisError('CODIS_E_DASHBOARD_UNREACHABLE', what, { cause });

/** It speaks HTTP, but is no dashboard. The admin address of a proxy says in plain text what it has. */
function stranger(addr: string, { status, text }: Pick<Exchanged, 'status' | 'text'>): CodisError {
  if (status === 404 && text.startsWith('there are: /healthz')) {
    return unreachable(
      `${addr} is the admin address of a proxy, which only tells how the proxy is; the dashboard has an address of its own`,
    );
  }
  return unreachable(`what answers at ${addr} is not a Codis dashboard (HTTP status ${status})`);
}

function connectError({ addr }: Dashboard, { timeoutMs = TIMEOUT_MS }: Call, error: unknown): CodisError {
  if (error instanceof TimeoutError) {
    const what = `the dashboard at ${addr} did not answer in ${timeoutMs / 1000} s; what was asked may still be done`;
    return new CodisError('CODIS_E_TIMEOUT', what, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') || code === 'ECONNRESET') {
    return unreachable(`what listens at ${addr} does not speak HTTP, or hung up; is it the port of a Redis or a proxy?`, error);
  }
  if (code === 'ECONNREFUSED') return unreachable(`the dashboard at ${addr} can't be reached: nothing listens there`, error);
  return unreachable(`the dashboard at ${addr} can't be reached: ${error instanceof Error ? error.message || code : String(error)}`, error);
}

/** What stands behind `?`: those of `values` that are given. */
export function queryText(values: object): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.toString();
}
