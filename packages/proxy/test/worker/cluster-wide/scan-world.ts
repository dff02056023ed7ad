// A cluster in a test's hands: three servers that keep SCAN's promise and no more, slots that move as the controller moves them, and proxies that lag behind.
// A lock becomes a move only when every proxy has taken up the table that shows it, which is what the acks are for.

import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  emptyTopology,
  type Slot,
  type SlotState,
  type Topology,
  type VersionedTopology,
} from '@codis/config/model';
import { type Cursor, decodeCursor, encodeCursor } from '../../../src/worker/cluster-wide/scan-cursor.ts';
import { type Ground, placeAfter, placeFor, wantedAt } from '../../../src/worker/cluster-wide/scan-pass.ts';
import { MoveHistory } from '../../../src/worker/move-history.ts';

export const GROUPS = [1, 2, 3] as const;
/** Slots that have keys; all others stay offline, so that a run is quick. */
export const SLOTS = [0, 1, 2, 3].map(asSlot);
const BUCKETS = 4;

interface Key {
  readonly slot: Slot;
  readonly bucket: number;
  /** The servers that have it: two for a moment in a hand-over. */
  readonly at: Set<number>;
}

export class SimProxy {
  readonly history = new MoveHistory();
  table: VersionedTopology;

  constructor(table: VersionedTopology) {
    this.table = table;
    this.history.onTable(table);
  }

  get ground(): Ground {
    return { epoch: this.table.epoch, slots: this.table.topology.slots, history: this.history };
  }

  apply(table: VersionedTopology): void {
    if (table.epoch <= this.table.epoch) return;
    this.table = table;
    this.history.onTable(table);
  }
}

export class World {
  readonly keys: readonly Key[];
  readonly tables: VersionedTopology[];
  proxies: SimProxy[];
  #migration = 1;

  constructor(proxies: number, firstEpoch: number) {
    const slots = emptyTopology().slots.slice();
    for (const slot of SLOTS) slots[slot] = { kind: 'online', owner: asGroupId(GROUPS[slot % GROUPS.length] as number) };
    this.tables = [{ epoch: asEpoch(firstEpoch), topology: { slots, groups: groups() } }];
    this.keys = SLOTS.flatMap((slot) =>
      Array.from({ length: BUCKETS }, (_, bucket) => ({ slot, bucket, at: new Set([GROUPS[slot % GROUPS.length] as number]) })),
    );
    this.proxies = Array.from({ length: proxies }, () => new SimProxy(this.table));
  }

  get table(): VersionedTopology {
    return this.tables.at(-1) as VersionedTopology;
  }

  /** The controller does the next thing with a slot: what is possible, else nothing. */
  step(slot: number, to: number, how: 'on' | 'back'): void {
    const state = this.#state(slot);
    if (state.kind === 'online') {
      if (state.owner === to || how === 'back') return;
      const lock = { from: state.owner, to: asGroupId(to), migration: asMigrationId(this.#migration++) };
      this.#write(slot, { kind: 'locked', ...lock, epoch: asEpoch(this.table.epoch + 1), leaseMs: 1 });
    } else if (state.kind === 'locked' && how === 'back') {
      this.#write(slot, { kind: 'online', owner: state.from });
    } else if (state.kind === 'locked') {
      const { from, to, migration } = state;
      if (this.proxies.every(({ table }) => table.epoch >= state.epoch)) this.#write(slot, { kind: 'migrating', from, to, migration });
    } else if (state.kind === 'migrating' && this.keys.every((key) => key.slot !== slot || !key.at.has(state.from))) {
      this.#write(slot, { kind: 'online', owner: state.to });
    }
  }

  /** Half of a hand-over of one key: it comes to the target, or leaves the source. */
  handOver(index: number): void {
    const key = this.keys[index % this.keys.length] as Key;
    const state = this.#state(key.slot);
    if (state.kind !== 'migrating') return;
    if (!key.at.has(state.to)) key.at.add(state.to);
    else key.at.delete(state.from);
  }

  /** A proxy takes up the table of some epoch after its own. */
  deliver(proxy: number, ahead: number): void {
    const at = this.proxies[proxy % this.proxies.length] as SimProxy;
    const next = this.tables.findIndex(({ epoch }) => epoch > at.table.epoch);
    const table = next < 0 ? undefined : this.tables[Math.min(next + ahead, this.tables.length - 1)];
    if (table) at.apply(table);
  }

  /** A proxy is replaced by one that knows nothing of the past. */
  restart(proxy: number): void {
    this.proxies[proxy % this.proxies.length] = new SimProxy(this.table);
  }

  /** One page of a server's own SCAN. */
  page(group: number, at: bigint): { next: bigint; keys: Key[] } {
    const bucket = Number(at) % BUCKETS;
    const keys = this.keys.filter((key) => key.bucket === bucket && key.at.has(group));
    return { next: BigInt((bucket + 1) % BUCKETS), keys };
  }

  get moving(): boolean {
    return SLOTS.some((slot) => this.#state(slot).kind !== 'online');
  }

  #state(slot: number): SlotState {
    return this.table.topology.slots[slot] as SlotState;
  }

  #write(slot: number, state: SlotState): void {
    const slots = this.table.topology.slots.slice();
    slots[slot] = state;
    const topology: Topology = { ...this.table.topology, slots };
    this.tables.push({ epoch: asEpoch(this.table.epoch + 1), topology });
  }
}

/** A client that scans: what is sent is carried out at once, and the answer comes when it is taken. */
export class Scan {
  readonly found = new Set<Key>();
  done = false;
  calls = 0;
  readonly #world: World;
  #cursor: bigint | null = null;
  #answer: { readonly proxy: SimProxy; readonly place: Cursor; readonly next: bigint; readonly keys: readonly Key[] } | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  send(proxy: number): void {
    if (this.done || this.#answer !== null) return;
    const at = this.#world.proxies[proxy % this.#world.proxies.length] as SimProxy;
    this.calls++;
    const place = placeFor(this.#cursor === null ? null : decodeCursor(this.#cursor), at.ground);
    if (place === null) this.done = true;
    else this.#answer = { proxy: at, place, ...this.#world.page(place.group, place.at) };
  }

  receive(): void {
    if (this.#answer === null) return;
    const { proxy, place, next, keys } = this.#answer;
    this.#answer = null;
    if (!this.#world.proxies.includes(proxy)) return;
    const wanted = wantedAt(place, proxy.ground);
    for (const key of keys) if (wanted(key.slot)) this.found.add(key);
    const after = placeAfter(place, next, proxy.ground);
    if (after === null) this.done = true;
    else this.#cursor = encodeCursor(after);
  }
}

function groups(): Topology['groups'] {
  return GROUPS.map((id) => ({ id: asGroupId(id), servers: [{ addr: asServerAddr(`127.0.0.1:${7000 + id}`), role: 'master' }] }));
}
