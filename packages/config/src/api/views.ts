// What the dashboard's HTTP API answers, as plain data in the operator's words. The dashboard's schemas are held against these types by the compiler;
// the CLI reads them. Types only: nothing here costs anything at run time.

import type { ObjectView, TryView } from './common.ts';

/** `GET /topology`. Its epoch is the ETag too. */
export interface TopologyView {
  readonly epoch: number;
  readonly slots: readonly SlotRunView[];
  readonly groups: readonly GroupView[];
}

export type SlotStateName = 'offline' | 'online' | 'locked' | 'migrating';

/** What a slot, or a run of slots, is doing. */
export interface SlotStateView {
  readonly state: SlotStateName;
  /** The group that has the keys: the owner, or in a move the source. Null when offline. */
  readonly group: number | null;
  /** Where it moves; null outside a move. */
  readonly to: number | null;
  readonly migration: number | null;
}

/** Consecutive slots in one state, both ends included. */
export interface SlotRunView extends SlotStateView {
  readonly first: number;
  readonly last: number;
}

/** `GET /slots`. */
export interface SlotsView {
  readonly epoch: number;
  readonly slots: readonly SlotRunView[];
}

/** `GET /slots/{slot}`. */
export interface SlotView extends SlotStateView {
  readonly epoch: number;
  readonly slot: number;
  /** `host:port` of the server that requests for it go to; null when there is none. */
  readonly server: string | null;
  /** Null: no migration on record has moved it. */
  readonly lastMove: LastMoveView | null;
}

export interface LastMoveView {
  /** When it arrived, ISO 8601. */
  readonly at: string;
  readonly migration: number;
  readonly from: number;
  readonly to: number;
}

export type RoleName = 'master' | 'replica';

export interface GroupView {
  readonly id: number;
  /** How many slots it has, those that are leaving included. */
  readonly slotsCount: number;
  readonly servers: readonly ServerView[];
}

export interface ServerView {
  /** `host:port`. */
  readonly addr: string;
  readonly role: RoleName;
  /** Where it stands, a label of the operator; null: not said. */
  readonly zone: string | null;
  /** Whether clients that said READONLY may be answered by it while it is a replica. */
  readonly replicaReads: boolean;
}

/** `GET /groups`. */
export interface GroupsView {
  readonly epoch: number;
  readonly groups: readonly GroupView[];
}

/** The answer to every change of the topology. */
export interface ChangeView {
  /** The epoch the change made. */
  readonly epoch: number;
  /** What the operator should know besides. */
  readonly notes: readonly string[];
}

/** `joining`: alive, but it serves nobody yet; `online`: alive and at work; `behind`: alive, with an older table; `draining`: wanted offline, and finishing with its clients;
 *  `offline`: wanted so; `lost`: wanted online, but without a session. */
export type ProxyStateName = 'joining' | 'online' | 'behind' | 'draining' | 'offline' | 'lost';

export interface ProxyEntryView {
  readonly id: string;
  readonly addr: string;
  readonly adminAddr: string;
  readonly wanted: 'online' | 'offline';
  readonly state: ProxyStateName;
  /** The epoch it has acknowledged; null without a session. */
  readonly epoch: number | null;
  readonly pid: number | null;
  readonly startedAt: string | null;
}

/** `GET /proxies`. */
export interface ProxiesView {
  readonly proxies: readonly ProxyEntryView[];
}

/** `PUT /proxies/{id}/wanted`. */
export interface ProxyWantedView {
  readonly proxy: ProxyEntryView;
  readonly takenUp: boolean;
  readonly notes: readonly string[];
}

/** `DELETE /proxies/{id}`: what it was. */
export interface ProxyRemovedView {
  readonly proxy: ProxyEntryView;
  readonly notes: readonly string[];
}

export interface MoveView {
  readonly first: number;
  readonly last: number;
  readonly to: number;
}

/** What a migration may take of the servers; null: no limit. */
export interface ThrottleView {
  /** Pause after each batch of keys. */
  readonly delayMs: number;
  readonly keysPerSecond: number | null;
  readonly bytesPerSecond: number | null;
  /** For how long one batch may block the source. */
  readonly addedP99Ms: number | null;
  /** Of the source's time; null: what its clients leave. */
  readonly sharePercent: number | null;
  /** Of one pair of groups; null: as many as is good. */
  readonly slotsAtOnce: number | null;
  /** `00:00-07:00`: the times of day between which it runs, by the local clock of the controller; null: at any time. */
  readonly window: string | null;
}

export interface MigrationView {
  readonly id: number;
  readonly state: 'running' | 'paused' | 'done' | 'cancelled';
  readonly moves: readonly MoveView[];
  readonly throttle: ThrottleView;
  readonly durable: boolean;
  readonly slotsTotal: number;
  readonly slotsDone: number;
  /** Keys the controller handed over, and their memory; those that proxies asked for are not in it. */
  readonly keysSwept: number;
  readonly bytesSwept: number;
  /** About how many are still to be handed over; null while nobody knows. */
  readonly keysLeft: number | null;
  /** Lately; null while none are. */
  readonly keysPerSecond: number | null;
  /** At that rate; null while nobody knows. */
  readonly secondsLeft: number | null;
  /** How often a look, a lock or a batch failed and was tried again. */
  readonly retries: number;
  /** What proved that the sources have no key of the slots that it moved; null while it has moved none. */
  readonly verified: VerifiedView | null;
  /** The migration that it brings back, after that one has ended; null: none. */
  readonly takesBack: number | null;
  /** The migration that brings this one back. */
  readonly takenBackBy: number | null;
  /** Why it is not getting on just now; null while it is. */
  readonly waiting: string | null;
  /** While it stands still outside of its window: when that opens. */
  readonly resumesAt: string | null;
  /** It runs, but nothing of it has changed for half a minute; null: it gets on, or need not. */
  readonly stalled: StalledView | null;
  readonly actor: string;
  /** Why, in the words of who asked for it. */
  readonly comment: string | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

export interface VerifiedView {
  /** Slots that it moved itself, in so many batches. */
  readonly slotsCount: number;
  readonly batchesCount: number;
  /** Looked at in the sources by the last passes, which found no key of these slots. */
  readonly keysLooked: number;
  /** Batches that needed no pass: all was handed over that the source had, and nothing was written there since. */
  readonly withoutPassCount: number;
  /** All that in a sentence. */
  readonly text: string;
}

export interface StalledView {
  /** ISO 8601; as far as this dashboard has seen. */
  readonly since: string;
  readonly reason: string;
}

/** `GET /migrations`. */
export interface MigrationsView {
  readonly migrations: readonly MigrationView[];
}

export interface EventView {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  /** Whose word for the actor that is: a login, a token, the client's own (`claimed`), or the cluster itself. */
  readonly via: EventViaName;
  /** Where the call came from; null for the cluster's own. */
  readonly ip: string | null;
  readonly action: string;
  readonly object: string;
  /** How it was, and how it is now, in words; null where that is not told. */
  readonly before: string | null;
  readonly after: string | null;
  readonly epoch: number | null;
  /** What was denied changed nothing; what failed was allowed, and may have changed something on its way. */
  readonly result: 'done' | 'denied' | 'failed';
  /** Why it was denied or failed; null when it was done. */
  readonly detail: string | null;
  readonly migration: number | null;
  readonly plan: number | null;
}

export type EventViaName = 'user' | 'token' | 'claimed' | 'system';

/** `GET /events?since=&before=&limit=&actor=&action=&object=&result=`, newest first; `GET /events/{seq}` is one. `GET /events.ndjson` is the same to take away, a line each. */
export interface EventsView {
  readonly events: readonly EventView[];
  /** What to ask for as `before`, with the same filter, to go on; null: there are none older. */
  readonly older: number | null;
}

export type Verdict = 'healthy' | 'degraded' | 'empty';

/** `GET /status`: one answer to "is it well?". */
export interface StatusView {
  readonly product: string;
  /** `empty`: there is no slot table yet. */
  readonly verdict: Verdict;
  /** The verdict in one sentence, with numbers. */
  readonly summary: string;
  /** Since when it is healthy or degraded, as far as this dashboard has seen, ISO 8601. */
  readonly since: string;
  /** What makes it degraded, each in a sentence. */
  readonly problems: readonly string[];
  /** What is not wrong, but should be known. */
  readonly warnings: readonly string[];
  /** Problems, then warnings, each with what it is about and what to do. The first thing to try of the first cause is the button to show. */
  readonly causes: readonly CauseView[];
  readonly keys: KeyTotalView;
  readonly epoch: number | null;
  readonly slots: { readonly total: number; readonly served: number; readonly offline: number; readonly moving: number };
  readonly groups: readonly GroupStatusView[];
  readonly proxies: readonly ProxyEntryView[];
  readonly migrationsRunning: number;
  /** Whether this dashboard is the elected controller, which runs migrations. */
  readonly elected: boolean;
  /** When all this was read, ISO 8601. */
  readonly readAt: string;
}

export interface CauseView {
  readonly severity: 'problem' | 'warning';
  readonly text: string;
  readonly object: ObjectView;
  /** Since when, as far as this dashboard has seen. */
  readonly since: string;
  readonly try: readonly TryView[];
}

/** Keys of all masters. */
export interface KeyTotalView {
  /** Of those that answered. */
  readonly knownCount: number;
  /** With the last that was heard of those that did not; null when one of them was never heard of. The same as `knownCount` when all answered. */
  readonly estimatedCount: number | null;
  /** Groups whose master did not answer. */
  readonly unknownGroups: readonly number[];
}

export interface SyncView {
  readonly readBytes: number;
  /** Null: the master sends it as it makes it, and nobody knows. */
  readonly totalBytes: number | null;
}

export interface GroupStatusView {
  readonly id: number;
  readonly slotsCount: number;
  readonly servers: readonly ServerStatusView[];
}

/** A server as the topology has it, and as it was found. Null: not known, since it is down. */
export interface ServerStatusView extends ServerView {
  readonly up: boolean;
  /** Its own role. */
  readonly observedRole: RoleName | null;
  readonly linkUp: boolean | null;
  /** It is receiving a full copy of its master; null while it is not. */
  readonly sync: SyncView | null;
  readonly version: string | null;
  readonly keysCount: number | null;
  readonly usedMemoryBytes: number | null;
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null;
  /** Whom it replicates; null also for a master. */
  readonly replicates: string | null;
  /** Its place in the replication stream: of what a master wrote, or a replica has read. */
  readonly offset: number | null;
  /** How far behind its master it is; null for a master, or when either did not answer. */
  readonly lagBytes: number | null;
  /** How long ago its master last heard of it; null for a master, or when the master did not say. */
  readonly lagSeconds: number | null;
  readonly opsPerSecond: number | null;
  readonly uptimeSeconds: number | null;
  /** What is wrong with it, in words; null when nothing is. */
  readonly problem: string | null;
}
