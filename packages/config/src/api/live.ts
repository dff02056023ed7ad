// `GET /live`: what the pages show, as server-sent events. The first event is a `snapshot` with everything; the others carry only what is new. After a break one connects again
// and starts from a snapshot. A `beat` comes every two seconds: silence longer than five means that the data is old.
//
// Each event's data is JSON of the type named here.

import type { AlertsView } from './alerts.ts';
import type { HistoryMarkerView, ProxyStatsView, StatsPointView } from './history.ts';
import type { GroupStatusView, GroupView, MigrationView, SlotRunView, StatusView, TopologyView } from './views.ts';

export interface LiveEvents {
  readonly snapshot: LiveSnapshotView;
  readonly topology: LiveTopologyView;
  readonly status: LiveStatusView;
  readonly migrations: LiveMigrationsView;
  readonly alerts: AlertsView;
  readonly stats: LiveStatsView;
  readonly markers: LiveMarkersView;
  readonly beat: LiveBeatView;
  /** The dashboard can't read the cluster just now; the next good reading comes as a `snapshot`. */
  readonly trouble: LiveTroubleView;
}

export type LiveEventName = keyof LiveEvents;

export interface LiveSnapshotView {
  /** ISO 8601, as every `at`. */
  readonly at: string;
  readonly status: StatusView;
  /** Null: there is no slot table yet. */
  readonly topology: TopologyView | null;
  /** Those that have not ended, and the newest hundred. */
  readonly migrations: readonly MigrationView[];
  readonly alerts: AlertsView;
  readonly stats: LiveStatsView;
}

/** The slots that changed, and all groups if any of them did. A topology that came into being, or was made anew, is all of it. */
export interface LiveTopologyView {
  readonly epoch: number;
  /** Each run replaces what was there for its slots. */
  readonly slots: readonly SlotRunView[];
  /** Null: as they were. */
  readonly groups: readonly GroupView[] | null;
}

export interface LiveStatusView {
  readonly at: string;
  /** All but the groups, where anything of it changed but `readAt`; else null. */
  readonly status: Omit<StatusView, 'groups' | 'readAt'> | null;
  /** Those that changed, whole. */
  readonly groups: readonly GroupStatusView[];
  /** Ids of those that are gone. */
  readonly gone: readonly number[];
}

export interface LiveMigrationsView {
  /** New ones, and those that changed. */
  readonly migrations: readonly MigrationView[];
  /** Ids of those that are gone. */
  readonly gone: readonly number[];
}

export interface LiveStatsView {
  readonly point: StatsPointView;
  /** In a `stats` event: those of which anything but `at` changed. */
  readonly proxies: readonly ProxyStatsView[];
  readonly gone: readonly string[];
}

/** What happened since the last one, to be drawn on the axis of time; what was before is in `GET /history`. */
export interface LiveMarkersView {
  readonly markers: readonly HistoryMarkerView[];
}

export interface LiveBeatView {
  readonly at: string;
}

export interface LiveTroubleView {
  readonly at: string;
  readonly detail: string;
  readonly code: string;
}
