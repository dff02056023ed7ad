// How long the servers take as each proxy sees them.

import type { LatencyView } from '@codis/config/api';
import { listProxies, readTopology } from '@codis/config/operations';
import Type from 'typebox';
import type { App, Context } from '../context.ts';
import { latencyView, readLatency } from '../observe/latency.ts';
import { answers, Count, describes, GroupId, nullable, object, ProxyId, Time, words } from '../schemas.ts';

const Ms = nullable(Type.Number({ minimum: 0 }));
const Texts = Type.Array(Type.String());
const LatencySchema = describes<LatencyView>()(
  object({
    at: Time,
    proxies: Type.Array(object({ id: ProxyId, problem: nullable(Type.String()) })),
    servers: Type.Array(object({ addr: Type.String(), group: GroupId, role: words('master', 'replica') })),
    cells: Type.Array(
      object({ proxy: ProxyId, server: Type.String(), requestsCount: Count, p50Ms: Ms, p99Ms: Ms, outlier: nullable(Type.String()) }),
    ),
    findings: Texts,
    basis: Texts,
  }),
);

export function latencyRoutes(app: App, context: Context): void {
  app.get(
    '/latency',
    { schema: { summary: 'How long each server takes as each proxy sees it, and what stands out', response: answers(LatencySchema) } },
    async () => {
      const [{ topology }, proxies] = await Promise.all([readTopology(context), listProxies(context.coordinator)]);
      return latencyView(await readLatency(proxies), { at: new Date().toISOString(), topology });
    },
  );
}
