// Requests of a migrating slot that name a big key, one that the topology lists (config/model/big-keys.ts): its copy is on its way, piece by piece.
//
//   copying     one that only reads it, and names nothing else, goes to the source; everything else that names it waits
//   switching   everything that names it waits
//   not listed  the usual way: hand-over, then the target
//
// What waits goes on when a table says that it may, or is answered -TRYAGAIN after slot_hold_timeout_ms. It was sent nowhere, so it is not in flight. A read at
// the source is counted on a lane of its key, beside the slots: requests for other keys of its slot never cease, so the slot as a whole may never be drained.
//
// Order: a session's requests for one slot leave in the order they came; who comes behind one that waits waits too.
// Invariant: no request that names a listed key is handed to anybody but its reads to the source, and those only while it is copying.

import type { Command } from '../commands/command.ts';
import { extractKeys, keyArgs } from '../commands/key-specs.ts';
import { BIG_KEY_TIMEOUT, HOLD_FULL } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { HandOverOptions, HandOvers } from './hand-over.ts';
import { copyFrame, type Held, reframe } from './held.ts';
import { LANES_COUNT, LANES_FIRST } from './in-flight.ts';
import type { Request } from './request.ts';
import { type ListedKeys, MIGRATING, type RouteTable } from './route-table.ts';
import type { Session } from './session.ts';
import { micros } from './timings.ts';

type Options = Pick<HandOverOptions, 'clock' | 'stats' | 'timeoutMs' | 'bytesMax' | 'answer' | 'inFlight'> & {
  readonly handOvers: HandOvers;
  /** Routes a request anew. */
  readonly route: (request: Request, held: Held) => void;
};

/** Where reads of one key are counted. */
interface Lane {
  readonly index: number;
  readonly slot: number;
}

type Verdict = 'unlisted' | 'read' | 'wait';

export class BigKeys {
  readonly #options: Options;
  /** By slot, in the order they came. */
  readonly #queues = new Map<number, Held[]>();
  /** By database and key. */
  readonly #lanes = new Map<string, Lane>();
  readonly #freeLanes: number[] = Array.from({ length: LANES_COUNT }, (_, at) => LANES_FIRST + at);
  #bytes = 0;
  /** The request that is being routed on: it is its turn, whoever of its session is still here. */
  #passing: Request | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  /** Takes care of a request for a migrating slot, if a listed key stands in its way; false: it goes the usual way. */
  take(request: Request, slot: number, command: Command, frame: Frame, table: RouteTable): boolean {
    const listed = table.bigKeys.get(slot);
    if (listed === undefined && !this.#queues.has(slot)) return false;
    const verdict = verdictOn(listed, request, command, frame);
    const behind = this.#passing !== request && this.#isBehind(request, slot);
    this.#passing = null;
    if (verdict === 'unlisted' && !behind) return false;
    if (verdict === 'wait' || behind || !this.#read(request, slot, command, frame, table)) this.#hold(request, slot, command, frame);
    return true;
  }

  /** Lets go what has nothing to wait for any more. */
  onTable(table: RouteTable): void {
    this.#freeUnlisted(table);
    for (const slot of [...this.#queues.keys()]) this.#release(slot, table);
  }

  /** Answers what has waited too long. */
  tick(table: RouteTable): void {
    const deadline = this.#options.clock.now - this.#options.timeoutMs;
    for (const [slot, queue] of this.#queues) {
      const late = queue.findIndex((held) => held.heldAt > deadline);
      const expired = late < 0 ? queue.splice(0) : queue.splice(0, late);
      for (const held of expired) this.#refuse(held);
      if (expired.length > 0) this.#release(slot, table);
    }
  }

  /** The lanes on which nothing may be under way before the table is acknowledged: those of keys that are switching. */
  switchingLanes(table: RouteTable): number[] {
    const lanes: number[] = [];
    for (const listed of table.bigKeys.values()) {
      for (const [name, phase] of listed) {
        const lane = this.#lanes.get(name);
        if (phase === 'switching' && lane !== undefined) lanes.push(lane.index);
      }
    }
    return lanes;
  }

  /** The slot of what is counted at `counted`: a slot itself, or a lane. */
  slotOf(counted: number): number {
    if (counted < LANES_FIRST) return counted;
    for (const lane of this.#lanes.values()) if (lane.index === counted) return lane.slot;
    return -1;
  }

  /** False when there is no lane left to count it on. */
  #read(request: Request, slot: number, command: Command, frame: Frame, table: RouteTable): boolean {
    const lane = this.#laneOf(nameOfKey(request.db, frame, 0), slot);
    if (lane === null) return false;
    this.#options.handOvers.readAtSource(request, { slot, lane, command, table }, frame);
    return true;
  }

  #laneOf(name: string, slot: number): number | null {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known.index;
    const index = this.#freeLanes.pop();
    if (index === undefined) return null;
    this.#lanes.set(name, { index, slot });
    return index;
  }

  #freeUnlisted(table: RouteTable): void {
    for (const [name, { index, slot }] of this.#lanes) {
      if (table.bigKeys.get(slot)?.has(name) || this.#options.inFlight.isBusy(index)) continue;
      this.#lanes.delete(name);
      this.#freeLanes.push(index);
    }
  }

  #isBehind({ session }: Request, slot: number): boolean {
    return session !== null && (this.#queues.get(slot)?.some(({ request }) => request?.session === session) ?? false);
  }

  #hold(request: Request, slot: number, command: Command, frame: Frame): void {
    const { stats, bytesMax, clock } = this.#options;
    if (this.#bytes + frame.end - frame.start > bytesMax) {
      stats.tryAgain++;
      this.#options.answer(request, HOLD_FULL);
      return;
    }
    const held: Held = { request, command, slot, frame: copyFrame(frame), to: null, heldAt: clock.now, waits: 0 };
    this.#bytes += held.frame.length;
    stats.held++;
    const queue = this.#queues.get(slot);
    if (queue) queue.push(held);
    else this.#queues.set(slot, [held]);
    // What would come behind it would wait too, and cost memory.
    request.session?.afterAll();
  }

  #release(slot: number, table: RouteTable): void {
    const waiting = new Set<Session>();
    const stay: Held[] = [];
    const go: Held[] = [];
    for (const held of this.#queues.get(slot) ?? []) {
      const session = held.request?.session ?? null;
      if (session !== null && (waiting.has(session) || mustStay(held, table))) {
        waiting.add(session);
        stay.push(held);
      } else go.push(held);
    }
    if (stay.length > 0) this.#queues.set(slot, stay);
    else this.#queues.delete(slot);
    for (const held of go) this.#routeOn(held);
  }

  #routeOn(held: Held): void {
    const request = this.#take(held);
    if (request === null || request.session === null) return;
    request.heldMicros = (micros() - request.readAt) | 0;
    const { route } = this.#options;
    this.#passing = request;
    try {
      route(request, held);
    } finally {
      this.#passing = null;
    }
  }

  #refuse(held: Held): void {
    const request = this.#take(held);
    if (request === null || request.session === null) return;
    this.#options.stats.tryAgain++;
    this.#options.answer(request, BIG_KEY_TIMEOUT);
  }

  #take(held: Held): Request | null {
    const { request } = held;
    held.request = null;
    this.#bytes -= held.frame.length;
    return request;
  }
}

function mustStay(held: Held, table: RouteTable): boolean {
  const listed = table.bigKeys.get(held.slot);
  if (table.kind[held.slot] !== MIGRATING || listed === undefined || held.request === null) return false;
  return verdictOn(listed, held.request, held.command, reframe(held.frame)) === 'wait';
}

/** The keys of `frame` are found anew. */
function verdictOn(listed: ListedKeys | undefined, request: Request, command: Command, frame: Frame): Verdict {
  if (listed === undefined) return 'unlisted';
  extractKeys(command.keys, frame);
  let found: ReturnType<ListedKeys['get']>;
  for (let at = 0; at < keyArgs.count && found === undefined; at++) found = listed.get(nameOfKey(request.db, frame, at));
  if (found === undefined) return 'unlisted';
  const reads = found === 'copying' && keyArgs.count === 1 && request.sender === null && onlyReads(command);
  return reads ? 'read' : 'wait';
}

/** PFCOUNT has the flag, and writes the count that it has worked out into the key. */
function onlyReads({ name, flags }: Command): boolean {
  return flags.includes('readonly') && name !== 'pfcount';
}

/** `at`: which of the keys that were found last. */
function nameOfKey(db: number, { buf, args }: Frame, at: number): string {
  const arg = (keyArgs.list[at] as number) * 2;
  return `${db}:${buf.toString('latin1', args[arg], args[arg + 1])}`;
}
