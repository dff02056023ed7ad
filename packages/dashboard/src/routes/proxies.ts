// Proxies: what is registered, and what the operator wants of them.

import type { ProxyEntryView } from '@codis/config/api';
import { asProxyId, type Epoch, type ProxyView } from '@codis/config/model';
import { listProxies, readProxy, readTopologyIfAny, removeProxy, setProxyWanted } from '@codis/config/operations';
import { proxyView } from '@codis/config/status';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { answers, ProxiesSchema, ProxyId, ProxyRemovedSchema, ProxySchema, ProxyWantedBody, ProxyWantedSchema } from '../schemas.ts';

const ProxyParams = Type.Object({ proxy: ProxyId });

export function proxyRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  const viewOf = async (proxy: ProxyView): Promise<ProxyEntryView> =>
    proxyView(proxy, await currentEpoch(context), (await context.proxies.servings([proxy])).get(proxy.id) ?? null);

  app.get('/proxies', { schema: { summary: 'All registered proxies', response: answers(ProxiesSchema) } }, async () => {
    const [epoch, all] = await Promise.all([currentEpoch(context), listProxies(coordinator)]);
    const heard = await context.proxies.servings(all);
    return { proxies: all.map((proxy) => proxyView(proxy, epoch, heard.get(proxy.id) ?? null)) };
  });
  app.get(
    '/proxies/:proxy',
    { schema: { summary: 'One proxy', params: ProxyParams, response: answers(ProxySchema) } },
    async ({ params }) => viewOf(await readProxy(coordinator, asProxyId(params.proxy))),
  );
  app.put(
    '/proxies/:proxy/wanted',
    {
      schema: {
        summary: 'Bring a proxy online or offline',
        params: ProxyParams,
        querystring: Type.Object({
          wait: Type.Optional(Type.Boolean({ description: 'false: answer at once, whether or not it was taken up' })),
        }),
        body: ProxyWantedBody,
        response: answers(ProxyWantedSchema),
      },
    },
    async (request) => {
      const id = asProxyId(request.params.proxy);
      const { proxy, takenUp, note } = await setProxyWanted(callerOf(context, request), {
        id,
        ...request.body,
        ...(request.query.wait === false ? { waitMs: 0 } : {}),
      });
      return { proxy: await viewOf(proxy), takenUp, notes: note === null ? [] : [note] };
    },
  );
  app.delete(
    '/proxies/:proxy',
    { schema: { summary: 'Forget a proxy that is gone for good', params: ProxyParams, response: answers(ProxyRemovedSchema) } },
    async (request) => {
      const proxy = await viewOf(await readProxy(coordinator, asProxyId(request.params.proxy)));
      const notes = await removeProxy(callerOf(context, request), { id: asProxyId(request.params.proxy) });
      return { proxy, notes };
    },
  );
}

async function currentEpoch(context: Context): Promise<Epoch | null> {
  return (await readTopologyIfAny(context))?.epoch ?? null;
}
