// What machines ask: is it alive, is it ready, what are its numbers.

import { CodisError } from '@codis/config/model';
import type { App, Context } from '../context.ts';
import { dashboardMetrics } from '../metrics.ts';

export function healthRoutes(app: App, context: Context): void {
  const metrics = dashboardMetrics(context);
  app.addHook('onResponse', async (request, reply) => {
    metrics.requestDone({ method: request.method, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  });
  app.get('/healthz', { schema: { hide: true } }, async (_, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', { schema: { hide: true } }, async (_, reply) => {
    const { state } = context.coordinator;
    if (state.kind !== 'connected') throw new CodisError('CODIS_E_COORDINATOR_LOST', `the coordinator is ${state.kind}`);
    return reply.type('text/plain').send('ok\n');
  });
  app.get('/metrics', { schema: { hide: true } }, async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
