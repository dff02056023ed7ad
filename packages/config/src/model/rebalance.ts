// Which slots to move so that every group has its share: of slots, or of whatever a slot weighs (its keys, its bytes). Pure and deterministic.
//
// Balance comes first, the smallest number of moved slots second, long runs third. A share is what a group's weight says, but never less than what can't leave
// it: slots in a move or named by a running migration (counted where they will be), and in a drain everything that other groups have.
// Offline slots, and slots of a group without a master, can't move and are counted nowhere.
//
// Invariant: a slot is moved at most once, away from the group that owns it, to one with a master and a weight above 0.

import { CodisError } from './errors.ts';
import type { GroupId, Slot } from './ids.ts';
import { type Migration, type Move, targets } from './migration.ts';
import { masterOf, requireGroup, requireMaster, type SlotState, slotState, type Topology } from './topology.ts';

/** A move with the group that has the slots now. */
export interface PlannedMove extends Move {
  readonly from: GroupId;
}

export interface RebalanceRequest {
  readonly topology: Topology;
  /** Whole numbers; 1 for a group that is not in it, 0 for one that shall have no slot. */
  readonly weights?: ReadonlyMap<GroupId, number>;
  /** What each slot weighs, by slot; all the same when left out. */
  readonly costs?: readonly number[] | undefined;
  /** Migrations that have not ended; their slots are left to them. */
  readonly running?: readonly Pick<Migration, 'moves'>[];
}

/** Moves after which every group is as near its weighted share as whole slots allow: by slots within one, and with the fewest moves that do it. By costs the
 *  heaviest slots that fit go first, empty ones stay, and a group that is off by less than half an average slot is left alone; when all are empty
 *  they are counted.
 *  Throws CODIS_E_UNKNOWN_GROUP for a weight of none, CODIS_E_NO_MASTER when no group may have slots. */
export function rebalance(request: RebalanceRequest): PlannedMove[] {
  for (const id of request.weights?.keys() ?? []) requireGroup(request.topology, id);
  return spread(request, () => true);
}

/** Moves after which `group` has no slot, and the others what they had and more, as even as that allows. Throws CODIS_E_UNKNOWN_GROUP, or CODIS_E_NO_MASTER
 *  when the group or all others have no master. */
export function drain(request: Omit<RebalanceRequest, 'weights'> & { readonly group: GroupId }): PlannedMove[] {
  requireMaster(request.topology, request.group);
  return spread({ ...request, weights: new Map([[request.group, 0]]) }, (owner) => owner === request.group);
}

/** `moves` without what is where it shall be, each split by the group that has the slots now. */
export function plannedMoves(topology: Topology, moves: readonly Move[]): PlannedMove[] {
  const transfers: Transfer[] = [];
  for (const [slot, to] of targets({ moves })) {
    const state = slotState(topology, slot);
    if (state.kind === 'online' && state.owner !== to) transfers.push({ slot, from: state.owner, to });
  }
  return runsOf(transfers);
}

interface Transfer {
  readonly slot: Slot;
  readonly from: GroupId;
  readonly to: GroupId;
}

/** A group that can give and take. */
interface Holding {
  readonly id: GroupId;
  readonly weight: number;
  /** In order; those that may leave. */
  readonly slots: readonly Slot[];
  /** What can't leave. */
  readonly fixed: readonly Slot[];
}

function spread(request: RebalanceRequest, mayLeave: (owner: GroupId) => boolean): PlannedMove[] {
  const holdings = holdingsOf(request, mayLeave);
  if (holdings.every(({ slots }) => slots.length === 0)) return [];
  if (holdings.every(({ weight }) => weight === 0)) {
    throw new CodisError('CODIS_E_NO_MASTER', 'no group is left that has a master and may have slots');
  }
  return runsOf(request.costs ? byCost(holdings, request.costs) : bySlots(holdings));
}

function holdingsOf({ topology, weights, running = [] }: RebalanceRequest, mayLeave: (owner: GroupId) => boolean): Holding[] {
  const underway = new Map(running.flatMap((migration) => [...targets(migration)]));
  const holdings = topology.groups
    .filter((group) => masterOf(group) !== undefined)
    .map(({ id }) => ({ id, weight: weights?.get(id) ?? 1, slots: [] as Slot[], fixed: [] as Slot[] }));
  const byId = new Map(holdings.map((holding) => [holding.id, holding]));
  for (const [index, state] of topology.slots.entries()) {
    const slot = index as Slot;
    const home = underway.get(slot) ?? homeOf(state);
    const holding = home === null ? undefined : byId.get(home);
    if (state.kind === 'online' && !underway.has(slot) && mayLeave(state.owner)) holding?.slots.push(slot);
    else holding?.fixed.push(slot);
  }
  return holdings;
}

/** Where a slot is, or will be. */
function homeOf(state: SlotState): GroupId | null {
  if (state.kind === 'offline') return null;
  return state.kind === 'online' ? state.owner : state.to;
}

/** What each group should have of `total`: by weight, but at least what it can't give. */
function sharesOf(groups: readonly { id: GroupId; weight: number; fixed: number }[], total: number): Map<GroupId, number> {
  const shares = new Map<GroupId, number>();
  let open = groups;
  for (;;) {
    const rest = groups.reduce((left, { id }) => left - (shares.get(id) ?? 0), total);
    const weights = open.reduce((sum, { weight }) => sum + weight, 0);
    const shareOf = (weight: number) => (weight === 0 ? 0 : (rest * weight) / weights);
    const pinned = open.filter(({ weight, fixed }) => fixed > shareOf(weight));
    for (const { id, fixed } of pinned) shares.set(id, fixed);
    if (pinned.length === 0) {
      for (const { id, weight } of open) shares.set(id, shareOf(weight));
      return shares;
    }
    open = open.filter((group) => !pinned.includes(group));
  }
}

function bySlots(holdings: readonly Holding[]): Transfer[] {
  const wanted = apportion(holdings);
  const given: Omit<Transfer, 'to'>[] = [];
  const places: GroupId[] = [];
  for (const { id, slots, fixed } of holdings) {
    const keptCount = (wanted.get(id) ?? 0) - fixed.length;
    for (const slot of slots.slice(keptCount)) given.push({ slot, from: id });
    for (let count = slots.length; count < keptCount; count++) places.push(id);
  }
  return given.map((transfer, index) => ({ ...transfer, to: places[index] as GroupId }));
}

/** Whole numbers of slots, each a share rounded up or down. Rounded up is first who then need not give a slot away: that makes the number of moves the least. */
function apportion(holdings: readonly Holding[]): Map<GroupId, number> {
  const countOf = ({ slots, fixed }: Holding) => slots.length + fixed.length;
  const total = holdings.reduce((sum, holding) => sum + countOf(holding), 0);
  const shares = sharesOf(
    holdings.map(({ id, weight, fixed }) => ({ id, weight, fixed: fixed.length })),
    total,
  );
  const wanted = new Map([...shares].map(([id, share]) => [id, Math.floor(share)]));
  const remainderOf = ({ id }: Holding) => (shares.get(id) ?? 0) % 1;
  const keepsOne = (holding: Holding) => (countOf(holding) > (wanted.get(holding.id) ?? 0) ? 1 : 0);
  const candidates = holdings
    .filter((holding) => remainderOf(holding) > 0)
    .sort((a, b) => keepsOne(b) - keepsOne(a) || remainderOf(b) - remainderOf(a) || a.id - b.id);
  const extraCount = total - [...wanted.values()].reduce((sum, count) => sum + count, 0);
  for (const { id } of candidates.slice(0, extraCount)) wanted.set(id, (wanted.get(id) ?? 0) + 1);
  return wanted;
}

/** A group while slots are dealt out by what they weigh. */
interface Account {
  readonly id: GroupId;
  readonly weight: number;
  readonly share: number;
  readonly slots: Set<Slot>;
  /** How many slots it has besides, which can't leave. */
  readonly fixedCount: number;
  load: number;
}

/** Slots that weigh within a tenth of the heaviest that fits are as good as it, so that runs stay together. */
const ALIKE = 0.9;

function byCost(holdings: readonly Holding[], costs: readonly number[]): Transfer[] {
  const costOf = (slot: Slot) => costs[slot] ?? 0;
  const accounts = accountsOf(holdings, costOf);
  const total = accounts.reduce((sum, { load }) => sum + load, 0);
  if (total === 0) return bySlots(holdings);
  const slotsCount = accounts.reduce((sum, { fixedCount, slots }) => sum + fixedCount + slots.size, 0);
  emptyOut(accounts, costOf);
  even(accounts, { costOf, tolerance: total / slotsCount / 2 });
  const ownerOf = new Map(holdings.flatMap(({ id, slots }) => slots.map((slot) => [slot, id] as const)));
  const transfers = accounts.flatMap(({ id, slots }) => [...slots].map((slot) => ({ slot, from: ownerOf.get(slot) as GroupId, to: id })));
  return transfers.filter(({ from, to }) => from !== to);
}

function accountsOf(holdings: readonly Holding[], costOf: (slot: Slot) => number): Account[] {
  const sum = (slots: readonly Slot[]) => slots.reduce((cost, slot) => cost + costOf(slot), 0);
  const loads = holdings.map((holding) => ({ ...holding, fixed: sum(holding.fixed), load: sum(holding.fixed) + sum(holding.slots) }));
  const shares = sharesOf(
    loads,
    loads.reduce((total, { load }) => total + load, 0),
  );
  return holdings.map(({ id, weight, slots, fixed }, index) => ({
    id,
    weight,
    share: shares.get(id) ?? 0,
    slots: new Set(slots),
    fixedCount: fixed.length,
    load: loads[index]?.load ?? 0,
  }));
}

/** Everything that may leave a group of weight 0 leaves it, the heaviest slot first, each to the group that has most room; empty ones to who has fewest slots. */
function emptyOut(accounts: readonly Account[], costOf: (slot: Slot) => number): void {
  const takers = accounts.filter(({ weight }) => weight > 0);
  const leaving = accounts
    .filter(({ weight }) => weight === 0)
    .flatMap((from) => [...from.slots].map((slot) => ({ slot, from, cost: costOf(slot) })))
    .sort((a, b) => b.cost - a.cost || a.slot - b.slot);
  for (const { slot, from, cost } of leaving) transfer(slot, { from, to: cost > 0 ? roomiest(takers) : sparsest(takers), cost });
}

function sparsest(accounts: readonly Account[]): Account {
  const density = ({ fixedCount, slots, weight }: Account) => (fixedCount + slots.size) / weight;
  return accounts.reduce((best, account) => (density(account) < density(best) ? account : best));
}

const roomOf = ({ share, load }: Account) => share - load;

function roomiest(accounts: readonly Account[]): Account {
  return accounts.reduce((best, account) => (roomOf(account) > roomOf(best) ? account : best));
}

function transfer(slot: Slot, { from, to, cost }: { from: Account; to: Account; cost: number }): void {
  from.slots.delete(slot);
  to.slots.add(slot);
  from.load -= cost;
  to.load += cost;
}

interface Evening {
  costOf(slot: Slot): number;
  /** How far from its share a group may stay. */
  readonly tolerance: number;
}

/** Takes from who has most above its share and gives to who has most below, until nobody is off by more than the tolerance or no slot would better it.
 *  Ends: each transfer lowers the sum of the squares of what groups are off by. */
function even(accounts: readonly Account[], evening: Evening): void {
  const takers = accounts.filter(({ weight }) => weight > 0);
  const stuck = new Set<Account>();
  for (;;) {
    const givers = takers.filter((account) => roomOf(account) < 0 && !stuck.has(account));
    if (givers.length === 0) return;
    const from = givers.reduce((most, account) => (roomOf(account) < roomOf(most) ? account : most));
    const to = roomiest(takers);
    if (Math.max(-roomOf(from), roomOf(to)) <= evening.tolerance) return;
    if (pour(from, to, evening)) stuck.clear();
    else stuck.add(from);
  }
}

/** From one group to another as long as slots fit; when none does, the lightest that still betters it. Returns whether there was any. */
function pour(from: Account, to: Account, evening: Evening): boolean {
  let last: Slot | null = null;
  for (;;) {
    const chosen = choose(from, to, { ...evening, last });
    if (chosen === undefined) return last !== null;
    transfer(chosen.slot, { from, to, cost: chosen.cost });
    last = chosen.slot;
  }
}

function choose(from: Account, to: Account, { costOf, tolerance, last }: Evening & { last: Slot | null }): Weighed | undefined {
  const excess = -roomOf(from);
  const room = roomOf(to);
  if (Math.max(excess, room) <= tolerance) return undefined;
  const better = [...from.slots].map((slot) => ({ slot, cost: costOf(slot) })).filter(({ cost }) => cost > 0 && cost < excess + room);
  const fitting = better.filter(({ cost }) => cost <= Math.min(excess, room) + tolerance);
  if (fitting.length === 0 && last === null) return lightest(better);
  return nextInRun(fitting, last);
}

interface Weighed {
  readonly slot: Slot;
  readonly cost: number;
}

/** One of the heaviest: the neighbour of the last one if it can be, else the highest slot. */
function nextInRun(slots: readonly Weighed[], last: Slot | null): Weighed | undefined {
  const heaviest = slots.reduce((most, { cost }) => Math.max(most, cost), 0);
  const alike = slots.filter(({ cost }) => cost >= heaviest * ALIKE);
  return alike.find(({ slot }) => last !== null && slot === last - 1) ?? alike.reduce<Weighed | undefined>(higher, undefined);
}

const higher = (best: Weighed | undefined, slot: Weighed) => (best === undefined || slot.slot > best.slot ? slot : best);

function lightest(slots: readonly Weighed[]): Weighed | undefined {
  return slots.reduce<Weighed | undefined>((best, slot) => (best === undefined || slot.cost < best.cost ? slot : best), undefined);
}

/** As the fewest runs, those between the same two groups together, so that they make full batches. */
function runsOf(transfers: readonly Transfer[]): PlannedMove[] {
  const sorted = [...transfers].sort((a, b) => a.from - b.from || a.to - b.to || a.slot - b.slot);
  const runs: PlannedMove[] = [];
  for (const { slot, from, to } of sorted) {
    const run = runs.at(-1);
    if (run && run.from === from && run.to === to && run.last === slot - 1) runs[runs.length - 1] = { ...run, last: slot };
    else runs.push({ first: slot, last: slot, from, to });
  }
  return runs;
}
