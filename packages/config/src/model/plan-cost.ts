// What a plan is reckoned with: how long keys take at a chosen speed, how long one key holds up others, how even the groups are. Pure.

import type { GroupId } from './ids.ts';
import type { Throttle } from './migration.ts';
import type { GroupWeight } from './plan.ts';
import type { PlannedMove } from './rebalance.ts';
import { masterOf, type SlotState, type Topology } from './topology.ts';

/** What a move reaches on a small machine, with small keys and with large ones: the slower of both is what a duration is reckoned with. */
export const KEYS_PER_SECOND = 50_000;
export const BYTES_PER_SECOND = 100_000_000;
/** As much as a batch takes at most, and so many of them a second where it is throttled to a rate. */
const BATCH_KEYS = 2000;
const BATCH_BYTES = 1024 * 1024;
const BATCHES_PER_SECOND = 10;

/** How long so many keys take, in milliseconds, with these limits; null when it is not known how many there are. Passes over the source and waiting are not in it. */
export function durationAt(
  { keysCount, bytes }: { readonly keysCount: number | null; readonly bytes: number | null },
  { keysPerSecond, bytesPerSecond, sharePercent, delayMs }: Throttle,
): number | null {
  if (keysCount === null) return null;
  const size = bytes ?? 0;
  const working = Math.max(keysCount / KEYS_PER_SECOND, size / BYTES_PER_SECOND) * (100 / (sharePercent ?? 100));
  const limited = Math.max(keysCount / (keysPerSecond ?? Number.POSITIVE_INFINITY), size / (bytesPerSecond ?? Number.POSITIVE_INFINITY));
  const batchKeys = Math.max(1, Math.min(BATCH_KEYS, Math.floor((keysPerSecond ?? Number.POSITIVE_INFINITY) / BATCHES_PER_SECOND)));
  const pauses = Math.ceil(Math.max(keysCount / batchKeys, size / BATCH_BYTES)) * delayMs;
  return Math.ceil(Math.max(working * 1000 + pauses, limited * 1000));
}

/** How a large key moves. `blockingMs`: for how long all clients of the source wait for it; where it goes in pieces, for how long those who write it do. */
export function blockingOf(
  bytes: number,
  { pieceFromBytes }: { readonly pieceFromBytes: number },
): { inPieces: boolean; blockingMs: number } {
  return { inPieces: bytes >= pieceFromBytes, blockingMs: Math.ceil((bytes / BYTES_PER_SECOND) * 1000) };
}

/** 0 to 100, with one decimal: how much of everything is where an even spread has it. 100: every group has its share. */
export interface Balance {
  readonly before: number;
  readonly after: number;
}

interface Spread {
  /** What each slot weighs; all the same when left out. */
  readonly costs?: readonly number[] | undefined;
  readonly weights: readonly GroupWeight[];
}

/** Of all groups that have a master. Slots in a move are counted where they go; those of no group nowhere. */
export function balanceOf(topology: Topology, moves: readonly PlannedMove[], { costs, weights }: Spread): Balance {
  const weightOf = new Map(weights.map(({ group, weight }) => [group, weight]));
  const groups = topology.groups.filter((group) => masterOf(group) !== undefined).map(({ id }) => id);
  const score = (owners: readonly (GroupId | null)[]) => {
    const amounts = groups.map((id) => owners.reduce((sum, owner, slot) => sum + (owner === id ? (costs?.[slot] ?? 1) : 0), 0));
    return evenness(
      amounts,
      groups.map((id) => weightOf.get(id) ?? 1),
    );
  };
  const owners = topology.slots.map(ownerOf);
  const after = [...owners];
  for (const { first, last, to } of moves) after.fill(to, first, last + 1);
  return { before: score(owners), after: score(after) };
}

function ownerOf(state: SlotState): GroupId | null {
  if (state.kind === 'offline') return null;
  return state.kind === 'online' ? state.owner : state.to;
}

/** Nothing, spread over nobody, is even. */
function evenness(amounts: readonly number[], weights: readonly number[]): number {
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
  const total = sum(amounts);
  const weight = sum(weights);
  if (total === 0 || weight === 0) return 100;
  const excess = sum(amounts.map((amount, index) => Math.max(0, amount - (total * (weights[index] ?? 1)) / weight)));
  return Math.round((1 - excess / total) * 1000) / 10;
}
