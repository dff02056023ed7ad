// What a proxy knows of itself and what holds for all its clients, as one worker's part of it: the other workers, pauses, monitors, slow log, latency. Makes
// these and joins them; the session and the router touch only what they need.

import type { Settings } from '@codis/config/settings';
import type { Logger } from 'pino';
import type { ToPrimary, WorkerPlace } from '../ipc.ts';
import { TICK_MS } from './clock.ts';
import { LatencyMonitor } from './latency-events.ts';
import { clientCommands } from './local/client.ts';
import { clientListCommands } from './local/client-list.ts';
import { clientPauseCommands } from './local/client-pause.ts';
import { latencyCommands } from './local/latency.ts';
import type { Handlers } from './local/local-commands.ts';
import { monitorCommands } from './local/monitor.ts';
import { slowlogCommands } from './local/slowlog.ts';
import { Monitors } from './monitors.ts';
import { Pauses } from './pauses.ts';
import { Peers } from './peers.ts';
import type { Session } from './session.ts';
import { SlowLog } from './slow-log.ts';
import type { Stats } from './stats.ts';
import type { SlowRequest } from './timings.ts';

export interface ProxyWideOptions {
  readonly settings: Settings;
  readonly place: WorkerPlace;
  readonly sessions: ReadonlySet<Session>;
  readonly stats: Stats;
  readonly log: Logger;
  readonly send: (message: ToPrimary) => void;
  /** Ends what a blocked client waits for; false when it waits for nothing. */
  readonly unblock: (session: Session, kind: 'timeout' | 'error') => boolean;
}

/** Slow requests are logged, but not each: one line in so many milliseconds. */
const LOG_EVERY_MS = 1000;

export class ProxyWide {
  readonly peers: Peers;
  readonly pauses: Pauses;
  readonly monitors: Monitors;
  readonly #options: ProxyWideOptions;
  readonly #slowLog: SlowLog;
  readonly #latency: LatencyMonitor;
  /** Microseconds; what takes less may still be an event of LATENCY. */
  readonly #slowAfter: number;
  #clientId: number;
  #slowId: number;
  #tickedAt = performance.now();
  #loggedAt = 0;
  #slowCount = 0;

  constructor(options: ProxyWideOptions) {
    this.#options = options;
    const { settings, place, sessions, stats, send } = options;
    this.peers = new Peers(send, place.workers);
    this.pauses = new Pauses(sessions);
    this.monitors = new Monitors(sessions, this.peers, place.firstId);
    this.#clientId = place.firstId;
    this.#slowId = place.firstId - 1;
    this.#slowLog = new SlowLog({ entriesMax: settings.slowlog_max_len, nextId: () => this.#nextSlowId() });
    this.#latency = new LatencyMonitor(settings.latency_monitor_threshold_ms);
    const slower = settings.slowlog_log_slower_than;
    this.#slowAfter = slower < 0 ? Number.POSITIVE_INFINITY : slower;
    const event = settings.latency_monitor_threshold_ms * 1000 || Number.POSITIVE_INFINITY;
    stats.timings.watch(Math.min(this.#slowAfter, event), (slow) => this.#onSlow(slow));
    this.peers.on('state', () => ({ pause: this.pauses.pause, monitored: this.monitors.isOn }));
    this.peers.on('stats|reset', () => {
      stats.reset();
      return null;
    });
    this.#catchUp();
  }

  /** Unique in this proxy, and growing. */
  nextClientId(): number {
    const id = this.#clientId;
    this.#clientId += this.#options.place.workers;
    return id;
  }

  /** The commands that are about the proxy. */
  families(): Handlers[] {
    const { sessions, stats, settings, unblock } = this.#options;
    const { peers } = this;
    return [
      clientCommands(),
      clientListCommands({ peers, sessions, unblock }),
      clientPauseCommands(peers, this.pauses),
      monitorCommands(this.monitors),
      slowlogCommands({ peers, log: this.#slowLog, entriesMax: settings.slowlog_max_len }),
      latencyCommands({ peers, monitor: this.#latency, timings: stats.timings, thresholdMs: settings.latency_monitor_threshold_ms }),
    ];
  }

  /** A client has come: what holds for all holds for it. */
  welcome(session: Session): void {
    session.modes |= this.pauses.modes | this.monitors.modes;
  }

  forget(session: Session): void {
    this.pauses.forget(session);
    this.monitors.forget(session);
  }

  /** Called by the coarse clock: what comes late tells how long the event loop stood still. */
  tick(): void {
    const now = performance.now();
    this.#latency.record('event-loop', now - this.#tickedAt - TICK_MS);
    this.#tickedAt = now;
    this.pauses.tick();
    if (this.#slowCount > 0 && now - this.#loggedAt >= LOG_EVERY_MS) this.#logCount(now);
  }

  /** A worker that replaces one that died is told what the others know. */
  #catchUp(): void {
    this.peers.askOthers('state', null, (states) => {
      for (const { pause, monitored } of states) {
        if (pause !== null) this.pauses.set(pause);
        if (monitored) this.monitors.setElsewhere(true);
      }
    });
  }

  #nextSlowId(): number {
    const id = this.#slowId;
    this.#slowId += this.#options.place.workers;
    return id;
  }

  #onSlow(slow: SlowRequest): void {
    this.#latency.record('command', slow.micros / 1000);
    this.#latency.record('move-hold', slow.stages.held / 1000);
    if (slow.micros < this.#slowAfter) return;
    this.#slowLog.add(slow);
    this.#options.stats.timings.countSlow(slow);
    this.#tell(slow);
  }

  #tell(slow: SlowRequest): void {
    const now = performance.now();
    this.#slowCount++;
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    const { command, micros, stages } = slow;
    this.#options.log.info({ command: command.name, micros, ...stages, client: slow.session?.addr }, 'slow request; SLOWLOG GET has more');
    this.#loggedAt = now;
    this.#slowCount = 0;
  }

  #logCount(now: number): void {
    this.#options.log.info({ count: this.#slowCount }, 'further slow requests');
    this.#loggedAt = now;
    this.#slowCount = 0;
  }
}
