// Migrations: asking for one, looking at it, steering it. The controller does the work.

import { asMigrationId } from '@codis/config/model';
import {
  adoptMigration,
  cancelMigration,
  createMigration,
  listMigrations,
  pauseMigration,
  readMigration,
  resumeMigration,
  throttleMigration,
} from '@codis/config/operations';
import Type from 'typebox';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import {
  AdoptMigrationBody,
  answers,
  CancelMigrationBody,
  CreateMigrationBody,
  MigrationId,
  MigrationSchema,
  MigrationsSchema,
  ThrottleBody,
} from '../schemas.ts';
import { moveOf } from './parse.ts';

const MigrationParams = Type.Object({ migration: MigrationId });

export function migrationRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  app.get('/migrations', { schema: { summary: 'All migrations, oldest first', response: answers(MigrationsSchema) } }, async () => ({
    migrations: context.observer.migrationViews(await listMigrations(coordinator)),
  }));
  app.get(
    '/migrations/:migration',
    { schema: { summary: 'One migration', params: MigrationParams, response: answers(MigrationSchema) } },
    async ({ params }) => context.observer.migrationView(await readMigration(coordinator, asMigrationId(params.migration))),
  );
  app.post(
    '/migrations',
    { schema: { summary: 'Move slots to groups, with their keys', body: CreateMigrationBody, response: answers(MigrationSchema) } },
    async (request) => {
      const { moves, ...options } = request.body;
      const wanted = { ...options, ...expectingOf(request), moves: moves.map(moveOf) };
      return context.observer.migrationView(await createMigration(callerOf(context, request), wanted));
    },
  );
  app.post(
    '/migrations/:migration/adopt',
    {
      schema: {
        summary: 'Give a move whose record is gone its record back; the one that it has stays as it is',
        params: MigrationParams,
        body: AdoptMigrationBody,
        response: answers(MigrationSchema),
      },
    },
    async (request) => {
      const id = asMigrationId(request.params.migration);
      return context.observer.migrationView(await adoptMigration(callerOf(context, request), { ...request.body, id }));
    },
  );
  steeringRoutes(app, context);
}

/** What an operator does with one that is under way. */
function steeringRoutes(app: App, context: Context): void {
  const verbs = [
    ['pause', 'Pause a migration: slots between two groups stay there, and clients go on', pauseMigration],
    ['resume', 'Go on with a paused migration', resumeMigration],
  ] as const;
  for (const [verb, summary, operation] of verbs) {
    app.post(
      `/migrations/:migration/${verb}`,
      { schema: { summary, params: MigrationParams, response: answers(MigrationSchema) } },
      async (request) => {
        const { migration } = request.params as { migration: number };
        return context.observer.migrationView(await operation(callerOf(context, request), { id: asMigrationId(migration) }));
      },
    );
  }
  app.post(
    '/migrations/:migration/cancel',
    {
      schema: {
        summary: 'Stop a migration, and if asked take back what it moved; every slot ends whole on one side',
        params: MigrationParams,
        body: CancelMigrationBody,
        response: answers(MigrationSchema),
      },
    },
    async (request) => {
      const id = asMigrationId(request.params.migration);
      return context.observer.migrationView(await cancelMigration(callerOf(context, request), { id, rollBack: request.body?.rollBack }));
    },
  );
  app.post(
    '/migrations/:migration/throttle',
    {
      schema: {
        summary: 'Change what a migration may take of the servers, while it runs',
        params: MigrationParams,
        body: ThrottleBody,
        response: answers(MigrationSchema),
      },
    },
    async (request) => {
      const id = asMigrationId(request.params.migration);
      return context.observer.migrationView(await throttleMigration(callerOf(context, request), { ...request.body, id }));
    },
  );
}
