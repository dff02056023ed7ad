// The dashboard's HTTP server, put together: the API under /api/v1, its description, health, metrics and the web console. Listens nowhere
// by itself; main.ts does. Holds no state but the status of the last second: everything is read from the coordinator.

import type { Coordinator } from '@codis/config/coordinator';
import { CodisError } from '@codis/config/model';
import { migrationLister } from '@codis/config/operations';
import type { Settings } from '@codis/config/settings';
import { statusReader } from '@codis/config/status';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { AlertKeeper } from './alerts/keeper.ts';
import { Webhook } from './alerts/webhook.ts';
import { addressOf, trustedProxies } from './auth/address.ts';
import { accessGuard, identityOf } from './auth/guard.ts';
import { originGuard } from './auth/origin.ts';
import type { App, Context, ControllerStatus } from './context.ts';
import { describeDryRun, dryRuns, dryRunView, sendDryRun } from './dry-run.ts';
import { failureNotes } from './failed-calls.ts';
import { idempotency } from './idempotency.ts';
import { LiveHub } from './live/hub.ts';
import { Clocks } from './observe/clocks.ts';
import { History } from './observe/history.ts';
import { HotKeyWatch } from './observe/hot-key-watch.ts';
import { Observer } from './observe/observer.ts';
import { ProxyWatch } from './observe/proxies.ts';
import { SlotWatch } from './observe/slot-watch.ts';
import { Surveys } from './observe/surveys.ts';
import { sendNotFound, sendProblem } from './problems.ts';
import { alertRoutes } from './routes/alerts.ts';
import { docsRoutes } from './routes/docs.ts';
import { doctorRoutes } from './routes/doctor.ts';
import { eventRoutes } from './routes/events.ts';
import { explainRoutes } from './routes/explain.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { keyRoutes } from './routes/keys.ts';
import { latencyRoutes } from './routes/latency.ts';
import { liveRoutes } from './routes/live.ts';
import { migrationRoutes } from './routes/migrations.ts';
import { pageRoutes } from './routes/page.ts';
import { planRoutes, planViewOf } from './routes/plans.ts';
import { proxyRoutes } from './routes/proxies.ts';
import { proxyDetailRoutes } from './routes/proxy-detail.ts';
import { sessionRoutes } from './routes/session.ts';
import { setupRoutes } from './routes/setup.ts';
import { slotHistoryRoutes } from './routes/slot-history.ts';
import { slotKnowledgeRoutes } from './routes/slots.ts';
import { slowLogRoutes } from './routes/slowlog.ts';
import { topologyRoutes } from './routes/topology.ts';
import { userRoutes } from './routes/users.ts';
import { answers, StatusSchema } from './schemas.ts';

/** No request of the API is larger than the longest list of moves. */
const BODY_BYTES_MAX = 131_072;
/** A client that sends its request slower than this is disconnected. */
const REQUEST_MS = 30_000;
/** `host:port` of the longest host name, percent-encoded. */
const PARAM_LENGTH_MAX = 400;

declare module 'fastify' {
  interface FastifyInstance {
    /** Looks at the cluster by itself from when the app listens. */
    observer: Observer;
    /** So does this, once a minute. */
    hotKeyWatch: HotKeyWatch;
  }
}

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
    trustProxy: trustedProxies(settings),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX },
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  const context = contextOf({ coordinator, controller, settings, log });
  const { observer, slotWatch, hotKeyWatch, hub, webhook } = context;
  app.decorate('observer', observer);
  app.decorate('hotKeyWatch', hotKeyWatch);
  observer.watch(hub);
  app.addHook('onListen', async () => {
    observer.start();
    slotWatch.start();
    hotKeyWatch.start();
  });
  app.addHook('onClose', async () => {
    hub.close();
    webhook?.close();
    await Promise.all([observer.close(), slotWatch.close(), hotKeyWatch.close()]);
  });
  await prepare(app, context);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Codis dashboard', version: '1', description: 'Slots, groups, proxies and migrations of one product.' },
    },
    transform: ({ schema, url, route }) => ({ schema: describeDryRun(schema, route), url }),
  });
  healthRoutes(app, context);
  pageRoutes(app);
  await app.register(async (api) => apiRoutes(api.withTypeProvider<TypeBoxTypeProvider>(), context), { prefix: '/api/v1' });
  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () => app.swagger());
  docsRoutes(app);
  await app.ready();
  return app;
}

function contextOf({ coordinator, controller, settings, log }: AppOptions): Context & { webhook: Webhook | null } {
  const { product_name: product, product_auth: password, alert_webhook: url } = settings;
  const elected = () => controller.status().elected;
  const proxies = new ProxyWatch();
  const clocks = new Clocks();
  const migrations = migrationLister(coordinator);
  const status = statusReader({
    coordinator,
    product,
    password,
    elected,
    migrations,
    servings: (all) => proxies.servings(all),
    onProbe: (probe) => clocks.onProbe(probe, Date.now()),
  });
  const history = new History();
  const webhook = url === '' ? null : new Webhook({ url, product, consoleUrl: consoleUrlOf(settings), log });
  const onFired = (text: string) => history.mark({ time: Math.floor(Date.now() / 1000), kind: 'alert', text, event: null });
  const alerts = new AlertKeeper({ coordinator, log, webhook, elected, onFired });
  const observer = new Observer({ coordinator, status, proxies, alerts, history, clocks, migrations, log });
  const identify = (request: FastifyRequest) => identityOf(request, { coordinator, settings });
  return {
    coordinator,
    controller,
    settings,
    status,
    migrations,
    proxies,
    observer,
    alerts,
    slotWatch: new SlotWatch({ coordinator, log }),
    hotKeyWatch: new HotKeyWatch({ coordinator, log }),
    surveys: new Surveys(),
    hub: new LiveHub(),
    webhook,
    identify,
  };
}

/** Null where it listens at every address: then none of them is known to lead here. */
function consoleUrlOf({ dashboard_addr: addr, product_name: product }: Settings): string | null {
  return /^(?:0\.0\.0\.0|\[::\]):/.test(addr) ? null : `http://${addr}/c/${encodeURIComponent(product)}`;
}

async function prepare(app: App, { coordinator, settings }: Context): Promise<void> {
  const guard = originGuard(settings);
  const gate = accessGuard({ coordinator, settings });
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  const note = failureNotes({ coordinator, settings });
  app.setErrorHandler(async (error, request, reply) => {
    const tried = dryRunView(error, (value) => planViewOf(value, request, settings));
    if (tried) return sendDryRun(tried, reply);
    await note(error, request);
    return sendProblem(error, request, reply);
  });
  app.setNotFoundHandler(sendNotFound);
  app.decorateRequest('identity', null);
  app.addHook('onRequest', async (request) => guard(request));
  await app.register(cookie);
  app.addHook('onRequest', gate);
  await app.register(helmet, HELMET);
  await app.register(rateLimit, { global: false, keyGenerator: addressOf, errorResponseBuilder: tooMany });
  app.addHook('onResponse', async ({ method, url, log }, { statusCode }) => {
    if (method !== 'GET') log.info({ method, url, status: statusCode }, 'change asked for');
  });
  app.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
  });
}

/** Pages load nothing from elsewhere and are framed by nobody. Whether the way here is encrypted is not known, so nothing is said of that. */
const HELMET = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
} as const;

function tooMany(): CodisError {
  return new CodisError('CODIS_E_TOO_MANY', 'so many logins are not taken from one address in one minute');
}

function apiRoutes(api: App, context: Context): void {
  dryRuns(api);
  idempotency(api);
  sessionRoutes(api, context);
  userRoutes(api, context);
  topologyRoutes(api, context);
  eventRoutes(api, context);
  groupRoutes(api, context);
  proxyRoutes(api, context);
  proxyDetailRoutes(api, context);
  migrationRoutes(api, context);
  planRoutes(api, context);
  doctorRoutes(api, context);
  alertRoutes(api, context);
  liveRoutes(api, context);
  setupRoutes(api, context);
  explainRoutes(api, context);
  slowLogRoutes(api, context);
  slotKnowledgeRoutes(api, context);
  keyRoutes(api, context);
  latencyRoutes(api, context);
  slotHistoryRoutes(api, context);
  api.get('/status', { schema: { summary: 'Is it well? A verdict with numbers', response: answers(StatusSchema) } }, () =>
    context.status(),
  );
}
