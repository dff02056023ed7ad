// What one proxy does, as it says itself at its admin address: its numbers, its workers, its commands, its clients.

import type { ProxyClientsView, ProxyDetailView, ProxyTryView } from '@codis/config/api';
import { asProxyId, type ProxyView } from '@codis/config/model';
import { listProxies, readProxy, tryProxy } from '@codis/config/operations';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { readClients } from '../observe/proxy-clients.ts';
import { silentProxy } from '../observe/rates.ts';
import { answers, Count, describes, nullable, object, ProxyId, Slot, Time } from '../schemas.ts';

const Amount = nullable(Type.Number());
const ProxyDetailSchema = describes<ProxyDetailView>()(
  object({
    id: ProxyId,
    at: Time,
    opsPerSecond: Amount,
    errorsPerSecond: Amount,
    p50Ms: Amount,
    p99Ms: Amount,
    sessions: nullable(Count),
    serving: nullable(Type.Boolean()),
    uptimeSeconds: nullable(Count),
    version: nullable(Type.String()),
    cpuPercent: Amount,
    lagP99Ms: Amount,
    memoryBytes: nullable(Count),
    workersCount: nullable(Count),
    workerRestartsCount: nullable(Count),
    problem: nullable(Type.String()),
    workers: Type.Array(
      object({
        worker: Count,
        pid: Count,
        sessions: Count,
        opsPerSecond: Amount,
        errorsPerSecond: Amount,
        cpuPercent: Amount,
        lagP50Ms: Amount,
        lagP99Ms: Amount,
        lagMaxMs: Amount,
        memoryBytes: Count,
        epoch: Type.Integer({ minimum: -1 }),
      }),
    ),
    commands: Type.Array(object({ command: Type.String(), callsCount: Count, callsPerSecond: Amount })),
  }),
);
const ProxyClientsSchema = describes<ProxyClientsView>()(
  object({
    proxy: ProxyId,
    at: Time,
    clientsCount: nullable(Count),
    clients: Type.Array(
      object({
        id: Count,
        addr: Type.String(),
        name: Type.String(),
        db: Count,
        ageSeconds: Count,
        idleSeconds: Count,
        requestsCount: Count,
        opsPerSecond: Type.Number({ minimum: 0 }),
        command: nullable(Type.String()),
        inputBytes: Count,
        waitingBytes: Count,
      }),
    ),
    notes: Type.Array(Type.String()),
  }),
);
const ProxyTrySchema = describes<ProxyTryView>()(
  object({
    proxy: ProxyId,
    addr: Type.String(),
    ok: Type.Boolean(),
    slot: Slot,
    steps: Type.Array(object({ command: Type.String(), reply: Type.String(), ms: Type.Number({ minimum: 0 }) })),
    totalMs: Type.Number({ minimum: 0 }),
    problem: nullable(Type.String()),
  }),
);
const TOP = 20;
const TOP_MAX = 1000;
const ProxyParams = Type.Object({ proxy: ProxyId });

export function proxyDetailRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  app.get(
    '/proxies/:proxy/stats',
    {
      schema: {
        summary: 'What a proxy does, as it says itself, and its commands',
        params: ProxyParams,
        response: answers(ProxyDetailSchema),
      },
    },
    async ({ params }) => {
      const proxy = await readProxy(coordinator, asProxyId(params.proxy));
      const known = context.proxies.detail(proxy.id);
      if (known) return known;
      await context.proxies.ask(await listProxies(coordinator));
      return context.proxies.detail(proxy.id) ?? notAsked(proxy);
    },
  );
  app.get(
    '/proxies/:proxy/clients',
    {
      schema: {
        summary: 'The clients that ask the most of a proxy lately, busiest first',
        params: ProxyParams,
        querystring: Type.Object({ top: Type.Optional(Type.Integer({ minimum: 1, maximum: TOP_MAX, description: 'at most this many' })) }),
        response: answers(ProxyClientsSchema),
      },
    },
    async ({ params, query }) => readClients(await readProxy(coordinator, asProxyId(params.proxy)), query.top ?? TOP),
  );
  app.post(
    '/proxies/:proxy/try',
    {
      schema: {
        summary: 'Set, read and delete a key through a proxy, as a client would',
        params: ProxyParams,
        response: answers(ProxyTrySchema),
      },
    },
    async (request): Promise<ProxyTryView> => {
      const id = asProxyId(request.params.proxy);
      const trial = await tryProxy(callerOf(context, request), { id, password: context.settings.session_auth });
      return { proxy: id, ok: trial.problem === null, ...trial };
    },
  );
}

/** It registered in this very moment. */
function notAsked({ id }: ProxyView): ProxyDetailView {
  return { ...silentProxy(id, { at: new Date().toISOString(), problem: 'it was not asked yet' }), workers: [], commands: [] };
}
