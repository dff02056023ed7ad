// What the dashboard's HTTP API answers, as plain data in the operator's words. The dashboard's schemas are held against these types by the compiler;
// the CLI reads them. Types only: nothing here costs anything at run time.

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

/** `online`: alive and at work; `behind`: alive, with an older table; `offline`: wanted so; `lost`: wanted online, but without a session. */
export type ProxyStateName = 'online' | 'behind' | 'offline' | 'lost';

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
  /** Why it is not getting on just now; null while it is. */
  readonly waiting: string | null;
  readonly actor: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

/** `GET /migrations`. */
export interface MigrationsView {
  readonly migrations: readonly MigrationView[];
}

export interface EventView {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly epoch: number | null;
}

/** `GET /events`, newest first. */
export interface EventsView {
  readonly events: readonly EventView[];
}

export type Verdict = 'healthy' | 'degraded' | 'empty';

/** `GET /status`: one answer to "is it well?". */
export interface StatusView {
  readonly product: string;
  /** `empty`: there is no slot table yet. */
  readonly verdict: Verdict;
  /** The verdict in one sentence, with numbers. */
  readonly summary: string;
  /** What makes it degraded, each in a sentence. */
  readonly problems: readonly string[];
  /** What is not wrong, but should be known. */
  readonly warnings: readonly string[];
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
  readonly version: string | null;
  readonly keysCount: number | null;
  readonly usedMemoryBytes: number | null;
  /** 0: no limit. */
  readonly maxMemoryBytes: number | null;
  /** What is wrong with it, in words; null when nothing is. */
  readonly problem: string | null;
}
