// The dashboard's HTTP server, put together: the API under /api/v1, its description, health, metrics and the status page. Listens nowhere
// by itself; main.ts does. Holds no state but the status of the last second: everything is read from the coordinator.

import type { Coordinator } from '@codis/config/coordinator';
import type { Settings } from '@codis/config/settings';
import swagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { App, Context, ControllerStatus } from './context.ts';
import { originGuard } from './guard.ts';
import { Observer } from './observe/observer.ts';
import { ProxyWatch } from './observe/proxies.ts';
import { sendNotFound, sendProblem } from './problems.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { migrationRoutes } from './routes/migrations.ts';
import { pageRoutes } from './routes/page.ts';
import { planRoutes } from './routes/plans.ts';
import { proxyRoutes } from './routes/proxies.ts';
import { topologyRoutes } from './routes/topology.ts';
import { answers, StatusSchema } from './schemas.ts';
import { statusReader } from './status/reader.ts';

/** No request of the API is larger than the longest list of moves. */
const BODY_BYTES_MAX = 131_072;
/** A client that sends its request slower than this is disconnected. */
const REQUEST_MS = 30_000;
/** `host:port` of the longest host name, percent-encoded. */
const PARAM_LENGTH_MAX = 400;

export interface AppOptions {
  readonly coordinator: Coordinator;
  readonly controller: ControllerStatus;
  readonly settings: Settings;
  readonly log: Logger;
}

/** The app, ready to listen or to be injected into. The caller closes it. */
export async function buildApp({ coordinator, controller, settings, log }: AppOptions): Promise<App> {
  const loggerInstance: FastifyBaseLogger = log;
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  const proxies = new ProxyWatch();
  const status = statusReader({
    coordinator,
    product: settings.product_name,
    password: settings.product_auth,
    elected: () => controller.status().elected,
    serving: (id) => proxies.serving(id),
  });
  const observer = new Observer({ coordinator, status, proxies, log });
  app.addHook('onClose', () => observer.close());
  const context: Context = { coordinator, controller, settings, status, proxies, observer };
  prepare(app, settings.dashboard_addr);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Codis dashboard', version: '1', description: 'Slots, groups, proxies and migrations of one product.' },
    },
  });
  healthRoutes(app, context);
  pageRoutes(app);
  await app.register(async (api) => apiRoutes(api.withTypeProvider<TypeBoxTypeProvider>(), context), { prefix: '/api/v1' });
  app.get('/api/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.ready();
  return app;
}

function prepare(app: App, addr: string): void {
  const guard = originGuard(addr);
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(sendNotFound);
  app.addHook('onRequest', async (request) => guard(request));
  app.addHook('onResponse', async ({ method, url, log }, { statusCode }) => {
    if (method !== 'GET') log.info({ method, url, status: statusCode }, 'change asked for');
  });
  app.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
}

function apiRoutes(api: App, context: Context): void {
  topologyRoutes(api, context);
  groupRoutes(api, context);
  proxyRoutes(api, context);
  migrationRoutes(api, context);
  planRoutes(api, context);
  doctorRoutes(api, context);
  api.get('/status', { schema: { summary: 'Is it well? A verdict with numbers', response: answers(StatusSchema) } }, () =>
    context.status(),
  );
}
