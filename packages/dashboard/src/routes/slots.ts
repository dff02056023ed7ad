// What is known of single slots and keys: where a key lives, what slots hold, how far the slots of a migration are.

import type { KeyLocationView, MigrationSlotsView, SlotMovesView, SlotStatsView } from '@codis/config/api';
import {
  asGroupId,
  asMigrationId,
  CodisError,
  lastMoves,
  masterOf,
  requireGroup,
  slotOf,
  slotState,
  type Topology,
} from '@codis/config/model';
import { listProxies, readMigration, readTopology } from '@codis/config/operations';
import { lastMoveRuns, servingGroup, slotStateView, stagesOf } from '@codis/config/status';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { SlotRateWatch } from '../observe/slot-rates.ts';
import { answers, Count, describes, GroupId, lastMove, MigrationId, nullable, object, Slot, Time, words } from '../schemas.ts';
import { bytesText } from '../slowlog/entries.ts';

const KEY_BYTES_MAX = 8192;
const Texts = Type.Array(Type.String());
const Column = Type.Array(nullable(Count));
const Rates = Type.Array(nullable(Type.Number({ minimum: 0 })));
const SlotStatsSchema = describes<SlotStatsView>()(
  object({ epoch: Count, at: nullable(Time), keysCount: Column, bytes: Column, opsPerSecond: Rates, basis: Texts }),
);
const SlotMovesSchema = describes<SlotMovesView>()(object({ moves: Type.Array(object({ first: Slot, last: Slot, ...lastMove })) }));
const LocationSchema = describes<KeyLocationView>()(
  object({
    key: Type.String(),
    slot: Slot,
    tag: nullable(Type.String()),
    state: words('offline', 'online', 'locked', 'migrating'),
    group: nullable(GroupId),
    to: nullable(GroupId),
    migration: nullable(MigrationId),
    server: nullable(Type.String()),
  }),
);
const MigrationSlotsSchema = describes<MigrationSlotsView>()(
  object({
    id: MigrationId,
    epoch: Count,
    slots: Type.Array(
      object({
        first: Slot,
        last: Slot,
        stage: words('waiting', 'locked', 'moving', 'done', 'elsewhere'),
        from: nullable(GroupId),
        to: GroupId,
        at: nullable(Time),
      }),
    ),
  }),
);

export function slotKnowledgeRoutes(app: App, context: Context): void {
  const slotRates = new SlotRateWatch();
  app.get(
    '/keys/locate',
    {
      schema: {
        summary: 'The slot, group and server of a key',
        querystring: Type.Object({
          key: Type.Optional(Type.String({ maxLength: KEY_BYTES_MAX })),
          keyHex: Type.Optional(Type.String({ pattern: '^(?:[0-9a-fA-F]{2}){0,8192}$', description: 'any bytes' })),
        }),
        response: answers(LocationSchema),
      },
    },
    async ({ query }) => locate((await readTopology(context)).topology, keyOf(query)),
  );
  app.get(
    '/slots/stats',
    {
      schema: {
        summary: 'What each slot holds, as far as known, and the requests for it; with refresh=true servers are looked through now',
        querystring: Type.Object({ refresh: Type.Optional(Type.Boolean()) }),
        response: answers(SlotStatsSchema),
      },
    },
    async (request) => {
      const { epoch, topology } = await readTopology(context);
      const known = request.query.refresh ? await context.surveys.refresh(callerOf(context, request)) : context.surveys.known;
      const rates = await slotRates.read(await listProxies(context.coordinator));
      return { epoch, ...known.statsOf(topology, rates) };
    },
  );
  moveRoutes(app, context);
}

/** How slots move, and were moved. */
function moveRoutes(app: App, context: Context): void {
  app.get(
    '/slots/moves',
    { schema: { summary: 'The last move of each slot, as far as migrations on record tell', response: answers(SlotMovesSchema) } },
    async () => ({ moves: lastMoveRuns(lastMoves(await context.migrations())) }),
  );
  app.get(
    '/migrations/:migration/slots',
    {
      schema: {
        summary: 'How far each slot of a migration is',
        params: Type.Object({ migration: MigrationId }),
        response: answers(MigrationSlotsSchema),
      },
    },
    async ({ params }) => {
      const migration = await readMigration(context.coordinator, asMigrationId(params.migration));
      const { epoch, topology } = await readTopology(context);
      return { id: migration.id, epoch, slots: stagesOf(topology, migration) };
    },
  );
}

function keyOf({ key, keyHex }: { key?: string; keyHex?: string }): Buffer {
  if ((key === undefined) === (keyHex === undefined)) throw new CodisError('CODIS_E_BAD_REQUEST', 'name either key or keyHex');
  return key === undefined ? Buffer.from(keyHex ?? '', 'hex') : Buffer.from(key);
}

function locate(topology: Topology, key: Buffer): KeyLocationView {
  const slot = slotOf(key);
  const state = slotState(topology, slot);
  const group = servingGroup(state);
  const server = group === null ? null : (masterOf(requireGroup(topology, asGroupId(group))) ?? null);
  return { key: bytesText(key), slot, tag: tagOf(key), ...slotStateView(state), server };
}

/** The part that decides, when it is not the whole key. */
function tagOf(key: Buffer): string | null {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  return close < 0 ? null : bytesText(key.subarray(open + 1, close));
}
