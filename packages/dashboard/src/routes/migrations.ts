// Migrations: asking for one, looking at it, stopping it. The controller does the work.

import { asMigrationId } from '@codis/config/model';
import { cancelMigration, createMigration, listMigrations, readMigration } from '@codis/config/operations';
import Type from 'typebox';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import { answers, CreateMigrationBody, MigrationId, MigrationSchema, MigrationsSchema } from '../schemas.ts';
import { migrationView } from '../views.ts';
import { moveOf } from './parse.ts';

const MigrationParams = Type.Object({ migration: MigrationId });

export function migrationRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  app.get('/migrations', { schema: { summary: 'All migrations, oldest first', response: answers(MigrationsSchema) } }, async () => ({
    migrations: (await listMigrations(coordinator)).map(migrationView),
  }));
  app.get(
    '/migrations/:migration',
    { schema: { summary: 'One migration', params: MigrationParams, response: answers(MigrationSchema) } },
    async ({ params }) => migrationView(await readMigration(coordinator, asMigrationId(params.migration))),
  );
  app.post(
    '/migrations',
    { schema: { summary: 'Move slots to groups, with their keys', body: CreateMigrationBody, response: answers(MigrationSchema) } },
    async (request) => {
      const { moves, delayMs } = request.body;
      const wanted = { ...expectingOf(request), moves: moves.map(moveOf), delayMs: delayMs ?? 0 };
      return migrationView(await createMigration(callerOf(context, request), wanted));
    },
  );
  app.post(
    '/migrations/:migration/cancel',
    {
      schema: {
        summary: 'Stop a migration; every slot ends whole on one side',
        params: MigrationParams,
        response: answers(MigrationSchema),
      },
    },
    async (request) => migrationView(await cancelMigration(callerOf(context, request), { id: asMigrationId(request.params.migration) })),
  );
}
