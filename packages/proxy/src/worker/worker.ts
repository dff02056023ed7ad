// One worker: accepts clients, routes by the table the primary sends, and tells the primary when it has taken one up. All of the data path happens in
// this process; everything that needs the coordinator happens in the primary.

import cluster from 'node:cluster';
import { createServer, type Server as Listener, type Socket } from 'node:net';
import { asEpoch, asProxyId, decodeTopology, parseAddr, proxyClientName, SLOT_COUNT } from '@codis/config/model';
import type { Settings } from '@codis/config/settings';
import type { Logger } from 'pino';
import { COMMANDS } from '../commands/command.ts';
import type { LiveProxy, ToPrimary, WorkerPlace, WorkerReport } from '../ipc.ts';
import { MAX_CLIENTS } from '../resp/replies.ts';
import { ClientRates } from './busiest-clients.ts';
import { Clock } from './clock.ts';
import { keptNames } from './cluster-wide/around.ts';
import { clusterWideCommands } from './cluster-wide/cluster-wide.ts';
import { slotKeysCommands } from './cluster-wide/slot-keys.ts';
import { InFlight } from './in-flight.ts';
import { aboutCommands } from './local/about.ts';
import { clusterCommands } from './local/cluster.ts';
import { infoCommands } from './local/info.ts';
import type { ProxyFacts } from './local/info-proxy.ts';
import { ServersInfo } from './local/info-servers.ts';
import { Rates, workerFacts } from './local/info-worker.ts';
import { type Handlers, LocalCommands } from './local/local-commands.ts';
import { LoopLagMeter } from './loop-lag.ts';
import { MODE_SUBSCRIBED } from './modes.ts';
import type { Peers } from './peers.ts';
import { ProxyWide } from './proxy-wide.ts';
import { LOCKED } from './route-table.ts';
import { Router } from './router.ts';
import { functionCommands } from './scripts/function-commands.ts';
import type { Registry } from './scripts/registry.ts';
import { scriptCommands } from './scripts/script-commands.ts';
import { Session, type SessionOwner } from './session.ts';
import { Stats } from './stats.ts';

export interface WorkerOptions {
  readonly settings: Settings;
  readonly version: string;
  /** This worker's share of max_clients. */
  readonly maxClients: number;
  readonly log: Logger;
  readonly send: (message: ToPrimary) => void;
  /** When the proxy started, as Date.now(); just now unless given. */
  readonly startedAt?: number;
  /** Alone unless given. */
  readonly place?: WorkerPlace;
}

const ALONE: WorkerPlace = { workers: 1, firstId: 1 };

const SECOND_MS = 1000;
/** How long a client may take to read its last replies and close. */
const CLOSING_MS = 5000;
/** INFO's version when no server was seen yet; client libraries expect some number. */
const REDIS_VERSION_UNKNOWN = '7.0.0';

export class Worker implements SessionOwner {
  readonly #options: WorkerOptions;
  readonly #stats = new Stats();
  readonly #sessions = new Set<Session>();
  readonly #clock: Clock;
  readonly #inFlight: InFlight;
  readonly #router: Router;
  readonly #proxyWide: ProxyWide;
  readonly #servers: ServersInfo;
  readonly #rates = new Rates();
  readonly #loopLag: LoopLagMeter;
  readonly #clientRates: ClientRates;
  readonly #startedAt: number;
  #proxies: readonly LiveProxy[] = [];
  #listener: Listener | null = null;
  #draining = false;
  #drainTimer: NodeJS.Timeout | undefined;
  #secondAt = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#startedAt = options.startedAt ?? Date.now();
    const { settings } = options;
    this.#servers = new ServersInfo(
      () => this.#router.masters(),
      () => keptNames(this.#router, settings.product_name),
    );
    this.#clock = new Clock(() => this.#tick());
    this.#loopLag = new LoopLagMeter(this.#clock.now);
    this.#clientRates = new ClientRates(this.#sessions, this.#clock.now);
    this.#inFlight = new InFlight(() => options.send({ type: 'applied', epoch: this.#router.table.epoch }));
    this.#proxyWide = new ProxyWide({
      ...options,
      place: options.place ?? ALONE,
      sessions: this.#sessions,
      stats: this.#stats,
      unblock: (session, kind) => this.#router.blocking.unblock(session, kind),
    });
    const context = {
      stats: this.#stats,
      password: settings.session_auth,
      redisVersion: () => this.#redisVersion(),
    };
    this.#router = new Router(
      this.#routerOptions(),
      (router) =>
        new LocalCommands(
          context,
          aboutCommands(router, context.redisVersion),
          this.#clusterCommands(router),
          this.#infoCommands(router),
          router.pubsub.handlers(),
          router.transactions.handlers(),
          this.#clusterWide(router),
          ...this.#scriptCommands(router),
          ...this.#proxyWide.families(),
        ),
    );
  }

  #clusterWide(router: Router): Handlers {
    const { product_name: product, session_max_bufsize: replyBytesMax } = this.#options.settings;
    return clusterWideCommands({ router, product, replyBytesMax, resetStats: () => this.peers.tell('stats|reset', null) });
  }

  /** What other workers ask, and what they answered (`peers`). */
  get peers(): Peers {
    return this.#proxyWide.peers;
  }

  /** What it has asked the primary about scripts and functions. */
  get registry(): Registry {
    return this.#router.scripts.registry;
  }

  /** SCRIPT FLUSH was carried out, perhaps by another proxy. */
  forgetScripts(): void {
    this.#router.scripts.forget();
  }

  /** Which proxies cluster-aware clients are told of. */
  setProxies(proxies: readonly LiveProxy[]): void {
    this.#proxies = proxies;
  }

  /** Routes by `topology` from now on; `applied` is sent when nothing that went out before is under way for the slots it locks, and the big keys
   *  it switches over. */
  applyTable(epoch: number, topology: string): void {
    this.#router.apply({ epoch: asEpoch(epoch), topology: decodeTopology(Buffer.from(topology)) });
    const locked: number[] = [];
    for (const [slot, kind] of this.#router.table.kind.entries()) if (kind === LOCKED) locked.push(slot);
    this.#inFlight.drain([...locked, ...this.#router.dispatcher.bigKeys.switchingLanes(this.#router.table)]);
  }

  listen(): void {
    this.#draining = false;
    clearTimeout(this.#drainTimer);
    if (this.#listener !== null) return;
    const { host, port } = parseAddr(this.#options.settings.proxy_addr);
    const listener = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    listener.on('error', (error: Error) => this.#options.send({ type: 'listen-failed', message: error.message }));
    listener.listen({ host, port, backlog: 1024 }, () => this.#options.send({ type: 'listening' }));
    this.#listener = listener;
  }

  /** Takes no more clients. Those there are may go on for `graceMs`; then each is closed when its requests are answered, and cut off after another `timeoutMs`. */
  drain({ timeoutMs, graceMs }: { timeoutMs: number; graceMs: number }): void {
    this.#listener?.close();
    this.#listener = null;
    this.#draining = true;
    clearTimeout(this.#drainTimer);
    if (graceMs === 0) this.#finishClients(timeoutMs);
    else this.#drainTimer = setTimeout(() => this.#finishClients(timeoutMs), graceMs).unref();
    this.#checkDrained();
  }

  #finishClients(timeoutMs: number): void {
    for (const session of this.#sessions) session.end();
    this.#router.blocking.endAll();
    this.#drainTimer = setTimeout(() => {
      for (const session of this.#sessions) session.destroy('the proxy stops serving');
    }, timeoutMs).unref();
  }

  report(): WorkerReport {
    const { calls, timings, errorCodes: _, ...counters } = this.#stats;
    return {
      ...counters,
      slowRequests: timings.slowRequests,
      slowUnseen: timings.slowUnseen,
      slowMicros: timings.slowMicros,
      worker: numberOf(this.#options.place ?? ALONE),
      pid: process.pid,
      loopLag: this.#loopLag.read(),
      epoch: this.#router.table.epoch,
      clientBytesOut: this.#bytesOut(),
      clients: this.#sessions.size,
      backendConnections: [...this.#router.servers.values()].reduce(
        (sum, server) => sum + server.connectionCount,
        this.#router.pubsub.connectionCount,
      ),
      rssBytes: process.memoryUsage.rss(),
      cpuMicros: cpuMicros(),
      ...timings.latency(),
      draining: this.#inFlight.waitingFor().map((counted) => this.#router.dispatcher.bigKeys.slotOf(counted)),
      calls: Object.fromEntries(COMMANDS.flatMap(({ name, index }) => (calls[index] ? [[name, calls[index]]] : []))),
    };
  }

  onSessionEnd(session: Session, reason: string): void {
    this.#sessions.delete(session);
    this.#proxyWide.forget(session);
    this.#stats.clientBytesOut += session.bytesOut;
    this.#options.log.debug({ client: session.addr, reason }, 'client disconnected');
    if (this.#draining) this.#checkDrained();
  }

  close(): void {
    this.#listener?.close();
    for (const session of this.#sessions) session.destroy('the proxy is shutting down');
    for (const server of this.#router.servers.values()) server.close();
    this.#router.pubsub.close();
    this.#servers.close();
    this.#loopLag.close();
    this.#clock.close();
  }

  #checkDrained(): void {
    if (this.#sessions.size === 0) this.#options.send({ type: 'drained' });
  }

  #accept(socket: Socket): void {
    this.#stats.clientsTotal++;
    if (this.#sessions.size >= this.#options.maxClients) {
      this.#stats.clientsRefused++;
      socket.on('error', () => socket.destroy());
      socket.end(MAX_CLIENTS, () => socket.destroy());
      return;
    }
    const { settings } = this.#options;
    const session = new Session(socket, {
      id: this.#proxyWide.nextClientId(),
      now: this.#clock.now,
      authenticated: settings.session_auth === '',
      router: this.#router,
      owner: this,
      options: {
        pipelineMax: settings.session_max_pipeline,
        bufferBytesMax: settings.session_max_bufsize,
        requestBytesMax: settings.request_max_bytes,
      },
    });
    this.#sessions.add(session);
    this.#proxyWide.welcome(session);
  }

  #tick(): void {
    this.#router.tick();
    this.#stats.timings.tick();
    this.#proxyWide.tick();
    if (this.#clock.now - this.#secondAt < SECOND_MS) return;
    this.#secondAt = this.#clock.now;
    for (const server of this.#router.servers.values()) server.tick();
    this.#checkSessions();
    this.#clientRates.tick(this.#clock.now);
    this.#loopLag.tick(this.#clock.now);
    this.#router.hotKeys.tick(this.#clock.now);
    const { requests, clientBytesIn: bytesIn } = this.#stats;
    this.#rates.tick({ requests, bytesIn, bytesOut: this.#bytesOut() });
  }

  #checkSessions(): void {
    const { session_max_timeout: idle, session_stall_timeout: stall } = this.#options.settings;
    const now = this.#clock.now;
    for (const session of this.#sessions) {
      if (session.out.bytes === 0) session.progressAt = now;
      if (now - session.progressAt > stall * SECOND_MS) session.destroy(`it read nothing for session_stall_timeout (${stall} s)`);
      else if (session.closingSince > 0 && now - session.closingSince > CLOSING_MS) session.destroy('it did not close in time');
      else if (idle > 0 && session.pending === 0 && (session.modes & MODE_SUBSCRIBED) === 0 && now - session.activeAt > idle * SECOND_MS) {
        session.destroy(`it was idle for session_max_timeout (${idle} s)`);
      }
    }
  }

  #redisVersion(): string {
    const versions = [...this.#router.servers.values()].map((server) => server.version).filter((version) => version !== '');
    return versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))[0] ?? REDIS_VERSION_UNKNOWN;
  }

  #infoCommands(router: Router): Handlers {
    const servers = this.#servers;
    const worker = () => workerFacts({ router, sessions: this.#sessions, rates: this.#rates, bytesOut: () => this.#bytesOut() });
    this.peers.on('info', worker);
    this.peers.on('client|busiest', (count) => this.#clientRates.busiest(count));
    this.peers.on('servers|latency', () => [...router.servers].map(([addr, { latency }]) => ({ addr, ...latency.read(this.#clock.now) })));
    this.peers.on('keys|hot', () => router.hotKeys.read());
    this.peers.on('keys|hotMinute', () => router.hotKeys.lastMinute);
    this.peers.on('slots|requests', () => [...this.#inFlight.requests.subarray(0, SLOT_COUNT)]);
    return infoCommands({ proxy: () => this.#proxyFacts(router), servers, worker, workers: (done) => this.peers.ask('info', null, done) });
  }

  #proxyFacts(router: Router): ProxyFacts {
    const { settings, version } = this.#options;
    return {
      redisVersion: this.#redisVersion(),
      version,
      product: settings.product_name,
      id: settings.proxy_id,
      port: parseAddr(settings.proxy_addr).port,
      maxClients: settings.max_clients,
      workers: (this.#options.place ?? ALONE).workers,
      pid: cluster.isWorker ? process.ppid : process.pid,
      startedAt: this.#startedAt,
      epoch: router.table.epoch,
      topology: router.table.topology,
      proxies: this.#proxies.length,
    };
  }

  #bytesOut(): number {
    let sum = this.#stats.clientBytesOut;
    for (const session of this.#sessions) sum += session.bytesOut;
    return sum;
  }

  #clusterCommands(router: Router): Handlers {
    const { settings } = this.#options;
    const self = { id: settings.proxy_id, addr: settings.proxy_announce_addr || settings.proxy_addr };
    const product = settings.product_name;
    const commands = clusterCommands({ product, self, proxies: () => this.#proxies, epoch: () => router.table.epoch });
    return [...commands, ...slotKeysCommands({ router, product })];
  }

  #scriptCommands(router: Router): Handlers[] {
    const { product_auth: password, backend_connect_timeout_ms: timeoutMs } = this.#options.settings;
    const aside = { password, timeoutMs };
    return [scriptCommands(router, router.scripts, aside), functionCommands(router, router.scripts, aside)];
  }

  #routerOptions(): ConstructorParameters<typeof Router>[0] {
    const { settings, send } = this.#options;
    return {
      clock: this.#clock,
      pauses: this.#proxyWide.pauses,
      monitors: this.#proxyWide.monitors,
      peers: this.#proxyWide.peers,
      send,
      inFlight: this.#inFlight,
      stats: this.#stats,
      product: settings.product_name,
      clientName: proxyClientName(asProxyId(settings.proxy_id), { pid: process.ppid, workerPid: process.pid }),
      password: settings.product_auth,
      connectTimeoutMs: settings.backend_connect_timeout_ms,
      recvTimeoutMs: settings.backend_recv_timeout * SECOND_MS,
      pingPeriodMs: settings.backend_ping_period * SECOND_MS,
      bufferBytesMax: settings.backend_max_bufsize,
      sessionBytesMax: settings.session_max_bufsize,
      epoch: () => this.#router.table.epoch,
      onBehind: () => send({ type: 'behind' }),
      holdTimeoutMs: settings.slot_hold_timeout_ms,
      holdBytesMax: settings.slot_hold_max_bytes,
    };
  }
}

/** From 1; who replaces a worker has its number (primary/places.ts). */
function numberOf({ workers, firstId }: WorkerPlace): number {
  return ((firstId - 1) % workers) + 1;
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
