// The audit log: who changed what, when, and what was refused.

import type { EventsView, EventView } from '@codis/config/api';
import { CodisError } from '@codis/config/model';
import { readEvent, readEventPage } from '@codis/config/operations';
import { eventView } from '@codis/config/status';
import Type from 'typebox';
import type { App, Context } from '../context.ts';
import { answers, EventSchema, EventsSchema } from '../schemas.ts';

const LIMIT = 100;
const LIMIT_MAX = 1000;
/** How far back a filter looks at once: each event is one read of the coordinator. */
const SEARCHED_MAX = 2000;

const Filter = Type.String({ minLength: 1, maxLength: 200 });
const filters = {
  actor: Type.Optional(Filter),
  action: Type.Optional(Filter),
  object: Type.Optional(Filter),
  result: Type.Optional(Type.Enum(['done', 'denied', 'failed'])),
};
const EventsQuery = Type.Object({
  since: Type.Optional(Type.Integer({ minimum: 0, description: 'only events with a higher number' })),
  before: Type.Optional(Type.Integer({ minimum: 1, description: 'only events with a lower number: the `older` of the page before' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMIT_MAX })),
  ...filters,
});
type Filters = { actor?: string; action?: string; object?: string; result?: string };

export function eventRoutes(app: App, { coordinator }: Context): void {
  const find = async ({
    since: after,
    before,
    limit = LIMIT,
    ...wanted
  }: { since?: number; before?: number; limit?: number } & Filters): Promise<EventsView> => {
    const isFiltered = Object.values(wanted).some((value) => value !== undefined);
    const page = await readEventPage(coordinator, { after, before, limit: isFiltered ? SEARCHED_MAX : limit });
    const found = page.events.map(eventView).filter(matching(wanted));
    const events = found.slice(0, limit);
    return { events, older: events.length < found.length ? (events.at(-1)?.seq ?? null) : page.older };
  };
  app.get(
    '/events',
    {
      schema: {
        summary:
          'Who changed what, newest first, and where to go on; actor, action and object are parts of what is looked for, among 2000 events at once',
        querystring: EventsQuery,
        response: answers(EventsSchema),
      },
    },
    ({ query }) => find(query),
  );
  app.get(
    '/events/:seq',
    {
      schema: {
        summary: 'One event',
        params: Type.Object({ seq: Type.Integer({ minimum: 1, maximum: 9_999_999_999 }) }),
        response: answers(EventSchema),
      },
    },
    async ({ params }) => {
      const event = await readEvent(coordinator, params.seq);
      if (!event) throw new CodisError('CODIS_E_NOT_FOUND', `there is no event ${params.seq}; only the newest are kept`);
      return eventView(event);
    },
  );
  app.get(
    '/events.ndjson',
    { schema: { summary: 'Events to take away, one line of JSON each, newest first', querystring: EventsQuery, hide: true } },
    async ({ query }, reply) => {
      const { events } = await find({ limit: LIMIT_MAX, ...query });
      return reply.type('application/x-ndjson').send(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    },
  );
}

function matching({ actor, action, object, result }: Filters): (event: EventView) => boolean {
  const holds = (part: string | undefined, text: string) => part === undefined || text.includes(part);
  return (event) =>
    holds(actor, event.actor) &&
    holds(action, event.action) &&
    holds(object, event.object) &&
    (result === undefined || event.result === result);
}
