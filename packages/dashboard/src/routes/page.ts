// The status page at /.

import { isCodisError } from '@codis/config/model';
import { listEvents, listMigrations, readTopology } from '@codis/config/operations';
import type { App, Context } from '../context.ts';
import { problemOf } from '../problems.ts';
import { failurePage, statusPage } from '../status-page.ts';
import { eventView, slotRunViews } from '../views.ts';

const EVENTS_SHOWN = 10;
const CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function pageRoutes(app: App, context: Context): void {
  app.get('/', { schema: { hide: true } }, async (request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', CSP);
    try {
      return (await readPage(context)).text;
    } catch (error) {
      const { status, detail, try: hints } = problemOf(error);
      if (!isCodisError(error)) request.log.error({ err: error }, 'the status page failed');
      const product = context.settings.product_name;
      return reply.code(status).send(failurePage({ product, what: detail, hint: hints[0] ?? '', at: new Date().toISOString() }).text);
    }
  });
}

async function readPage(context: Context) {
  const status = await context.status();
  const [slots, migrations, events] = await Promise.all([
    status.epoch === null ? [] : readTopology(context).then(({ topology }) => slotRunViews(topology)),
    listMigrations(context.coordinator),
    listEvents(context.coordinator, { limit: EVENTS_SHOWN }),
  ]);
  return statusPage({ status, slots, migrations: context.observer.migrationViews(migrations), events: events.map(eventView) });
}
