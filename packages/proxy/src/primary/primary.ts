// The primary of a proxy: joins coordinator, registration, workers and admin address. It is level-triggered: whatever changes (session, topology,
// wanted state, a worker), `#sync` compares what should be with what is and does the next thing.
//
//   register ─▶ read topology ─▶ workers apply ─▶ acknowledge ─▶ listen         SIGTERM: drain ─▶ deregister ─▶ end

import { type Coordinator, type Entry, PATHS, proxyPath, type Unsubscribe } from '@codis/config/coordinator';
import { asProxyId, decodeProxyRegistration, decodeTopology, isCodisError, type ProxyRegistration, SLOT_COUNT } from '@codis/config/model';
import type { Settings } from '@codis/config/settings';
import type { Logger } from 'pino';
import type { WorkerReport } from '../ipc.ts';
import { type BusiestClients, mergeBusiest } from '../worker/busiest-clients.ts';
import type { HotKeysSeen, HotMinuteSeen } from '../worker/hot-keys.ts';
import type { PeerTopics } from '../worker/peer-topics.ts';
import { type HotKeysAnswer, type HotMinuteAnswer, mergeHotKeys, mergeHotMinutes } from './hot-keys.ts';
import { LiveProxies } from './live-proxies.ts';
import { LockLeases } from './lock-leases.ts';
import { Registration } from './registration.ts';
import { ScriptStore } from './script-store.ts';
import { mergeLatency, type ServerLatencyLine } from './server-latency.ts';
import { type ShownSlowEntry, slowEntries } from './slow-entries.ts';
import { WorkerPool } from './worker-pool.ts';

export interface PrimaryOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly coordinator: Coordinator;
  readonly log: Logger;
  /** Something that can't be mended from within: the program shall end with this message. */
  readonly onFatal: (message: string) => void;
}

export interface ProxyStatus {
  readonly id: string;
  readonly product: string;
  readonly version: string;
  readonly addr: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly wanted: ProxyRegistration['wanted'];
  /** It serves clients: acknowledged, online and listening on every worker. */
  readonly serving: boolean;
  /** Epoch of the table the primary holds, that every worker routes by, and that was acknowledged; -1: none. */
  readonly epoch: { readonly held: number; readonly applied: number; readonly acknowledged: number };
  /** `staleSince` (ISO 8601) while the coordinator can't be reached; the last table goes on being served. */
  readonly coordinator: { readonly state: string; readonly staleSince: string | null };
  readonly workerRestarts: number;
  readonly workers: readonly WorkerReport[];
}

const RETRY_MS = 500;
const DRAIN_MS = 5000;
/** As many as are shown at the admin address. */
const SLOW_ENTRIES_MAX = 512;

export class Primary {
  readonly #options: PrimaryOptions;
  readonly #registration: Registration;
  readonly #leases: LockLeases;
  readonly #live: LiveProxies;
  readonly #pool: WorkerPool;
  readonly #scripts: ScriptStore;
  readonly #unsubscribe: Unsubscribe[] = [];
  #wanted: ProxyRegistration['wanted'];
  /** How long clients may go on once this is wanted offline. */
  #drainMs = DRAIN_MS;
  /** With how much time clients are being drained; null when they are not. */
  #draining: number | null = null;
  #registered = false;
  #held = -1;
  #acknowledged = -1;
  /** The session the acknowledgement was made in; another session must make it again. */
  #acknowledgedIn = '';
  /** The unconfirmed servers that the acknowledgement names. */
  #unconfirmed = '';
  #serving = false;
  #closing = false;
  #syncing = false;
  #syncAgain = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { settings, coordinator, log } = options;
    this.#wanted = settings.proxy_start;
    const addr = settings.proxy_announce_addr || settings.proxy_addr;
    const proxy = { id: asProxyId(settings.proxy_id), addr, adminAddr: settings.admin_addr, wanted: this.#wanted };
    this.#registration = new Registration({ coordinator, proxy, takeOverMs: settings.zk_session_timeout + 5000, log });
    this.#leases = new LockLeases({ coordinator, log });
    this.#scripts = new ScriptStore({ coordinator, log, onFlushed: () => this.#pool.forgetScripts() });
    this.#pool = new WorkerPool({
      settings,
      version: options.version,
      log,
      onApplied: () => this.#sync(),
      onListenFailed: (message) => options.onFatal(`can't listen on proxy_addr ${settings.proxy_addr}: ${message}`),
      onBehind: () => this.#lookForNewerTable(),
      onUnconfirmed: () => this.#sync(),
      onRegister: (change) => this.#scripts.register(change),
      onLookUp: (question) => this.#scripts.lookUp(question),
    });
    this.#live = new LiveProxies({ coordinator, log, addr, onChange: (proxies) => this.#pool.setProxies(proxies) });
  }

  /** Registers, takes the topology, and serves once it may. Throws CODIS_E_PROXY_RUNNING, or as the coordinator does. */
  async start(): Promise<void> {
    const { coordinator, settings } = this.#options;
    this.#wanted = await this.#registration.register();
    this.#registered = true;
    this.#pool.start();
    this.#unsubscribe.push(
      coordinator.watch(PATHS.topology, (entry) => this.#onTopology(entry)),
      coordinator.watch(proxyPath(asProxyId(settings.proxy_id)), (entry) => this.#onRegistration(entry)),
      coordinator.onState(() => this.#sync()),
    );
    this.#live.start();
    this.#scripts.start();
    this.#sync();
  }

  async status(): Promise<ProxyStatus> {
    const { settings, version, coordinator } = this.#options;
    const { state } = coordinator;
    return {
      id: settings.proxy_id,
      product: settings.product_name,
      version,
      addr: settings.proxy_addr,
      pid: process.pid,
      startedAt: this.#registration.startedAt,
      wanted: this.#wanted,
      serving: this.isServing,
      epoch: { held: this.#held, applied: this.#pool.applied, acknowledged: this.#acknowledged },
      coordinator: { state: state.kind, staleSince: 'since' in state ? new Date(state.since).toISOString() : null },
      workerRestarts: this.#pool.restarts,
      workers: await this.#pool.report(),
    };
  }

  /** The newest slow requests of all workers. */
  async slowLog(): Promise<ShownSlowEntry[]> {
    const all = await this.#pool.askAll('slowlog|get' satisfies keyof PeerTopics, SLOW_ENTRIES_MAX);
    return slowEntries(all as readonly PeerTopics['slowlog|get']['answer'][], SLOW_ENTRIES_MAX);
  }

  /** The clients that ask the most; `missing` workers did not answer. */
  async busiestClients(count: number): Promise<BusiestClients & { missing: number }> {
    const all = (await this.#pool.askAll('client|busiest' satisfies keyof PeerTopics, count)) as readonly BusiestClients[];
    return { ...mergeBusiest(all, count), missing: this.#pool.size - all.length };
  }

  /** How long requests to each server took lately, as far as workers answer. */
  async serverLatency(): Promise<{ servers: ServerLatencyLine[]; missing: number }> {
    const all = await this.#pool.askAll('servers|latency' satisfies keyof PeerTopics, null);
    const servers = mergeLatency(all as readonly PeerTopics['servers|latency']['answer'][]);
    return { servers, missing: this.#pool.size - all.length };
  }

  /** The keys that clients ask for most, as far as workers answer. */
  async hotKeys(count: number): Promise<HotKeysAnswer & { missing: number }> {
    const all = (await this.#pool.askAll('keys|hot' satisfies keyof PeerTopics, null)) as readonly HotKeysSeen[];
    return { ...mergeHotKeys(all, count), missing: this.#pool.size - all.length };
  }

  /** The same of the newest whole minute. */
  async hotKeysOfMinute(count: number): Promise<HotMinuteAnswer> {
    const all = (await this.#pool.askAll('keys|hotMinute' satisfies keyof PeerTopics, null)) as readonly (HotMinuteSeen | null)[];
    return mergeHotMinutes(all, { count, workers: this.#pool.size, time: Date.now() });
  }

  /** By slot: requests of clients so far. A difference says something only where `workers` and `restarts` are the same. */
  async slotRequests(): Promise<{ requests: number[]; workers: number; restarts: number }> {
    const all = await this.#pool.askAll('slots|requests' satisfies keyof PeerTopics, null);
    const counts = all as readonly PeerTopics['slots|requests']['answer'][];
    const requests = Array.from({ length: SLOT_COUNT }, (_, slot) => counts.reduce((sum, each) => sum + (each[slot] ?? 0), 0));
    return { requests, workers: counts.length, restarts: this.#pool.restarts };
  }

  get isServing(): boolean {
    return this.#serving && this.#pool.listeningCount > 0;
  }

  /** Finishes with its clients, deregisters, ends its workers. Bounded: a few seconds for clients, a few for the coordinator. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#retry) clearTimeout(this.#retry);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#leases.close();
    this.#live.close();
    this.#scripts.close();
    await this.#pool.drain({ timeoutMs: DRAIN_MS });
    await this.#pool.close();
    if (!this.#registered) return;
    try {
      await this.#registration.deregister();
    } catch (error) {
      this.#options.log.warn(
        { err: error },
        'could not deregister: moves will wait for proxy_lost_timeout before they go on without this proxy',
      );
    }
  }

  #onTopology(entry: Entry | null): void {
    const { log } = this.#options;
    if (entry === null) {
      if (this.#held >= 0) log.error({ epoch: this.#held }, 'the topology is gone from the coordinator; serving on by the last one');
      this.#sync();
      return;
    }
    if (entry.version < this.#held) {
      log.error(
        { epoch: entry.version, held: this.#held },
        'the coordinator shows an older topology than the one held; refused. If it was restored, restart the proxies',
      );
      return;
    }
    if (entry.version === this.#held) return;
    try {
      const topology = decodeTopology(entry.data);
      this.#leases.onTopology(entry.version, topology);
    } catch (error) {
      log.error({ err: error, epoch: entry.version }, 'the new topology can’t be read; serving on by the last one');
      return;
    }
    this.#held = entry.version;
    this.#pool.setTable({ epoch: entry.version, topology: entry.data.toString('utf8') });
    log.debug({ epoch: entry.version }, 'topology');
  }

  #onRegistration(entry: Entry | null): void {
    if (entry === null) this.#registered = false;
    else {
      const { wanted, drainSeconds } = decodeProxyRegistration(entry.data);
      this.#wanted = wanted;
      this.#drainMs = drainSeconds === undefined ? DRAIN_MS : drainSeconds * 1000;
    }
    this.#sync();
  }

  /** Runs `#step` until nothing is left to do; never twice at once. */
  #sync(): void {
    this.#syncAgain = true;
    if (this.#syncing || this.#closing) return;
    this.#syncing = true;
    void this.#syncLoop();
  }

  async #syncLoop(): Promise<void> {
    while (this.#syncAgain && !this.#closing) {
      this.#syncAgain = false;
      try {
        await this.#step();
      } catch (error) {
        this.#onStepError(error);
      }
    }
    this.#syncing = false;
  }

  async #step(): Promise<void> {
    const { state } = this.#options.coordinator;
    if (state.kind !== 'connected') return;
    if (!this.#registered) {
      this.#wanted = await this.#registration.register();
      this.#registered = true;
    }
    const applied = this.#pool.applied;
    const { goneWorkers, unconfirmed } = this.#pool;
    const told = applied === this.#acknowledged && state.session === this.#acknowledgedIn && unconfirmed.join() === this.#unconfirmed;
    if (applied === this.#held && !told && (await this.#topologySeen())) {
      if (await this.#registration.acknowledge(applied, { goneWorkers, unconfirmed })) {
        this.#acknowledged = applied;
        this.#acknowledgedIn = state.session;
        this.#unconfirmed = unconfirmed.join();
        this.#options.log.debug({ epoch: applied }, 'acknowledged');
      }
    }
    if (this.#acknowledgedIn !== '') await this.#serveAsWanted();
  }

  /** Before the first table there is nothing to acknowledge but that there is none. */
  async #topologySeen(): Promise<boolean> {
    return this.#held >= 0 || (await this.#options.coordinator.read(PATHS.topology)) === null;
  }

  async #serveAsWanted(): Promise<void> {
    if (this.#wanted === 'online' && !this.#serving) {
      this.#serving = true;
      this.#draining = null;
      this.#pool.serve();
      this.#options.log.info({ addr: this.#options.settings.proxy_addr, epoch: this.#acknowledged, workers: this.#pool.size }, 'online');
    } else if (this.#wanted === 'offline' && (this.#serving || (this.#draining !== null && this.#draining !== this.#drainMs))) {
      this.#serving = false;
      this.#drain(this.#drainMs);
    }
  }

  /** Goes on beside all else: tables must be acknowledged meanwhile, and an operator may change his mind. */
  #drain(drainMs: number): void {
    const { log } = this.#options;
    this.#draining = drainMs;
    log.info({ drainMs }, 'draining');
    const timeoutMs = Math.min(drainMs, DRAIN_MS);
    void this.#pool.drain({ timeoutMs, graceMs: drainMs - timeoutMs }).then(() => {
      if (this.#serving || this.#closing || this.#draining !== drainMs) return;
      this.#draining = null;
      log.info('offline');
    });
  }

  #onStepError(error: unknown): void {
    const { log, onFatal } = this.#options;
    if (isCodisError(error, 'CODIS_E_PROXY_RUNNING')) {
      onFatal(error.message);
      return;
    }
    if (isCodisError(error, 'CODIS_E_CONFLICT')) this.#registered = false;
    log.warn({ err: error }, 'could not write to the coordinator; trying again');
    this.#retry = setTimeout(() => this.#sync(), RETRY_MS);
  }

  #lookForNewerTable(): void {
    this.#options.coordinator.read(PATHS.topology).then(
      (entry) => {
        if (entry !== null && !this.#closing) this.#onTopology(entry);
      },
      (error: unknown) =>
        this.#options.log.warn({ err: error }, 'a server is fenced against this proxy, and the coordinator can’t be read'),
    );
  }
}
