// Slow requests of proxies and servers in one list.

import type { SlowEntryView, SlowLogView } from '@codis/config/api';
import type { ProxyView } from '@codis/config/model';
import { listMigrations, listProxies, readSlowLogs, readTopology } from '@codis/config/operations';
import { topologyView } from '@codis/config/status';
import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { keyNamesFor } from '../auth/key-names.ts';
import { type App, type Context, callerOf } from '../context.ts';
import { fetchText } from '../observe/proxies.ts';
import { answers, Count, describes, GroupId, nullable, object, Slot, Time, words } from '../schemas.ts';
import { type ProxySlowEntry, proxyEntry, selected, serverEntry, withNames } from '../slowlog/entries.ts';

const LIMIT = 100;
const LIMIT_MAX = 1000;
const Source = words('proxy', 'server');
const SlowLogSchema = describes<SlowLogView>()(
  object({
    entries: Type.Array(
      object({
        source: Source,
        where: Type.String(),
        id: Count,
        at: Time,
        micros: Count,
        split: nullable(object({ proxy: Count, held: Count, server: Count })),
        command: Type.String(),
        args: Type.Array(Type.String()),
        key: nullable(Type.String()),
        slot: nullable(Slot),
        group: nullable(GroupId),
        client: Type.String(),
        migration: nullable(Count),
      }),
    ),
    notes: Type.Array(Type.String()),
  }),
);
const Query = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMIT_MAX })),
  source: Type.Optional(Source),
  group: Type.Optional(GroupId),
  command: Type.Optional(Type.String({ maxLength: 64 })),
  prefix: Type.Optional(Type.String({ maxLength: 512, description: 'what its key begins with' })),
});

export function slowLogRoutes(app: App, context: Context): void {
  app.get(
    '/slowlog',
    {
      schema: {
        summary: 'Slow requests of proxies and servers, newest first',
        querystring: Query,
        response: answers(SlowLogSchema),
      },
    },
    async (request) => {
      const { entries: all, notes } = await readAll(context, request);
      // Before they are chosen from: who may not see names may not find them by how they begin.
      const shown = keyNamesFor(request, context.settings);
      const entries = all.map((entry) => withNames(entry, shown));
      return { entries: selected(entries, { limit: LIMIT, ...request.query }), notes };
    },
  );
}

async function readAll(context: Context, request: FastifyRequest): Promise<SlowLogView> {
  const { coordinator, observer } = context;
  const [topology, migrations, proxies, servers] = await Promise.all([
    readTopology(context),
    listMigrations(coordinator),
    listProxies(coordinator),
    readSlowLogs(callerOf(context, request)),
  ]);
  const around = { topology: topologyView(topology), migrations: observer.migrationViews(migrations) };
  const notes = [...servers.notes];
  const fromProxies = await Promise.all(
    proxies.map(async (proxy): Promise<SlowEntryView[]> => {
      try {
        return (await readProxy(proxy)).map((entry) => proxyEntry(proxy.id, entry, around));
      } catch (error) {
        notes.push(`proxy ${proxy.id} could not be asked for its slow log: ${error instanceof Error ? error.message : String(error)}`);
        return [];
      }
    }),
  );
  return { entries: [...fromProxies.flat(), ...servers.entries.map((entry) => serverEntry(entry, around))], notes };
}

async function readProxy({ adminAddr, live }: ProxyView): Promise<ProxySlowEntry[]> {
  if (!live) throw new Error('it has no session');
  const value: unknown = JSON.parse(await fetchText(adminAddr, '/slowlog'));
  if (!Array.isArray(value) || !value.every(isEntry)) throw new Error(`what answers at ${adminAddr} has no slow log`);
  return value;
}

function isEntry(value: unknown): value is ProxySlowEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { id, time, micros, command, key, args, addr, stages } = value as Partial<Record<keyof ProxySlowEntry, unknown>>;
  const numbers = [id, time, micros].every((one) => typeof one === 'number');
  const texts = typeof command === 'string' && typeof addr === 'string' && (key === null || typeof key === 'string');
  return numbers && texts && Array.isArray(args) && typeof stages === 'object' && stages !== null;
}
