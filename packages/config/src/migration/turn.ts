// What the steps of a migration work with: the office they act in, and what this process has learnt while in it.
//
// Invariant: nothing here is needed to go on after a crash. What a controller has learnt (whom it fenced, which target it found clean) is only ever
// a reason to act, and a controller that does not know it finds it out again.

import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { type Coordinator, migrationPath, type Op, PATHS } from '../coordinator/index.ts';
import {
  type Epoch,
  encodeMigration,
  encodeTopology,
  type GroupId,
  type LockSightings,
  type Migration,
  type MigrationId,
  NO_SIGHTINGS,
  type ProxyId,
  type ServerAddr,
  type Topology,
} from '../model/index.ts';
import type { Settings } from '../settings/index.ts';
import { type BackOff, backOffAfter } from './back-off.ts';
import { type BigKeysMemory, newBigKeysMemory } from './big-keys/memory.ts';
import { Budget } from './budget.ts';
import { Courtesy, Guest } from './courtesy.ts';
import { commitInTerm, type Term } from './election.ts';
import type { Fit } from './fit.ts';
import type { SourceEstimate } from './lane-progress.ts';
import type { Absences } from './lost-proxies.ts';
import { OwnWrites } from './own-writes.ts';
import type { Pace } from './pace.ts';
import { type Job, readJob } from './world.ts';

/** The keys of config.ini that a controller reads. */
export type ControllerSettings = Pick<
  Settings,
  | 'product_name'
  | 'product_auth'
  | 'migration_batch_slots'
  | 'slot_lock_lease_ms'
  | 'proxy_lost_timeout'
  | 'big_key_bytes'
  | 'big_key_elements'
>;

/** A fence that stands: these proxies run nothing at the group that was routed by a table older than `epoch`. */
export interface StandingFence {
  readonly epoch: Epoch;
  readonly proxies: ReadonlySet<ProxyId>;
}

/** Learnt during one term, forgotten after it. */
export interface Memory {
  absences: Absences;
  sightings: LockSightings;
  /** Names of the connections that this office is using. */
  readonly inUse: Set<string>;
  /** By lane. */
  readonly paces: Map<string, Pace>;
  readonly budgets: Map<MigrationId, Budget>;
  /** What is known of the clients of each server. */
  readonly courtesies: Map<ServerAddr, Courtesy>;
  /** What was written there itself. */
  readonly ownWrites: Map<ServerAddr, OwnWrites>;
  /** By server: commands sent there that look like clients'. */
  readonly ownCalls: Map<string, number>;
  /** How many slots are locked at once, where proxies were too slow for as many as the settings allow. */
  readonly batchSlots: Map<string, number>;
  /** What is ahead of the sources that are being swept, and how fast that goes. */
  readonly estimates: Map<MigrationId, Map<GroupId, SourceEstimate>>;
  /** The last fence before a lock, by source. Counts for the lock of its epoch only. */
  readonly fences: Map<GroupId, StandingFence>;
  /** The marker that each group's master is known to have. */
  readonly markers: Map<GroupId, Epoch>;
  markersCheckedAtMs: number;
  /** Which processes of proxies there were when what dead ones left at this server was last cut off. */
  readonly clearedOf: Map<ServerAddr, string>;
  /** When sources of slots that are migrating were looked at last, by lane and addresses. */
  readonly sourcesCheckedAt: Map<string, number>;
  /** By way, of which something may be kept at the servers; `isEnded`: that all has arrived, for proxies that can't be asked. */
  readonly keptWays: Map<string, { readonly way: Way; readonly isEnded: boolean }>;
  /** By way, the last who was to look at its source and name it. */
  readonly naming: Map<string, Promise<unknown>>;
  /** By lane, why its source is not used: it went back too far. */
  readonly sourceTroubles: Map<string, string>;
  /** Targets that were seen to hold no key of a migration's slots, as `<migration> <address>`. */
  readonly cleanTargets: Set<string>;
  /** Lanes that were found fit for their next batch. */
  readonly fits: Map<string, Fit>;
  /** Looks through servers that are under way. */
  readonly looks: Map<string, Promise<unknown>>;
  /** Lanes whose last look, lock or sweep failed; gone once one succeeds. */
  readonly backOffs: Map<string, BackOff>;
  /** What was tried again and is not in the record yet. */
  readonly retries: Map<MigrationId, number>;
  readonly bigKeys: BigKeysMemory;
}

export function newMemory(): Memory {
  return {
    absences: new Map(),
    sightings: NO_SIGHTINGS,
    inUse: new Set(),
    paces: new Map(),
    budgets: new Map(),
    courtesies: new Map(),
    ownWrites: new Map(),
    ownCalls: new Map(),
    batchSlots: new Map(),
    estimates: new Map(),
    fences: new Map(),
    markers: new Map(),
    markersCheckedAtMs: Number.NEGATIVE_INFINITY,
    clearedOf: new Map(),
    sourcesCheckedAt: new Map(),
    keptWays: new Map(),
    naming: new Map(),
    sourceTroubles: new Map(),
    cleanTargets: new Set(),
    fits: new Map(),
    looks: new Map(),
    backOffs: new Map(),
    retries: new Map(),
    bigKeys: newBigKeysMemory(),
  };
}

/** Acting in one term. */
export interface Office {
  readonly coordinator: Coordinator;
  readonly term: Term;
  readonly settings: ControllerSettings;
  readonly log: Logger;
  /** Aborted the moment this process may no longer act. */
  readonly signal: AbortSignal;
  readonly memory: Memory;
}

/** What came of a step. */
export type Outcome =
  /** Something changed (or may have): look again at once. */
  | { readonly kind: 'progressed' }
  /** It is being done in the background, or something else comes first. */
  | { readonly kind: 'under-way' }
  /** Not now. `reason` is for people; null when it is a matter of milliseconds, with slots locked: nothing else begins meanwhile. */
  | { readonly kind: 'waiting'; readonly reason: string | null; readonly retryMs: number };

export const PROGRESSED: Outcome = { kind: 'progressed' };
export const UNDER_WAY: Outcome = { kind: 'under-way' };
export const waiting = (reason: string | null, retryMs: number): Outcome => ({ kind: 'waiting', reason, retryMs });

/** The slots of a migration that go from one group to another: they are moved apart from its others. */
export interface Lane {
  readonly migration: MigrationId;
  readonly from: GroupId;
  readonly to: GroupId;
}

/** From which group to which. */
export type Way = Pick<Lane, 'from' | 'to'>;

export const laneKey = ({ migration, from, to }: Lane): string => `${migration}:${from}>${to}`;

/** The step failed: leaves the lane alone for a while, longer each time. */
export function backingOff({ memory }: Office, lane: Lane, reason: string): Outcome {
  const nowMs = performance.now();
  const backOff = backOffAfter(memory.backOffs.get(laneKey(lane)), { nowMs, reason });
  memory.backOffs.set(laneKey(lane), backOff);
  memory.retries.set(lane.migration, (memory.retries.get(lane.migration) ?? 0) + 1);
  return waiting(reason, backOff.untilMs - nowMs);
}

export function budgetOf({ memory }: Office, { id, throttle }: Migration): Budget {
  const budget = memory.budgets.get(id) ?? new Budget();
  budget.throttle = throttle;
  memory.budgets.set(id, budget);
  return budget;
}

export function courtesyAt({ memory }: Office, addr: ServerAddr): Courtesy {
  const courtesy = memory.courtesies.get(addr) ?? new Courtesy();
  memory.courtesies.set(addr, courtesy);
  return courtesy;
}

export function ownWritesAt({ memory }: Office, addr: ServerAddr): OwnWrites {
  const own = memory.ownWrites.get(addr) ?? new OwnWrites();
  memory.ownWrites.set(addr, own);
  return own;
}

/** So many commands that clients send too went to this server. */
export function countOwnCalls({ memory: { ownCalls } }: Office, at: Place, count: number): void {
  ownCalls.set(nameOf(at), (ownCalls.get(nameOf(at)) ?? 0) + count);
}

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

const nameOf = ({ host, port }: Place): string => `${host} ${port}`;

interface Visit {
  readonly addr: ServerAddr;
  /** Connections to the server at `addr` and to others that are kept busy. */
  readonly servers: readonly Redis[];
  readonly budget: Budget;
  readonly signal?: AbortSignal;
  readonly isInMove?: boolean;
}

/** Somebody who keeps the server at `addr` busy. */
export function guestAt(office: Office, { addr, servers, budget, signal = office.signal, isInMove = false }: Visit): Guest {
  const { ownCalls: counts } = office.memory;
  const ownCalls = () => servers.reduce((sum, redis) => sum + (counts.get(nameOf(redis.options)) ?? 0), 0);
  return new Guest(courtesyAt(office, addr), { servers, stated: () => budget.throttle.sharePercent, signal, isInMove, ownCalls });
}

/** Writes the record of a migration. False when something else changed it. */
export async function saveJob(office: Office, job: Job, migration: Migration): Promise<boolean> {
  const result = await commitInTerm(office.coordinator, office.term, [setJob(job, migration)]);
  return result.ok;
}

/** Changes the record of a migration as it is by then, whoever else writes it. Nothing happens when `change` gives null. */
export async function changeJob(office: Office, id: MigrationId, change: (migration: Migration) => Migration | null): Promise<void> {
  for (;;) {
    const job = await readJob(office.coordinator, id);
    const changed = change(job.migration);
    if (changed === null || (await saveJob(office, job, changed))) return;
  }
}

/** The step that writes the record of a migration, if it is still as it was read. */
export function setJob({ version }: Job, migration: Migration): Op {
  return { op: 'set', path: migrationPath(migration.id), data: encodeMigration(migration), version };
}

/** Writes `topology` over the one at `epoch`, with `others` in the same commit. False when something else was faster. */
export async function writeTopology(
  office: Office,
  change: { epoch: Epoch; topology: Topology; others?: readonly Op[] },
): Promise<boolean> {
  const set: Op = { op: 'set', path: PATHS.topology, data: encodeTopology(change.topology), version: change.epoch };
  const result = await commitInTerm(office.coordinator, office.term, [set, ...(change.others ?? [])]);
  return result.ok;
}
