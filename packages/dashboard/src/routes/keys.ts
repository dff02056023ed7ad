// Keys that stand out: hot ones, which proxies know of, and big ones, which servers were looked through for.

import type { BigKeysView, HotKeysView, HotMinuteStateName } from '@codis/config/api';
import { listProxies, readTopology } from '@codis/config/operations';
import Type from 'typebox';
import { keyNamesFor } from '../auth/key-names.ts';
import { type App, type Context, callerOf } from '../context.ts';
import { hotKeysView, readHotKeys } from '../observe/hot-keys.ts';
import { answers, Count, describes, GroupId, nullable, object, Slot, Time, UnixSeconds, words } from '../schemas.ts';

const LIMIT = 100;
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'at most this many' }));
const Texts = Type.Array(Type.String());
const Rate = Type.Number({ minimum: 0 });
const BigKeysSchema = describes<BigKeysView>()(
  object({
    at: nullable(Time),
    keys: Type.Array(object({ key: Type.String(), slot: Slot, group: GroupId, db: Count, bytes: Count })),
    basis: Texts,
  }),
);
const MinuteState = describes<HotMinuteStateName>()(words('kept', 'pending', 'older', 'before', 'unanswered'));
const HotKeysSchema = describes<HotKeysView>()(
  object({
    at: Time,
    minute: nullable(object({ from: Time, state: MinuteState })),
    sampleEvery: nullable(Count),
    windowSeconds: nullable(Rate),
    sampledCount: Count,
    keys: Type.Array(
      object({ key: Type.String(), slot: Slot, group: nullable(GroupId), db: Count, opsPerSecond: Rate, overPerSecond: Rate }),
    ),
    basis: Texts,
  }),
);

export function keyRoutes(app: App, context: Context): void {
  const { coordinator, settings } = context;
  app.get(
    '/keys/big',
    {
      schema: {
        summary: 'The largest keys, as far as known; with refresh=true servers are looked through now',
        querystring: Type.Object({ refresh: Type.Optional(Type.Boolean()), limit: Limit }),
        response: answers(BigKeysSchema),
      },
    },
    async (request) => {
      const { refresh, limit = LIMIT } = request.query;
      const known = refresh ? await context.surveys.refresh(callerOf(context, request)) : context.surveys.known;
      const shown = keyNamesFor(request, settings);
      const view = known.bigKeys(limit);
      return { ...view, keys: view.keys.map((found) => ({ ...found, key: shown(found.key) })) };
    },
  );
  app.get(
    '/keys/hot',
    {
      schema: {
        summary:
          'The keys that clients ask for most, now or in a minute of the last six hours, as proxies find out by looking at some of the requests',
        querystring: Type.Object({ limit: Limit, slot: Type.Optional(Slot), at: Type.Optional(UnixSeconds) }),
        response: answers(HotKeysSchema),
      },
    },
    async (request) => {
      const { at, ...only } = { limit: LIMIT, ...request.query };
      const view =
        at === undefined ? await hotNow(only) : context.hotKeyWatch.history.view({ ...only, atMs: at * 1000, nowMs: Date.now() });
      const shown = keyNamesFor(request, settings);
      return { ...view, keys: view.keys.map((found) => ({ ...found, key: shown(found.key) })) };
    },
  );

  async function hotNow(only: { limit: number; slot?: number }): Promise<HotKeysView> {
    const [{ topology }, proxies] = await Promise.all([readTopology(context), listProxies(coordinator)]);
    return hotKeysView(await readHotKeys(proxies), { ...only, at: new Date().toISOString(), topology });
  }
}
