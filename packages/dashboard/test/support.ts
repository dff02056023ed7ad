// The dashboard's app in this process, over the real filesystem coordinator; real redis-servers where a test needs them. Every answer that
// passes through `call` is held against the OpenAPI document the app serves.

import { type Coordinator, openCoordinator } from '@codis/config/coordinator';
import { loadSettings } from '@codis/config/settings';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { pino } from 'pino';
import { afterAll, expect } from 'vitest';
import { scratchDir } from '../../../test/harness/process.ts';
import { buildApp } from '../src/app.ts';
import type { App } from '../src/context.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly json: Record<string, unknown>;
}

export interface TestDashboard {
  readonly app: App;
  readonly coordinator: ReturnType<typeof openCoordinator>;
  /** A request to the API; `path` begins behind /api/v1. */
  call(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** As `call`, and fails unless the answer is 200. */
  ok(method: Method, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  epoch(): Promise<number | null>;
  /** Every change that the description knows: method and path as it is there. */
  changes(): Promise<{ method: Method; path: string }[]>;
  reads(): Promise<string[]>;
  /** Looks at the cluster once, as a dashboard that listens does every two seconds. */
  observe(): Promise<void>;
  /** All that is kept in the coordinator, sessions aside and without what `except` names. */
  tree(except?: readonly string[]): Promise<Record<string, string>>;
}

/** `flags`: of config.ini, over those of a test. `beside`: shares the coordinator of another dashboard. */
export async function startDashboard(
  options: { elected?: boolean; flags?: Record<string, string>; beside?: TestDashboard } = {},
): Promise<TestDashboard> {
  const dir = scratchDir('dashboard');
  const { settings } = loadSettings({
    cwd: dir,
    flags: { product_name: 'test', coordinator_dir: 'coordinator', zk_session_timeout: '5000', ...options.flags },
  });
  const coordinator = options.beside?.coordinator ?? openCoordinator(settings);
  await coordinator.ready(5000);
  const controller = { status: () => ({ elected: options.elected ?? true }) };
  const app = await buildApp({ coordinator, controller, settings, log: pino({ level: 'silent' }) });
  afterAll(async () => {
    await app.close();
    if (!options.beside) await coordinator.close();
  });
  const document: unknown = (await app.inject({ url: '/api/openapi.json', headers: { host: 'localhost' } })).json();
  const checkAnswer = contractOf(document);
  const call: TestDashboard['call'] = async (method, path, body, headers = {}) => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await app.inject({
      method,
      url: `/api/v1${path}`,
      headers: { host: '127.0.0.1:18087', ...type, ...headers },
      ...payload,
    });
    const answer = { status: response.statusCode, headers: response.headers, json: response.json() as Record<string, unknown> };
    checkAnswer(method, path, answer);
    return answer;
  };
  return {
    app,
    coordinator,
    call,
    ok: async (...request) => {
      const answer = await call(...request);
      expect(answer.json['detail'] ?? answer.status).toBe(200);
      return answer;
    },
    epoch: async () => (await coordinator.read('topology'))?.version ?? null,
    changes: async () => operations(document).filter(({ method }) => method !== 'GET'),
    reads: async () =>
      operations(document)
        .filter(({ method }) => method === 'GET')
        .map(({ path }) => path),
    observe: () => app.observer.look(),
    tree: (except = []) => readTree(coordinator, except),
  };
}

/** `path` begins behind /api/v1. */
function operations(document: unknown): { method: Method; path: string }[] {
  const { paths } = document as { paths: Record<string, Record<string, unknown>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase() as Method, path: path.replace('/api/v1', '') })),
  );
}

async function readTree(coordinator: Coordinator, except: readonly string[], path = ''): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const name of await coordinator.list(path)) {
    const child = path === '' ? name : `${path}/${name}`;
    if (except.includes(child)) continue;
    const entry = await coordinator.read(child);
    if (entry) tree[child] = `${entry.version} ${entry.data.toString('utf8')}`;
    Object.assign(tree, await readTree(coordinator, except, child));
  }
  return tree;
}

interface Operation {
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

/** Checks answers against the document: the path, the method, the media type and the schema. */
function contractOf(document: unknown): (method: Method, path: string, answer: Answer) => void {
  const { paths } = document as { paths: Record<string, Record<string, Operation>> };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const validators = new Map<object, ValidateFunction>();
  return (method, path, { status, headers, json }) => {
    const operation = findOperation(paths, method, `/api/v1${path.split('?')[0]}`);
    if (!operation) return expect(json).toMatchObject({ code: 'CODIS_E_NOT_FOUND' });
    const described = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`];
    const type = String(headers['content-type']).split(';')[0] ?? '';
    const schema = described?.content?.[type]?.schema;
    if (!schema) throw new Error(`${method} ${path}: ${status} ${type} is not in the OpenAPI document`);
    const validate = validators.get(schema) ?? ajv.compile(schema);
    validators.set(schema, validate);
    if (!validate(json)) throw new Error(`${method} ${path}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(json)}`);
  };
}

function findOperation(paths: Record<string, Record<string, Operation>>, method: Method, path: string): Operation | undefined {
  const matches = Object.entries(paths).filter(([template, methods]) => {
    const pattern = new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`);
    return methods[method.toLowerCase()] !== undefined && pattern.test(path);
  });
  const exact = matches.find(([template]) => template === path) ?? matches[0];
  return exact?.[1][method.toLowerCase()];
}
