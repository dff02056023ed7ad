// Looks at the cluster every two seconds, whether or not somebody watches: so there is a past to show, and somebody to notice. Each look makes a frame; who watches is told of it.
//
// Invariant: one look at a time, and what a frame shows was read in that look. A look that fails makes no frame: watchers are told that nothing is known just now.

import type {
  AlertsView,
  HistoryMarkerView,
  LiveTroubleView,
  MigrationView,
  ProxyStatsView,
  StatsPointView,
  StatusView,
  TopologyView,
} from '@codis/config/api';
import { type Coordinator, PATHS, type Unsubscribe } from '@codis/config/coordinator';
import { asEpoch, decodeTopology, isCodisError, type Migration } from '@codis/config/model';
import { listEvents, listProxies, readTopologyIfAny } from '@codis/config/operations';
import type { StatusReader } from '@codis/config/status';
import { migrationView, topologyView } from '@codis/config/status';
import type { Logger } from 'pino';
import type { AlertKeeper } from '../alerts/keeper.ts';
import { problemOf } from '../problems.ts';
import type { Clocks } from './clocks.ts';
import type { History } from './history.ts';
import type { ProxyWatch } from './proxies.ts';
import { statsPoint } from './rates.ts';
import { follow, type Standings, stalledOf } from './stalls.ts';

const PERIOD_MS = 2000;
/** When something may be the matter, it is looked at again soon. */
const SOON_MS = 1000;
const MARKERS_AT_ONCE = 20;
/** So many of the newest migrations are shown, and all that have not ended. */
const SHOWN_MAX = 100;

/** What was seen in one look. */
export interface Frame {
  /** ISO 8601. */
  readonly at: string;
  readonly status: StatusView;
  readonly topology: TopologyView | null;
  readonly migrations: readonly MigrationView[];
  readonly point: StatsPointView;
  readonly proxies: readonly ProxyStatsView[];
  readonly alerts: AlertsView;
}

export interface Watcher {
  onFrame(frame: Frame): void;
  onTopology(topology: TopologyView | null): void;
  /** Never none. */
  onMarkers(markers: readonly HistoryMarkerView[]): void;
  onTrouble(trouble: LiveTroubleView): void;
}

export interface ObserverOptions {
  readonly coordinator: Coordinator;
  readonly status: StatusReader;
  readonly proxies: ProxyWatch;
  readonly alerts: AlertKeeper;
  readonly history: History;
  readonly clocks: Clocks;
  migrations(): Promise<Migration[]>;
  readonly log: Logger;
}

export class Observer {
  readonly #options: ObserverOptions;
  readonly #watchers = new Set<Watcher>();
  readonly #unsubscribe: Unsubscribe[] = [];
  #standings: Standings = new Map();
  #lastEvent: number | null = null;
  /** One after the other: else two would find the same events. */
  #marking: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  start(): void {
    const { coordinator } = this.#options;
    this.#unsubscribe.push(
      coordinator.watch(PATHS.topology, (entry) => this.#onTopology(entry)),
      coordinator.watchChildren(PATHS.events, () => {
        this.#marking = this.#marking.then(() => this.#markEvents());
      }),
    );
    this.#schedule(0);
  }

  /** Resolves when the look under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#looking;
  }

  watch(watcher: Watcher): Unsubscribe {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** As they are now, each with what is known of how it gets on. */
  migrationViews(migrations: readonly Migration[]): MigrationView[] {
    const nowMs = performance.now();
    this.#standings = follow(this.#standings, migrations, { nowMs, now: new Date().toISOString() });
    return migrations.map((migration) => migrationView(migration, stalledOf(this.#standings, migration, nowMs)));
  }

  /** Of one; says less than `migrationViews` when it was never looked at. */
  migrationView(migration: Migration): MigrationView {
    return migrationView(migration, stalledOf(this.#standings, migration, performance.now()));
  }

  /** Looks now; never rejects. */
  async look(): Promise<void> {
    try {
      const frame = await this.#read();
      this.history.add(frame.point);
      for (const watcher of this.#watchers) watcher.onFrame(frame);
      const markers = this.history.takeFresh();
      if (markers.length > 0) for (const watcher of this.#watchers) watcher.onMarkers(markers);
    } catch (error) {
      if (!isCodisError(error)) this.#options.log.error({ err: error }, 'the cluster could not be looked at');
      const { detail, code } = problemOf(error);
      await this.#options.alerts.evaluate({ status: null, trouble: detail, point: null, proxies: [], migrations: [], skews: new Map() });
      for (const watcher of this.#watchers) watcher.onTrouble({ at: new Date().toISOString(), detail, code });
    }
  }

  get history(): History {
    return this.#options.history;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.look().then(() => this.#schedule(this.#options.alerts.isPending ? SOON_MS : PERIOD_MS));
    }, ms);
  }

  async #read(): Promise<Frame> {
    const { coordinator, status: readStatus, proxies, alerts } = this.#options;
    await proxies.ask(await listProxies(coordinator));
    const status = await readStatus({ apart: true });
    const [topology, migrations] = await Promise.all([topologyOrNull(coordinator), this.#options.migrations()]);
    const sessions = proxies.stats.flatMap((one) => one.sessions ?? []);
    const point = statsPoint({ at: status.readAt, status, activities: proxies.activities, sessions });
    const shown = this.migrationViews(migrations).filter(({ endedAt }, at) => endedAt === null || at >= migrations.length - SHOWN_MAX);
    const seen = { status, migrations: shown, point, proxies: proxies.stats };
    await alerts.evaluate({ ...seen, trouble: null, skews: this.#options.clocks.skews });
    return { at: status.readAt, topology, alerts: alerts.view, ...seen };
  }

  #onTopology(entry: { data: Buffer; version: number } | null): void {
    try {
      const view = entry && topologyView({ epoch: asEpoch(entry.version), topology: decodeTopology(entry.data) });
      for (const watcher of this.#watchers) watcher.onTopology(view);
    } catch (error) {
      this.#options.log.error({ err: error }, 'the topology can’t be read');
    }
  }

  /** Changes become markers on the axis of time; those from before this started don't. */
  async #markEvents(): Promise<void> {
    const { coordinator, log } = this.#options;
    try {
      const events = await listEvents(coordinator, { after: this.#lastEvent ?? 0, limit: this.#lastEvent === null ? 1 : MARKERS_AT_ONCE });
      const isFirst = this.#lastEvent === null;
      this.#lastEvent = events[0]?.seq ?? this.#lastEvent ?? 0;
      if (isFirst) return;
      for (const { seq, at, action, object, denied, failed } of events.toReversed()) {
        if (denied !== undefined || failed !== undefined) continue;
        this.history.mark({ time: Math.floor(Date.parse(at) / 1000), kind: 'event', text: `${action} ${object}`, event: seq });
      }
    } catch (error) {
      log.debug({ err: error }, 'events could not be read');
    }
  }
}

async function topologyOrNull(coordinator: Coordinator): Promise<TopologyView | null> {
  const current = await readTopologyIfAny({ coordinator });
  return current && topologyView(current);
}
