// Requests for slots that are migrating: before the first request for a key runs at the target, the source hands that key over. Keys that are
// known to have left are remembered, and never asked for again.
//
//   request ──keys gone?──yes──▶ target
//                └─no──▶ waits ──transfer, all keys of the request at once──▶ target
//
// A transfer that fails for what may pass, such as a target that does not answer for a moment, is tried again as long as somebody waits for it.
//
// Order: a session's requests for one slot leave in the order they came, also when the keys of a later one are there first.
// Invariant: no request is sent to the source (DESIGN §4, rule 1) but a read of a big key; what is waiting counts as in flight for its slot.

import { type GroupId, invariant } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { extractKeys, keyArgs } from '../commands/key-specs.ts';
import { errorReply, HOLD_FULL, HOLD_TIMEOUT, MOVED_ON, OK } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Clock } from './clock.ts';
import { copyFrame, type Held } from './held.ts';
import type { InFlight } from './in-flight.ts';
import type { Request } from './request.ts';
import { emptyRouteTable, MIGRATING, type RouteTable } from './route-table.ts';
import type { Server } from './server.ts';
import { PAUSED_WAITING, type Session } from './session.ts';
import type { Stats } from './stats.ts';
import { micros } from './timings.ts';
import { mayPass, type Transfers } from './transfers.ts';

export interface HandOverOptions {
  readonly clock: Clock;
  readonly inFlight: InFlight;
  readonly stats: Stats;
  readonly transfers: Transfers;
  /** How long a request may wait. */
  readonly timeoutMs: number;
  readonly bytesMax: number;
  /** Sends a request whose keys are all at the target; it is counted in flight already. `to` was the target when it came, or is the source for one that
   *  is counted on a lane; `epoch`: of the table that says so. */
  readonly send: (request: Request, frame: Buffer, to: Server, epoch: number) => void;
  /** Answers a request with an error. */
  readonly answer: (request: Request, reply: Buffer) => void;
}

/** Keys remembered as gone, over all slots; past it keys are asked for again, which is harmless. */
const GONE_KEYS_MAX = 500_000;
/** A session with this many requests waiting is not read from, until half of them have left. */
const WAITING_MAX = 256;
const RETRY_MS = 100;

/** Keys of one slot that have left `from` in one move. What left in an earlier move of the same slot may have come back since. */
interface Gone {
  readonly migration: number;
  /** Which groups they are the masters of. */
  readonly way: { readonly from: GroupId; readonly to: GroupId };
  readonly from: Server;
  readonly to: Server;
  readonly keys: Set<string>;
}

type Arrival = Pick<Held, 'command' | 'slot' | 'frame' | 'to' | 'lane' | 'epoch' | 'migration'>;

/** Keys that are on their way, and who waits for them. */
interface HandOver {
  readonly slot: number;
  readonly db: number;
  readonly keys: readonly string[];
  readonly waiters: Held[];
  /** Where its keys are remembered, if that is still what is known of the slot when they have left. */
  gone: Gone;
  /** Of the table that it follows. */
  epoch: number;
  /** In a durable move, how many replicas the target's group has by that; null otherwise. */
  replicas: number | null;
}

export class HandOvers {
  readonly #options: HandOverOptions;
  /** By database and key. */
  readonly #pending = new Map<string, HandOver>();
  /** Those that failed for what may pass, and when they are tried again, by the coarse clock: in that order. */
  #retries: { readonly handOver: HandOver; readonly at: number }[] = [];
  readonly #gone = new Map<number, Gone>();
  /** Everything that waits, oldest first; answered ones are dropped in passing. */
  #queue: Held[] = [];
  #table: RouteTable = emptyRouteTable();
  #goneCount = 0;
  #bytes = 0;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#bytes;
  }

  /** Whether an earlier request of this session for `slot` still waits, so that this one must wait behind it. */
  mustWait(session: Session, slot: number): boolean {
    return session.waiting?.some((held) => held.request !== null && held.slot === slot) ?? false;
  }

  /** Takes a request for a slot that is migrating, or that must wait behind one (then `keysArrived`). */
  take(request: Request, slot: number, command: Command, frame: Frame, table: RouteTable): void {
    const missing = table.kind[slot] === MIGRATING ? this.#missingKeys(request.db, slot, command, frame, table) : [];
    const held = this.#sendOrHold(request, { command, slot, to: table.home[slot] as Server, table }, frame, missing.length === 0);
    if (held !== null) this.#await(held, missing, table);
  }

  /** Takes a read of a big key, which is at the source; it only waits behind earlier requests, as those of a session for one slot do. */
  readAtSource(request: Request, what: { slot: number; lane: number; command: Command; table: RouteTable }, frame: Frame): void {
    const { slot, table } = what;
    this.#sendOrHold(request, { ...what, to: table.from[slot] as Server }, frame, true);
  }

  /** What is held, null when it was sent or refused. */
  #sendOrHold(
    request: Request,
    { table, ...what }: Pick<Arrival, 'command' | 'slot' | 'to' | 'lane'> & { readonly table: RouteTable },
    frame: Frame,
    ready: boolean,
  ): Held | null {
    const { session } = request;
    const { epoch } = table;
    const counted = what.lane ?? what.slot;
    if (ready && !(session !== null && this.mustWait(session, what.slot))) {
      this.#options.inFlight.enter(counted);
      request.slot = counted;
      this.#options.send(request, frame.buf.subarray(frame.start, frame.end), what.to as Server, epoch);
      return null;
    }
    if (this.#bytes + frame.end - frame.start > this.#options.bytesMax) {
      this.#options.stats.tryAgain++;
      this.#options.answer(request, HOLD_FULL);
      return null;
    }
    return this.#hold(request, { ...what, epoch, migration: migrationOf(what.slot, table), frame: copyFrame(frame) });
  }

  /** Forgets what is known of slots that are not moving (that way) any more. */
  onTable(table: RouteTable): void {
    this.#refuseOutdated(table);
    for (const [slot, gone] of this.#gone) {
      if (isSameMove(gone, slot, table)) continue;
      this.#goneCount -= gone.keys.size;
      this.#gone.delete(slot);
    }
    this.#table = table;
    const outdated = this.#retries.filter(({ handOver }) => !isSameMove(handOver.gone, handOver.slot, table));
    this.#retries = this.#retries.filter((retry) => !outdated.includes(retry));
    for (const { handOver } of outdated) this.#tryAgain(handOver);
  }

  /** Answers what has waited too long, and tries again what failed. */
  tick(): void {
    this.#refuseLate();
    const { now } = this.#options.clock;
    const late = this.#retries.findIndex(({ at }) => at > now);
    const due = this.#retries.splice(0, late < 0 ? this.#retries.length : late);
    for (const { handOver } of due) this.#tryAgain(handOver);
  }

  /** As the table has it now: a server may have been replaced, or the move be over, and then the keys are there. */
  #tryAgain(handOver: HandOver): void {
    const { slot, waiters } = handOver;
    const table = this.#table;
    if (!waiters.some(({ request }) => request !== null)) this.#forgetKeys(handOver);
    else if (table.kind[slot] !== MIGRATING) this.#onHandedOver(handOver, OK);
    else {
      if (table.home[slot] !== null && table.from[slot] !== null) handOver.gone = this.#goneFrom(slot, table);
      handOver.epoch = table.epoch;
      handOver.replicas = replicasOf(slot, table);
      this.#start(handOver);
    }
  }

  /** What came in one move is refused in the next: its keys may have come back since, and be listed as big. Only a proxy that was fenced off meanwhile has any. */
  #refuseOutdated(table: RouteTable): void {
    for (const held of this.#queue) {
      const { request, slot, migration } = held;
      if (request !== null && table.kind[slot] === MIGRATING && migrationOf(slot, table) !== migration) this.#refuse(held, MOVED_ON);
    }
  }

  #refuseLate(): void {
    const deadline = this.#options.clock.now - this.#options.timeoutMs;
    let at = 0;
    for (; at < this.#queue.length; at++) {
      const held = this.#queue[at] as Held;
      if (held.request === null) continue;
      if (held.heldAt > deadline) break;
      this.#refuse(held, held.why ?? HOLD_TIMEOUT);
    }
    if (at > 0) this.#queue.splice(0, at);
  }

  #onHandedOver(handOver: HandOver, reply: Buffer): void {
    if (reply[0] === 0x2d && this.#onFailed(handOver, reply)) return;
    this.#forgetKeys(handOver);
    const sessions = new Set<Session>();
    for (const held of handOver.waiters) {
      held.waits--;
      const session = held.request?.session;
      if (session) sessions.add(session);
      else if (held.request !== null) this.#drop(held);
    }
    for (const session of sessions) this.#release(session);
  }

  /** True when it is tried again. */
  #onFailed(handOver: HandOver, reply: Buffer): boolean {
    this.#options.stats.handOverErrors++;
    const why = errorReply(`TRYAGAIN the key is being moved and could not be handed over yet: ${troubleIn(reply)}`);
    if (!mayPass(reply)) {
      for (const held of handOver.waiters) this.#refuse(held, why);
      return false;
    }
    for (const held of handOver.waiters) held.why = why;
    this.#retries.push({ handOver, at: this.#options.clock.now + RETRY_MS });
    return true;
  }

  #forgetKeys({ keys }: HandOver): void {
    for (const key of keys) this.#pending.delete(key);
  }

  /** A session is gone: what it has waiting goes nowhere. */
  forget(session: Session): void {
    const waiting = session.waiting;
    session.waiting = null;
    if (waiting !== null) for (const held of waiting) this.#drop(held);
  }

  #missingKeys(db: number, slot: number, command: Command, frame: Frame, table: RouteTable): string[] {
    const gone = this.#goneFrom(slot, table);
    extractKeys(command.keys, frame);
    const missing = new Set<string>();
    for (let at = 0; at < keyArgs.count; at++) {
      const arg = keyArgs.list[at] as number;
      const key = `${db}:${frame.buf.toString('latin1', frame.args[arg * 2], frame.args[arg * 2 + 1])}`;
      if (!gone.keys.has(key)) missing.add(key);
    }
    return [...missing];
  }

  #goneFrom(slot: number, table: RouteTable): Gone {
    const known = this.#gone.get(slot);
    if (known !== undefined && isSameMove(known, slot, table)) return known;
    if (known !== undefined) this.#goneCount -= known.keys.size;
    const gone = {
      ...moveOf(slot, table),
      from: table.from[slot] as Server,
      to: table.home[slot] as Server,
      keys: new Set<string>(),
    };
    this.#gone.set(slot, gone);
    return gone;
  }

  #hold(request: Request, what: Arrival): Held {
    const held: Held = { ...what, request, heldAt: this.#options.clock.now, waits: 0 };
    this.#bytes += held.frame.length;
    this.#options.stats.held++;
    const counted = held.lane ?? held.slot;
    this.#options.inFlight.enter(counted);
    request.slot = counted;
    this.#queue.push(held);
    const session = request.session;
    if (session !== null) {
      session.waiting ??= [];
      session.waiting.push(held);
      if (session.waiting.length >= WAITING_MAX) session.pause(PAUSED_WAITING);
    }
    return held;
  }

  /** Joins what is under way for its keys, and starts with the rest. */
  #await(held: Held, missing: readonly string[], table: RouteTable): void {
    const unasked: string[] = [];
    for (const key of missing) {
      const pending = this.#pending.get(key);
      if (pending === undefined) unasked.push(key);
      else {
        pending.waiters.push(held);
        held.waits++;
      }
    }
    if (unasked.length === 0) return;
    const { slot, request } = held;
    const handOver: HandOver = {
      slot,
      db: request?.db ?? 0,
      keys: unasked,
      waiters: [held],
      gone: this.#goneFrom(slot, table),
      replicas: replicasOf(slot, table),
      epoch: table.epoch,
    };
    held.waits++;
    for (const key of unasked) this.#pending.set(key, handOver);
    this.#start(handOver);
  }

  #start(handOver: HandOver): void {
    this.#options.stats.handOvers++;
    const { slot, db, gone, epoch, replicas } = handOver;
    const { way, from, to } = gone;
    const prefix = String(db).length + 1;
    const keys = handOver.keys.map((key) => Buffer.from(key.slice(prefix), 'latin1'));
    const onEnd = (reply: Buffer) => {
      if (reply[0] !== 0x2d) this.#remember(handOver);
      this.#onHandedOver(handOver, reply);
    };
    this.#options.transfers.start({ way, from, to, db, slot, keys, replicas, epoch, onEnd });
  }

  #remember(handOver: HandOver): void {
    if (this.#gone.get(handOver.slot) !== handOver.gone || this.#goneCount >= GONE_KEYS_MAX) return;
    for (const key of handOver.keys) handOver.gone.keys.add(key);
    this.#goneCount += handOver.keys.length;
  }

  /** Sends what has nothing left to wait for, unless an earlier request for the same slot is still here. */
  #release(session: Session): void {
    const waiting = session.waiting;
    if (waiting === null) return;
    const blocked = new Set<number>();
    const rest: Held[] = [];
    const ready: Held[] = [];
    for (const held of waiting) {
      if (held.request === null) continue;
      if (held.waits === 0 && !blocked.has(held.slot)) ready.push(held);
      else {
        blocked.add(held.slot);
        rest.push(held);
      }
    }
    session.waiting = rest.length > 0 ? rest : null;
    for (const held of ready) {
      const request = held.request as Request;
      this.#settle(held);
      request.heldMicros = (micros() - request.readAt) | 0;
      this.#options.send(request, held.frame, held.to as Server, held.epoch as number);
    }
    if (rest.length < WAITING_MAX / 2) session.resume(PAUSED_WAITING);
  }

  #refuse(held: Held, reply: Buffer): void {
    const request = held.request;
    if (request === null) return;
    this.#options.stats.tryAgain++;
    this.#drop(held);
    request.slot = -1;
    this.#options.answer(request, reply);
    const session = request.session;
    if (session) this.#release(session);
  }

  /** It is not sent: it ends being in flight here. */
  #drop(held: Held): void {
    if (held.request === null) return;
    this.#options.inFlight.leaveSlot(held.lane ?? held.slot);
    this.#settle(held);
  }

  #settle(held: Held): void {
    held.request = null;
    this.#bytes -= held.frame.length;
  }
}

/** The error of a hand-over, as a client may read it that sent another command: nothing is unknown of that one. */
function troubleIn(reply: Buffer): string {
  return reply
    .toString('utf8')
    .slice(1)
    .trim()
    .replace(/: whether the command was carried out is unknown$/, '');
}

function isSameMove(gone: Gone, slot: number, table: RouteTable): boolean {
  const servers = table.from[slot] === gone.from && table.home[slot] === gone.to;
  const state = table.topology?.slots[slot];
  return servers && state?.kind === 'migrating' && state.migration === gone.migration;
}

/** The migration that moves `slot`, and the groups it goes from and to. */
function moveOf(slot: number, table: RouteTable): Pick<Gone, 'migration' | 'way'> {
  const state = table.topology?.slots[slot];
  invariant(state?.kind === 'migrating', 'what is handed over is migrating');
  return { migration: state.migration, way: { from: state.from, to: state.to } };
}

/** 0 for a slot that is not migrating: what is held while it is locked. */
function migrationOf(slot: number, table: RouteTable): number {
  const state = table.topology?.slots[slot];
  return state?.kind === 'migrating' ? state.migration : 0;
}

function replicasOf(slot: number, table: RouteTable): number | null {
  const state = table.topology?.slots[slot];
  if (state?.kind !== 'migrating' || !state.durable) return null;
  return table.replicasCount.get(table.home[slot] as Server) ?? 0;
}
