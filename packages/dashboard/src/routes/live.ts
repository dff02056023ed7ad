// The stream of what is new (server-sent events), and the past.

import type { HistoryRangeName, HistoryView } from '@codis/config/api';
import { CodisError } from '@codis/config/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { App, Context } from '../context.ts';
import { answers, Count, describes, nullable, object, words } from '../schemas.ts';

const LISTENERS_MAX = 200;
/** A listener that leaves this much lying is too slow, and gets a new snapshot when it connects again. */
const UNREAD_BYTES_MAX = 1_048_576;
/** How often it is looked at whether the login still holds. */
const LOGIN_MS = 30_000;

const Column = Type.Array(nullable(Type.Number()));
const HistorySchema = describes<HistoryView>()(
  object({
    range: words('15m', '1h', '6h', '24h'),
    stepSeconds: Count,
    times: Type.Array(Count),
    series: object({
      opsPerSecond: Column,
      errorsPerSecond: Column,
      p50Ms: Column,
      p95Ms: Column,
      p99Ms: Column,
      sessions: Column,
      usedMemoryBytes: Column,
      keysCount: Column,
    }),
    markers: Type.Array(object({ time: Count, kind: words('event', 'alert'), text: Type.String(), event: nullable(Count) })),
  }),
);

export function liveRoutes(app: App, context: Context): void {
  app.get(
    '/live',
    { exposeHeadRoute: false, schema: { summary: 'What is new, as server-sent events: first a snapshot, then changes', hide: true } },
    (request, reply) => listen(context, request, reply),
  );
  app.get(
    '/history',
    {
      schema: {
        summary: 'What the cluster did lately, as far as this dashboard has seen',
        querystring: Type.Object({ range: Type.Optional(words('15m', '1h', '6h', '24h')) }),
        response: answers(HistorySchema),
      },
    },
    async ({ query }) => context.observer.history.view((query.range ?? '15m') as HistoryRangeName),
  );
}

/** Never answers in the usual way: the connection stays until one side ends it. */
function listen({ hub, identify }: Context, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (hub.listenersCount >= LISTENERS_MAX) {
    throw new CodisError('CODIS_E_TOO_MANY', `${LISTENERS_MAX} listeners are connected to this dashboard already`);
  }
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const leave = hub.add((text) => {
    raw.write(text);
    if (raw.writableLength > UNREAD_BYTES_MAX) raw.destroy();
  });
  const login = setInterval(() => {
    identify(request).then(
      (identity) => {
        if (!identity) raw.end();
      },
      (error: unknown) => request.log.debug({ err: error }, 'whether a listener is still logged in is not known'),
    );
  }, LOGIN_MS);
  raw.on('close', () => {
    clearInterval(login);
    leave();
  });
  return reply;
}
