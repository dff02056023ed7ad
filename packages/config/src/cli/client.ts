// The dashboard's HTTP API, called. Every refusal of the dashboard is a ProblemError; not reaching it, or reaching something else, is a CodisError.

import { userInfo } from 'node:os';
import type { ProblemView } from '../api/index.ts';
import { CodisError } from '../model/index.ts';
import { ProblemError } from './failures.ts';

/** Longer than the slowest operation (a promotion that waits for a replica). */
const TIMEOUT_MS = 30_000;

export interface Client {
  /** `View` is what the route answers; see @codis/config/api. */
  get<View>(path: string): Promise<View>;
  post<View>(path: string, body?: object): Promise<View>;
  put<View>(path: string, body: object): Promise<View>;
  delete<View>(path: string): Promise<View>;
}

/** A client of the dashboard at `addr` (`host:port`). */
export function dashboardClient(addr: string): Client {
  const call = <View>(method: string, path: string, body?: object) => request<View>({ addr, method, path, body });
  return {
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body) => call('PUT', path, body),
    delete: (path) => call('DELETE', path),
  };
}

interface Request {
  readonly addr: string;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
}

async function request<View>({ addr, method, path, body }: Request): Promise<View> {
  const headers = { accept: 'application/json', 'x-codis-actor': actor(), ...(body ? { 'content-type': 'application/json' } : {}) };
  let response: Response;
  let text: string;
  try {
    response = await fetch(`http://${addr}/api/v1${path}`, {
      method,
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (error) {
    throw connectError(addr, error);
  }
  const answer = parse(text);
  if (response.ok && answer !== undefined) return answer as View;
  if (isProblem(answer)) throw new ProblemError(answer);
  throw new CodisError(
    'CODIS_E_DASHBOARD_UNREACHABLE',
    `what answers at ${addr} is not a Codis dashboard (HTTP status ${response.status})`,
  );
}

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
function actor(): string {
  try {
    return userInfo().username.replace(/[^\x20-\x7e]/g, '?') || 'codis-config';
  } catch {
    return 'codis-config';
  }
}

function connectError(addr: string, error: unknown): CodisError {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return new CodisError(
      'CODIS_E_TIMEOUT',
      `the dashboard at ${addr} did not answer in ${TIMEOUT_MS / 1000} s; what was asked may still be done`,
      {
        cause: error,
      },
    );
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code.startsWith('HPE_')) {
    return new CodisError(
      'CODIS_E_DASHBOARD_UNREACHABLE',
      `what listens at ${addr} does not speak HTTP; is it the port of a proxy or a Redis?`,
      {
        cause: error,
      },
    );
  }
  const what = code === 'ECONNREFUSED' ? 'nothing listens there' : cause instanceof Error ? cause.message || code : String(cause);
  return new CodisError('CODIS_E_DASHBOARD_UNREACHABLE', `the dashboard at ${addr} can't be reached: ${what}`, { cause: error });
}
