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

export interface Client {
  /** `View` is what the route answers; see @codis/config/api. */
  get<View>(path: string, options?: CallOptions): Promise<View>;
  post<View>(path: string, body?: object, options?: CallOptions): Promise<View>;
  put<View>(path: string, body: object): Promise<View>;
  delete<View>(path: string): Promise<View>;
}

/** A client of the dashboard at `addr` (`host:port`). */
export function dashboardClient(addr: string): Client {
  const call = <View>(method: string, path: string, body?: object, { timeoutMs = TIMEOUT_MS }: CallOptions = {}) =>
    request<View>({ addr, method, path, body, timeoutMs });
  return {
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body, options) => call('POST', path, body, options),
    put: (path, body) => call('PUT', path, body),
    delete: (path) => call('DELETE', path),
  };
}

interface Request {
  readonly addr: string;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
  readonly timeoutMs: number;
}

async function request<View>(call: Request): Promise<View> {
  const { addr } = call;
  const { status, text } = await exchange(call).catch((error: unknown) => {
    throw connectError(call, error);
  });
  const answer = parse(text);
  if (status === 200 && answer !== undefined) return answer as View;
  if (isProblem(answer)) throw new ProblemError(answer);
  throw new CodisError('CODIS_E_DASHBOARD_UNREACHABLE', `what answers at ${addr} is not a Codis dashboard (HTTP status ${status})`);
}

/** One request and its whole answer. Plain node:http: Node 20's fetch never settles when the other side takes the connection and drops it. */
function exchange({ addr, method, path, body, timeoutMs }: Request): Promise<{ status: number; text: string }> {
  const payload = body && JSON.stringify(body);
  const headers = { accept: 'application/json', 'x-codis-actor': actor(), ...(payload ? { 'content-type': 'application/json' } : {}) };
  return new Promise((done, failed) => {
    const outgoing = httpRequest({ ...parseAddr(addr), method, path: `/api/v1${path}`, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () => done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
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
function actor(): string {
  try {
    return userInfo().username.replace(/[^\x20-\x7e]/g, '?') || 'codis-config';
  } catch {
    return 'codis-config';
  }
}

function connectError({ addr, timeoutMs }: Request, error: unknown): CodisError {
  const unreachable = (what: string) => new CodisError('CODIS_E_DASHBOARD_UNREACHABLE', what, { cause: error });
  if (error instanceof TimeoutError) {
    const what = `the dashboard at ${addr} did not answer in ${timeoutMs / 1000} s; what was asked may still be done`;
    return new CodisError('CODIS_E_TIMEOUT', what, { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code.startsWith('HPE_') || code === 'ECONNRESET') {
    return unreachable(`what listens at ${addr} does not speak HTTP, or hung up; is it the port of a Redis or a proxy?`);
  }
  if (code === 'ECONNREFUSED') return unreachable(`the dashboard at ${addr} can't be reached: nothing listens there`);
  return unreachable(`the dashboard at ${addr} can't be reached: ${error instanceof Error ? error.message || code : String(error)}`);
}
