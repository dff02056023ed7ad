// Tells all who listen what is new. Each look at the cluster is compared once with what was told, however many listen; who comes later gets a snapshot of what was told.
//
// Invariant: everybody has been told the same, or is waiting for a snapshot.

import type { HistoryMarkerView, LiveEventName, LiveEvents, LiveSnapshotView, LiveTroubleView, TopologyView } from '@codis/config/api';
import type { Frame, Watcher } from '../observe/observer.ts';
import { alertsChanged, migrationsChange, proxiesChange, statusChange, statusTold, topologyChange } from './changes.ts';

/** How often everybody hears something. */
export const BEAT_MS = 2000;

/** Takes the text of one event. */
export type Listener = (text: string) => void;

export class LiveHub implements Watcher {
  readonly #told = new Set<Listener>();
  readonly #waiting = new Set<Listener>();
  #snapshot: LiveSnapshotView | null = null;
  #trouble: LiveTroubleView | null = null;
  #beat: NodeJS.Timeout | undefined;

  get listenersCount(): number {
    return this.#told.size + this.#waiting.size;
  }

  /** Returns how to stop. */
  add(listener: Listener): () => void {
    this.#beat ??= setInterval(() => this.#tell(this.#everybody(), 'beat', { at: new Date().toISOString() }), BEAT_MS);
    if (this.#snapshot && !this.#trouble) {
      this.#told.add(listener);
      this.#tell([listener], 'snapshot', this.#snapshot);
    } else {
      this.#waiting.add(listener);
      if (this.#trouble) this.#tell([listener], 'trouble', this.#trouble);
    }
    return () => {
      this.#told.delete(listener);
      this.#waiting.delete(listener);
      if (this.listenersCount === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#beat);
    this.#beat = undefined;
  }

  onFrame(frame: Frame): void {
    this.#trouble = null;
    if (this.#snapshot) this.#change(this.#snapshot, frame);
    else this.#snapshot = snapshotOf(frame, frame.topology);
    this.#tell([...this.#waiting], 'snapshot', this.#snapshot);
    for (const listener of this.#waiting) this.#told.add(listener);
    this.#waiting.clear();
  }

  /** A table that goes away is told with the next frame. */
  onTopology(topology: TopologyView | null): void {
    if (!this.#snapshot || !topology || this.#trouble) return;
    const { topology: told } = this.#snapshot;
    if (told && topology.epoch < told.epoch) return;
    const change = topologyChange(told, topology);
    if (!change) return;
    this.#snapshot = { ...this.#snapshot, topology };
    this.#tell(this.#told, 'topology', change);
  }

  /** Who comes later finds them in the history. */
  onMarkers(markers: readonly HistoryMarkerView[]): void {
    this.#tell(this.#told, 'markers', { markers });
  }

  /** Everybody waits for a snapshot again: nobody knows what has changed by then. */
  onTrouble(trouble: LiveTroubleView): void {
    this.#trouble = trouble;
    this.#tell(this.#everybody(), 'trouble', trouble);
    for (const listener of this.#told) this.#waiting.add(listener);
    this.#told.clear();
    this.#snapshot = null;
  }

  #change(told: LiveSnapshotView, frame: Frame): void {
    if (told.topology && !frame.topology) {
      for (const listener of this.#told) this.#waiting.add(listener);
      this.#told.clear();
      this.#snapshot = snapshotOf(frame, null);
      return;
    }
    if (frame.topology) this.onTopology(frame.topology);
    const status = statusChange(told.status, frame.status);
    if (status) this.#tell(this.#told, 'status', status);
    const migrations = migrationsChange(told.migrations, frame.migrations);
    if (migrations) this.#tell(this.#told, 'migrations', migrations);
    const alerts = alertsChanged(told.alerts, frame.alerts);
    if (alerts) this.#tell(this.#told, 'alerts', frame.alerts);
    const proxies = proxiesChange(told.stats.proxies, frame.proxies);
    this.#tell(this.#told, 'stats', { point: frame.point, ...proxies });
    const sent = new Set(proxies.proxies.map(({ id }) => id));
    const known = new Map(told.stats.proxies.map((proxy) => [proxy.id, proxy]));
    this.#snapshot = {
      at: frame.at,
      status: status ? statusTold(told.status, frame.status, status) : told.status,
      topology: this.#snapshot?.topology ?? frame.topology,
      migrations: frame.migrations.map((migration) =>
        migrations?.migrations.includes(migration) ? migration : (told.migrations.find(({ id }) => id === migration.id) ?? migration),
      ),
      alerts: alerts ? frame.alerts : told.alerts,
      stats: {
        point: frame.point,
        proxies: frame.proxies.map((proxy) => (sent.has(proxy.id) ? proxy : (known.get(proxy.id) ?? proxy))),
        gone: [],
      },
    };
  }

  #everybody(): Listener[] {
    return [...this.#told, ...this.#waiting];
  }

  #tell<Name extends LiveEventName>(listeners: Iterable<Listener>, name: Name, data: LiveEvents[Name] | null): void {
    if (data === null) return;
    let text: string | undefined;
    for (const listener of listeners) {
      text ??= `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
      listener(text);
    }
  }
}

function snapshotOf(frame: Frame, topology: TopologyView | null): LiveSnapshotView {
  const { at, status, migrations, alerts, point, proxies } = frame;
  return { at, status, topology, migrations, alerts, stats: { point, proxies, gone: [] } };
}
