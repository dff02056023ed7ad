// "Why?": what was looked at to come to a verdict on one thing.

import type { ExplainView } from '@codis/config/api';
import { PATHS } from '@codis/config/coordinator';
import { CodisError } from '@codis/config/model';
import { listMigrations, listProxies, readTopology } from '@codis/config/operations';
import { topologyView } from '@codis/config/status';
import Type from 'typebox';
import type { App, Context } from '../context.ts';
import type { Facts } from '../explain/checks.ts';
import { explainGroup } from '../explain/group.ts';
import { explainMigration } from '../explain/migration.ts';
import { explainProxy } from '../explain/proxy.ts';
import { explainSlot } from '../explain/slot.ts';
import { answers, describes, GroupId, MigrationId, ObjectOf, object, ProxyId, Slot, Try, words } from '../schemas.ts';

const Result = words('ok', 'warning', 'failed', 'unknown');
const ExplainSchema = describes<ExplainView>()(
  object({
    object: ObjectOf,
    level: Result,
    verdict: Type.String(),
    because: Type.Array(object({ check: Type.String(), result: Result, evidence: Type.String() })),
    try: Type.Array(Try),
  }),
);
const Query = Type.Object({
  slot: Type.Optional(Slot),
  group: Type.Optional(GroupId),
  proxy: Type.Optional(ProxyId),
  migration: Type.Optional(MigrationId),
});

export function explainRoutes(app: App, context: Context): void {
  app.get(
    '/explain',
    {
      schema: {
        summary: 'Why something is as it is: one of slot, group, proxy and migration',
        querystring: Query,
        response: answers(ExplainSchema),
      },
    },
    async ({ query }) => explain(await readFacts(context), query),
  );
}

/** Throws CODIS_E_BAD_REQUEST, or one of CODIS_E_UNKNOWN_…. */
function explain(facts: Facts, query: { slot?: number; group?: number; proxy?: string; migration?: number }): ExplainView {
  const { slot, group, proxy, migration } = query;
  if ([slot, group, proxy, migration].filter((one) => one !== undefined).length !== 1) {
    throw new CodisError('CODIS_E_BAD_REQUEST', 'name one of slot, group, proxy and migration');
  }
  if (slot !== undefined) return explainSlot(facts, slot);
  if (group !== undefined) {
    const view = explainGroup(facts, group);
    if (!view) throw new CodisError('CODIS_E_UNKNOWN_GROUP', `there is no group ${group}`);
    return view;
  }
  if (proxy !== undefined) {
    const view = explainProxy(facts, proxy);
    if (!view) throw new CodisError('CODIS_E_UNKNOWN_PROXY', `there is no proxy ${proxy}`);
    return view;
  }
  const view = explainMigration(facts, migration ?? 0);
  if (!view) throw new CodisError('CODIS_E_UNKNOWN_MIGRATION', `there is no migration ${migration}`);
  return view;
}

/** Throws CODIS_E_NOT_INITIALISED, or as the coordinator does. */
async function readFacts({ coordinator, status, observer, proxies }: Context): Promise<Facts> {
  const topology = topologyView(await readTopology({ coordinator }));
  const [read, migrations, registered, controller] = await Promise.all([
    status(),
    listMigrations(coordinator),
    listProxies(coordinator),
    coordinator.read(PATHS.controller),
  ]);
  return {
    status: read,
    topology,
    migrations: observer.migrationViews(migrations),
    proxies: proxies.stats,
    workers: new Map(registered.map(({ id }) => [id, proxies.detail(id)?.workers ?? []])),
    unconfirmed: new Map(registered.map(({ id, live }) => [id, live?.unconfirmed ?? []])),
    hasController: controller !== null,
  };
}
