// How far a lane is: what it swept, how fast, and about how much is left. Written to the record of its migration at most once a second, as a difference, for
// several lanes write there. It is for people; nothing is decided by it.
//
// What is left is seen by how much of the source the first pass has looked at: keys of some slots lie evenly in SCAN's order, however unevenly they are
// spread over the slots.

import {
  type GroupId,
  groupsIn,
  type Migration,
  type MigrationProgress,
  slotState,
  slotsWhere,
  type Topology,
  targets,
} from '../model/index.ts';
import { changeJob, type Lane, laneKey, type Office } from './turn.ts';

const WRITE_EVERY_MS = 1000;
/** Below this many keys looked at, the share of slots says more. */
const SAMPLE_KEYS_MIN = 1000;
/** How much a new second counts in the rate. */
const RATE_SHARE = 0.3;

export interface LaneEstimate {
  readonly keysLeft: number;
  readonly keysPerSecond: number;
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
  readonly keysCount: number;
  readonly slotsOwned: number;
  readonly slotsNow: number;
  readonly slotsLater: number;
}

export function laneStart(topology: Topology, migration: Migration, { from, slotsNow, keysCount }: LaneScope): LaneStart {
  let slotsLater = 0;
  for (const [slot, to] of targets(migration)) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner === from && to !== from) slotsLater++;
  }
  const slotsOwned = slotsWhere(topology, (state) => groupsIn(state)[0] === from).length;
  return { keysCount, slotsOwned, slotsNow, slotsLater };
}

interface LaneScope {
  readonly from: GroupId;
  readonly slotsNow: number;
  readonly keysCount: number;
}

/** Lives for one sweep of one lane. */
export class LaneProgress {
  readonly #office: Office;
  readonly #lane: Lane;
  readonly #keysLater: number;
  #looked: Looked;
  /** Found by some pass, and not handed over yet. */
  #pending = 0;
  /** Not written yet. */
  #keys = 0;
  #bytes = 0;
  #rate: number | null = null;
  #writtenAtMs = performance.now();

  constructor(office: Office, lane: Lane, { keysCount, slotsOwned, slotsNow, slotsLater }: LaneStart) {
    this.#office = office;
    this.#lane = lane;
    const keysPerSlot = keysCount / Math.max(1, slotsOwned);
    this.#keysLater = Math.round(keysPerSlot * slotsLater);
    this.#looked = { keysCount, slotsShare: slotsNow / Math.max(1, slotsOwned), scanned: 0, found: 0, firstPass: true };
  }

  scanned(count: number, found: number): void {
    const { scanned, found: before } = this.#looked;
    this.#looked = { ...this.#looked, scanned: scanned + count, found: before + found };
    this.#pending += found;
  }

  passEnded(): void {
    this.#looked = { ...this.#looked, firstPass: false };
  }

  /** Counts in what was handed over; now and then writes the record. */
  async handedOver({ keysCount, bytesCount }: { keysCount: number; bytesCount: number }): Promise<void> {
    this.#keys += keysCount;
    this.#pending -= keysCount;
    this.#bytes += bytesCount;
    if (performance.now() - this.#writtenAtMs >= WRITE_EVERY_MS) await this.flush();
  }

  /** Writes what is not written yet. */
  async flush(): Promise<void> {
    this.#estimates().set(laneKey(this.#lane), {
      keysLeft: keysAhead(this.#looked) + this.#pending + this.#keysLater,
      keysPerSecond: this.#newRate(),
    });
    await changeJob(this.#office, this.#lane.migration, (migration) => ({ ...migration, progress: this.addTo(migration.progress) }));
    this.written();
  }

  /** `progress` with what was not written yet. */
  addTo(progress: MigrationProgress): MigrationProgress {
    const lanes = [...this.#estimates().values()];
    const sum = (of: (lane: LaneEstimate) => number) =>
      lanes.length === 0 ? null : Math.round(lanes.reduce((total, lane) => total + of(lane), 0));
    return {
      ...progress,
      keysSwept: progress.keysSwept + this.#keys,
      bytesSwept: progress.bytesSwept + this.#bytes,
      keysLeft: sum((lane) => lane.keysLeft) ?? progress.keysLeft,
      keysPerSecond: sum((lane) => lane.keysPerSecond) ?? progress.keysPerSecond,
    };
  }

  /** What `addTo` added is in the record now. */
  written(): void {
    this.#keys = 0;
    this.#bytes = 0;
  }

  /** The sweep is over; what is ahead of the lane is seen by its next one. */
  end(): void {
    this.#estimates().delete(laneKey(this.#lane));
  }

  #estimates(): Map<string, LaneEstimate> {
    const { estimates } = this.#office.memory;
    const known = estimates.get(this.#lane.migration) ?? new Map<string, LaneEstimate>();
    estimates.set(this.#lane.migration, known);
    return known;
  }

  #newRate(): number {
    const nowMs = performance.now();
    const rate = (this.#keys * 1000) / Math.max(1, nowMs - this.#writtenAtMs);
    this.#writtenAtMs = nowMs;
    this.#rate = this.#rate === null ? rate : this.#rate + (rate - this.#rate) * RATE_SHARE;
    return this.#rate;
  }
}
