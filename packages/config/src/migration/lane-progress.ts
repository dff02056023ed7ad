// How far a lane is: what it swept, how fast, and about how much is left. Written to the record of its migration at most once a second, as a difference, for
// several lanes write there. It is for people; nothing is decided by it.
//
// A source is swept by one lane at a time, and what is left of it is counted once, whoever gets it: so estimates are kept by source. They outlive a sweep that
// completed its batch, for the time between two batches is part of the work.
//
// What is left is seen by how much of the source the first pass has looked at: keys of some slots lie evenly in SCAN's order, however unevenly they are
// spread over the slots.

import {
  type GroupId,
  groupsIn,
  type Migration,
  type MigrationProgress,
  type ServerAddr,
  slotState,
  slotsWhere,
  type Throttle,
  type Topology,
  targets,
  UNTHROTTLED,
} from '../model/index.ts';
import type { Courtesy } from './courtesy.ts';
import { changeJob, courtesyAt, type Lane, type Office } from './turn.ts';

const WRITE_EVERY_MS = 1000;
/** Below this many keys looked at, the share of slots says more. */
const SAMPLE_KEYS_MIN = 1000;
/** The rate is that of about so long. */
const RATE_SECONDS = 10;
/** So much of a limit is all of it: what was measured is never exact. */
const AT_LIMIT_SHARE = 0.8;
/** What is between two batches, at most: what takes longer is a pause, or somebody who was waited for. */
const BETWEEN_MS_MAX = 2000;

/** How fast it went of late. */
export interface Rate {
  readonly keysPerSecond: number;
  /** How long that was looked at, up to RATE_SECONDS. */
  readonly seconds: number;
  readonly atMs: number;
}

export interface SourceEstimate {
  readonly keysLeft: number;
  readonly rate: Rate;
}

/** How long the sources will still take; null when that is not known of one. They go side by side, so it is the time of the slowest; but where they share a limit, what one of them
 *  leaves of it goes to the others, and they all take the time of the whole. */
export function secondsLeftOf(sources: readonly SourceEstimate[], { isLimited }: { isLimited: boolean }): number | null {
  const busy = sources.filter(({ keysLeft }) => keysLeft > 0);
  if (sources.length === 0 || busy.some(({ rate }) => rate.keysPerSecond <= 0)) return null;
  const sum = (of: (source: SourceEstimate) => number) => busy.reduce((total, source) => total + of(source), 0);
  if (busy.length > 0 && isLimited) return Math.ceil(sum(({ keysLeft }) => keysLeft) / sum(({ rate }) => rate.keysPerSecond));
  return Math.ceil(Math.max(0, ...busy.map(({ keysLeft, rate }) => keysLeft / rate.keysPerSecond)));
}

/** Whether keys go as fast as a limit lets them, more or less, and no faster. */
export function isAtLimit(
  { keysPerSecond, bytesPerSecond }: Throttle,
  speed: { readonly keysPerSecond: number; readonly bytesPerKey: number },
): boolean {
  const reached = (limit: number | null, perSecond: number) => limit !== null && perSecond >= limit * AT_LIMIT_SHARE;
  return reached(keysPerSecond, speed.keysPerSecond) || reached(bytesPerSecond, speed.keysPerSecond * speed.bytesPerKey);
}

/** Of `rate`, when `keysCount` more were handed over by `nowMs`. */
export function rateAfter(rate: Rate, { keysCount, nowMs }: { keysCount: number; nowMs: number }): Rate {
  const passed = Math.max(0.001, (nowMs - rate.atMs) / 1000);
  const seconds = Math.min(RATE_SECONDS, rate.seconds + passed);
  const change = passed >= seconds ? keysCount / passed - rate.keysPerSecond : (keysCount - rate.keysPerSecond * passed) / seconds;
  return { keysPerSecond: rate.keysPerSecond + change, seconds, atMs: nowMs };
}

/** What a pass over a source has seen. */
export interface Looked {
  /** At the source when the sweep began, and the share of its slots that are swept. */
  readonly keysCount: number;
  readonly slotsShare: number;
  /** By the first pass: keys looked at, and those of the slots. */
  readonly scanned: number;
  readonly found: number;
  readonly firstPass: boolean;
}

/** How many keys of the slots are still ahead of a pass. */
export function keysAhead({ keysCount, slotsShare, scanned, found, firstPass }: Looked): number {
  if (!firstPass) return 0;
  const share = scanned >= SAMPLE_KEYS_MIN ? found / scanned : slotsShare;
  return Math.round(Math.max(0, keysCount - scanned) * share);
}

/** What a lane's sweep begins with: keys and slots at the source, how many of these slots are swept now, and how many will follow from there. */
export interface LaneStart {
  readonly addr: ServerAddr;
  readonly keysCount: number;
  readonly slotsOwned: number;
  readonly slotsNow: number;
  readonly slotsLater: number;
}

export function laneStart(topology: Topology, migration: Migration, { from, addr, slotsNow, keysCount }: LaneScope): LaneStart {
  let slotsLater = 0;
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner === from && to !== from) slotsLater++;
  }
  const slotsOwned = slotsWhere(topology, (state) => groupsIn(state)[0] === from).length;
  return { addr, keysCount, slotsOwned, slotsNow, slotsLater };
}

interface LaneScope {
  readonly from: GroupId;
  /** The master of `from`. */
  readonly addr: ServerAddr;
  readonly slotsNow: number;
  readonly keysCount: number;
}

/** Lives for one sweep of one lane. */
export class LaneProgress {
  readonly #office: Office;
  readonly #lane: Lane;
  readonly #keysLater: number;
  #looked: Looked;
  #lookedByPass: number | null = null;
  /** Found by some pass, and not handed over yet. */
  #pending = 0;
  /** Not written yet. */
  #keys = 0;
  #bytes = 0;
  /** Of that, what `addTo` added last. */
  #added = { keys: 0, bytes: 0 };
  #isWriting = false;
  /** Not counted in the rate yet. */
  #unrated = 0;
  #rate: Rate;
  #writtenAtMs = performance.now();
  readonly #source: Courtesy;

  constructor(office: Office, lane: Lane, { addr, keysCount, slotsOwned, slotsNow, slotsLater }: LaneStart) {
    this.#office = office;
    this.#lane = lane;
    this.#source = courtesyAt(office, addr);
    const keysPerSlot = keysCount / Math.max(1, slotsOwned);
    this.#keysLater = Math.round(keysPerSlot * slotsLater);
    this.#looked = { keysCount, slotsShare: slotsNow / Math.max(1, slotsOwned), scanned: 0, found: 0, firstPass: true };
    const nowMs = this.#nowMs;
    const before = this.#estimates().get(lane.from)?.rate ?? { keysPerSecond: 0, seconds: 0, atMs: nowMs };
    // What was owed may have been let off meanwhile, which sets this clock back.
    this.#rate = { ...before, atMs: Math.min(nowMs, Math.max(before.atMs, nowMs - BETWEEN_MS_MAX)) };
  }

  scanned(count: number, found: number): void {
    const { scanned, found: before } = this.#looked;
    this.#looked = { ...this.#looked, scanned: scanned + count, found: before + found };
    this.#lookedByPass = (this.#lookedByPass ?? 0) + count;
    this.#pending += found;
  }

  /** Keys that were looked at since the last pass ended; null when none has begun since. */
  get lookedByPass(): number | null {
    return this.#lookedByPass;
  }

  /** A pass over all of the source, which has `keysCount` keys now, after what was seen so far was but a part of it. */
  passBegins(keysCount: number): void {
    const slotsShare = keysAhead(this.#looked) / Math.max(1, keysCount);
    this.#looked = { keysCount, slotsShare, scanned: 0, found: 0, firstPass: true };
    this.#lookedByPass = null;
    this.#pending = 0;
  }

  passEnded(): void {
    this.#looked = { ...this.#looked, firstPass: false };
    this.#lookedByPass = null;
  }

  /** Counts in what was handed over; now and then writes the record. */
  async handedOver({ keysCount, bytesCount }: { keysCount: number; bytesCount: number }): Promise<void> {
    this.#keys += keysCount;
    this.#unrated += keysCount;
    this.#pending -= keysCount;
    this.#bytes += bytesCount;
    if (!this.#isWriting && performance.now() - this.#writtenAtMs >= WRITE_EVERY_MS) await this.flush();
  }

  /** Writes what is not written yet. Not while it is writing: what was added would be added twice. */
  async flush(): Promise<void> {
    if (this.#keys === 0) return;
    this.#isWriting = true;
    try {
      await changeJob(this.#office, this.#lane.migration, (migration) => ({ ...migration, progress: this.addTo(migration.progress) }));
      this.written();
    } finally {
      this.#isWriting = false;
    }
  }

  /** `progress` with what was not written yet. */
  addTo(progress: MigrationProgress): MigrationProgress {
    this.#estimate();
    this.#added = { keys: this.#keys, bytes: this.#bytes };
    const sources = [...this.#estimates().values()];
    const sum = (of: (source: SourceEstimate) => number) => Math.round(sources.reduce((total, source) => total + of(source), 0));
    const keysSwept = progress.keysSwept + this.#keys;
    const bytesSwept = progress.bytesSwept + this.#bytes;
    const keysPerSecond = sum(({ rate }) => rate.keysPerSecond);
    const throttle = this.#office.memory.budgets.get(this.#lane.migration)?.throttle ?? UNTHROTTLED;
    const isLimited = isAtLimit(throttle, { keysPerSecond, bytesPerKey: bytesSwept / Math.max(1, keysSwept) });
    return {
      ...progress,
      keysSwept,
      bytesSwept,
      keysLeft: sum(({ keysLeft }) => keysLeft),
      keysPerSecond,
      secondsLeft: secondsLeftOf(sources, { isLimited }),
    };
  }

  /** What `addTo` added is in the record now. */
  written(): void {
    this.#keys -= this.#added.keys;
    this.#bytes -= this.#added.bytes;
    this.#writtenAtMs = performance.now();
  }

  /** The sweep is over. What is ahead of its source is still ahead when the batch was completed, and seen anew by the next sweep otherwise. */
  end({ isCompleted }: { isCompleted: boolean }): void {
    if (!isCompleted || this.#keysLater === 0) this.#estimates().delete(this.#lane.from);
  }

  /** As if the rest that the source is owed were behind it: so how fast it goes does not swing between a batch and the rest after it. */
  get #nowMs(): number {
    return performance.now() + this.#source.owedMs;
  }

  #estimate(): void {
    this.#rate = rateAfter(this.#rate, { keysCount: this.#unrated, nowMs: this.#nowMs });
    this.#unrated = 0;
    const keysLeft = keysAhead(this.#looked) + Math.max(0, this.#pending) + this.#keysLater;
    this.#estimates().set(this.#lane.from, { keysLeft, rate: this.#rate });
  }

  #estimates(): Map<GroupId, SourceEstimate> {
    const { estimates } = this.#office.memory;
    const known = estimates.get(this.#lane.migration) ?? new Map<GroupId, SourceEstimate>();
    estimates.set(this.#lane.migration, known);
    return known;
  }
}
