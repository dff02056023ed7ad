// The worker processes of a proxy: started, given every table, replaced when they die or stand still, asked for their counters. Knows nothing of the coordinator.

import cluster, { type Worker as Process } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Settings } from '@codis/config/settings';
import type { Logger } from 'pino';
import type { LiveProxy, PeerTopic, RegistryChange, RegistryQuestion, ToPrimary, ToWorker, WorkerReport } from '../ipc.ts';
import { Exchange, type ExchangeMember } from './exchange.ts';
import { Places } from './places.ts';
import { StallWatch, type Watched } from './stall-watch.ts';
import { watchUntaken } from './untaken-connection.ts';

export interface WorkerPoolOptions {
  readonly settings: Settings;
  readonly version: string;
  readonly log: Logger;
  /** Every worker routes by this epoch and has drained what it locks. Called again for each epoch, and when a dead worker was the last one missing. */
  readonly onApplied: (epoch: number) => void;
  /** The address can't be listened on. */
  readonly onListenFailed: (message: string) => void;
  /** A server was fenced against the table we hold. */
  readonly onBehind: () => void;
  /** `unconfirmed` has changed. */
  readonly onUnconfirmed: () => void;
  /** A worker tells of a script or function that was loaded, or asks for some. */
  readonly onRegister: (change: RegistryChange) => void;
  readonly onLookUp: (question: RegistryQuestion) => Promise<unknown>;
}

interface Table {
  readonly epoch: number;
  readonly topology: string;
}

interface Member extends Watched {
  readonly process: Process;
  applied: number;
  listening: boolean;
  drained: boolean;
  /** As it told last. */
  unconfirmed: readonly string[];
  readonly startedAt: number;
  readonly post: (message: ToWorker) => void;
  /** Closes the connection that it had not taken when it died. */
  readonly closeUntaken: () => void;
}

const RESPAWN_MS_MIN = 100;
const RESPAWN_MS_MAX = 5000;
/** A worker that lived this long did not die of its start. */
const STABLE_MS = 10_000;
const REPORT_TIMEOUT_MS = 1000;
/** More can't have died while something of theirs was still on its way: they are replaced more slowly each time. */
const GONE_WORKERS_MAX = 100;
/** What a worker gets beyond the time it was given to drain. */
const DRAIN_GRACE_MS = 1000;

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #members = new Map<number, Member>();
  readonly #reports = new Map<number, (report: WorkerReport) => void>();
  readonly #size: number;
  readonly #places: Places;
  readonly #exchange = new Exchange(() => this.#started);
  /** Those that know of each other: they have been told to start. */
  readonly #started = new Set<Member>();
  readonly #startedAt = Date.now();
  readonly #stalls: StallWatch<Member>;
  #goneWorkers: readonly number[] = [];
  #table: Table | null = null;
  #proxies: readonly LiveProxy[] = [];
  #serving = false;
  #closed = false;
  #respawnMs = RESPAWN_MS_MIN;
  #reportId = 0;
  #restarts = 0;
  #onDrained: (() => void) | null = null;
  #late: NodeJS.Timeout | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    const { workers } = options.settings;
    this.#size = workers === 'auto' ? availableParallelism() : workers;
    this.#places = new Places(this.#size);
    this.#stalls = new StallWatch({
      members: () => this.#members.values(),
      timeoutSeconds: options.settings.worker_stall_timeout,
      onStalled: (member) => this.#onStalled(member),
    });
    cluster.setupPrimary({ exec: resolve(import.meta.dirname, '../worker/main.js'), args: [] });
  }

  get size(): number {
    return this.#size;
  }

  /** How often a worker had to be replaced. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Process ids of the last workers that died. */
  get goneWorkers(): readonly number[] {
    return this.#goneWorkers;
  }

  /** Masters that may still carry out what a worker gave up there. What was a dead worker's is cut off with all else of it. */
  get unconfirmed(): readonly string[] {
    return [...new Set([...this.#members.values()].flatMap(({ unconfirmed }) => unconfirmed))].sort();
  }

  get listeningCount(): number {
    return [...this.#members.values()].filter((member) => member.listening).length;
  }

  /** Epoch that every worker has applied; -1 while one has none. */
  get applied(): number {
    if (this.#members.size < this.#size) return -1;
    return Math.min(...[...this.#members.values()].map((member) => member.applied));
  }

  start(): void {
    for (let count = 0; count < this.#size; count++) this.#spawn();
    this.#stalls.start();
  }

  /** Sends a table to all workers, and to those that start later. */
  setTable(table: Table): void {
    this.#table = table;
    for (const { process } of this.#members.values()) post(process, { type: 'table', ...table });
  }

  /** Tells all workers which proxies serve clients, and those that start later. */
  setProxies(proxies: readonly LiveProxy[]): void {
    this.#proxies = proxies;
    for (const { process } of this.#members.values()) post(process, { type: 'proxies', proxies });
  }

  /** SCRIPT FLUSH was carried out by some proxy. */
  forgetScripts(): void {
    for (const { process } of this.#members.values()) post(process, { type: 'scripts-flushed' });
  }

  /** Workers listen from now on, those that start later too. A drain under way is over: who still has clients keeps them. */
  serve(): void {
    this.#serving = true;
    for (const member of this.#members.values()) {
      member.drained = true;
      post(member.process, { type: 'listen' });
    }
    this.#endDraining();
  }

  /** Takes no more clients; resolves when those there were have left within `graceMs`, or have been served or cut off by `timeoutMs` after that. A worker that does not even do that is killed. */
  async drain({ timeoutMs, graceMs = 0 }: { timeoutMs: number; graceMs?: number }): Promise<void> {
    this.#serving = false;
    this.#endDraining();
    const drained = new Promise<void>((done) => {
      this.#onDrained = done;
    });
    this.#late = setTimeout(() => this.#giveUpDraining(), graceMs + timeoutMs + DRAIN_GRACE_MS);
    for (const member of this.#members.values()) {
      member.drained = false;
      member.listening = false;
      post(member.process, { type: 'drain', timeoutMs, graceMs });
    }
    if (this.#members.size === 0) this.#endDraining();
    await drained;
  }

  #endDraining(): void {
    clearTimeout(this.#late);
    this.#onDrained?.();
    this.#onDrained = null;
  }

  /** Counters of all workers; one that does not answer within a second is left out. */
  async report(): Promise<WorkerReport[]> {
    const asked = [...this.#members.values()].map(({ process }) => this.#ask(process));
    return (await Promise.all(asked)).filter((report) => report !== null);
  }

  /** What all workers that are up answer to a question of theirs (worker/peers.ts); one that does not within a second is left out. */
  askAll(topic: PeerTopic, question: unknown): Promise<readonly unknown[]> {
    return new Promise((done) => {
      const asker: ExchangeMember = { post: (message) => done(message.type === 'answers' ? message.answers : []) };
      this.#exchange.ask(asker, { type: 'ask', id: 0, topic, question, unlessLate: true });
    });
  }

  /** Ends all workers; their clients are cut off. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#exchange.close();
    this.#stalls.close();
    const ended = [...this.#members.values()].map(({ process }) => new Promise((done) => process.once('exit', done)));
    for (const { process } of this.#members.values()) process.process.kill('SIGKILL');
    await Promise.all(ended);
  }

  #spawn(): void {
    const process = cluster.fork();
    this.#goneWorkers = this.#goneWorkers.filter((pid) => pid !== process.process.pid);
    const member: Member = {
      process,
      applied: -1,
      listening: false,
      unconfirmed: [],
      drained: !this.#serving,
      startedAt: performance.now(),
      post: (message) => post(process, message),
      closeUntaken: watchUntaken(process.process),
      ask: () => post(process, { type: 'are-you-there' }),
      isUp: () => this.#started.has(member),
    };
    this.#members.set(process.id, member);
    process.on('message', (message: ToPrimary) => this.#onMessage(member, message));
    process.on('error', (error: Error) => this.#options.log.warn({ err: error, worker: process.process.pid }, 'worker error'));
    process.on('exit', (code, signal) => this.#onExit(member, code, signal));
  }

  #onExit(member: Member, code: number | null, signal: string | null): void {
    this.#members.delete(member.process.id);
    member.closeUntaken();
    this.#goneWorkers = [...this.#goneWorkers, member.process.process.pid ?? 0].slice(-GONE_WORKERS_MAX);
    this.#places.giveBack(member.process.id);
    this.#started.delete(member);
    this.#stalls.forget(member);
    this.#exchange.forget(member);
    if (this.#closed) return;
    this.#restarts++;
    if (performance.now() - member.startedAt > STABLE_MS) this.#respawnMs = RESPAWN_MS_MIN;
    this.#options.log.error(
      { worker: member.process.process.pid, code, signal, restartMs: this.#respawnMs },
      'a worker died; starting another',
    );
    setTimeout(() => {
      if (!this.#closed) this.#spawn();
    }, this.#respawnMs);
    this.#respawnMs = Math.min(this.#respawnMs * 2, RESPAWN_MS_MAX);
    this.#checkDrained();
  }

  /** Replaced as one that died: what it has under way must not run when its slots have left, and killed is the only way to be sure. */
  #onStalled({ process }: Member): void {
    this.#options.log.error(
      { worker: process.process.pid, worker_stall_timeout: this.#options.settings.worker_stall_timeout },
      'a worker stands still, longer than worker_stall_timeout, and would hold up slot moves; killing it',
    );
    process.process.kill('SIGKILL');
  }

  #onMessage(member: Member, message: ToPrimary): void {
    this.#stalls.forget(member);
    switch (message.type) {
      case 'here':
        return;
      case 'ask':
        this.#exchange.ask(member, message);
        return;
      case 'answer':
        this.#exchange.answer(member, message);
        return;
      case 'up':
        this.#introduce(member);
        return;
      case 'applied':
        member.applied = message.epoch;
        if (this.#table !== null && this.applied === this.#table.epoch) this.#options.onApplied(this.#table.epoch);
        return;
      case 'listening':
        member.listening = true;
        return;
      case 'listen-failed':
        this.#options.onListenFailed(message.message);
        return;
      case 'drained':
        member.drained = true;
        this.#checkDrained();
        return;
      case 'behind':
        this.#options.onBehind();
        return;
      case 'unconfirmed':
        member.unconfirmed = message.servers;
        this.#options.onUnconfirmed();
        return;
      case 'register':
        this.#options.onRegister(message.change);
        return;
      case 'look-up':
        void this.#options.onLookUp(message.question).then((answer) => member.post({ type: 'looked-up', id: message.id, answer }));
        return;
      case 'report':
        this.#reports.get(message.id)?.(message.report);
        return;
    }
  }

  /** A new worker gets the table before it may listen. */
  #introduce(member: Member): void {
    const { process } = member;
    this.#started.add(member);
    const { settings, version } = this.#options;
    const maxClients = Math.max(1, Math.floor(settings.max_clients / this.#size));
    const startedAt = this.#startedAt;
    post(process, { type: 'start', settings, version, maxClients, startedAt, place: this.#places.take(process.id) });
    if (this.#table !== null) post(process, { type: 'table', ...this.#table });
    post(process, { type: 'proxies', proxies: this.#proxies });
    if (this.#serving) post(process, { type: 'listen' });
  }

  #checkDrained(): void {
    if ([...this.#members.values()].every((member) => member.drained)) this.#endDraining();
  }

  #giveUpDraining(): void {
    for (const { process, drained } of this.#members.values()) {
      if (drained) continue;
      this.#options.log.error({ worker: process.process.pid }, 'a worker does not drain; killing it');
      process.process.kill('SIGKILL');
    }
    this.#endDraining();
  }

  #ask(process: Process): Promise<WorkerReport | null> {
    const id = ++this.#reportId;
    return new Promise((done) => {
      const give = (report: WorkerReport | null) => {
        clearTimeout(timer);
        this.#reports.delete(id);
        done(report);
      };
      const timer = setTimeout(() => give(null), REPORT_TIMEOUT_MS);
      this.#reports.set(id, give);
      post(process, { type: 'report', id });
    });
  }
}

/** A worker that is just dying takes no message; its `exit` tells the rest. */
function post(process: Process, message: ToWorker): void {
  if (process.isConnected()) process.send(message, () => undefined);
}
