// Having a source hand keys to a target, step by step:
//
//   the target says who the source is ──▶ script at the source ──────────────────────────────────────────▶ noted at the target ──▶ done
//                                              └ durable: ──▶ WAIT at the target ──▶ script at the source ──▶ ┘
//
// A source that is another process than the target knows may have gone back in time: nothing is taken from it until the controller has looked at it. Of a slot that has
// arrived, which this proxy may not have heard yet, nothing is taken any more: the target knows which slots went when it was told of the source. What was handed over is noted at the target before any client's command for it runs there (config/model/departures.ts).
//
// A source does nothing else while it hands over, so a target that hangs would stop it for a time-out with each script. Hence few scripts are under way between two
// servers at a time, and none is sent unless the target has answered just now. What waits meanwhile goes together with the next one; where that fails because of some
// key, each goes alone.
//
// Invariant: a transfer counts as in flight for its slot from `start` until its end, between its steps too: nothing of it runs after the slot was handed on. In
// a durable move nothing is deleted at the source that a replica of the target lacks.

import {
  type DepartureKeys,
  departureKeys,
  GIVE_UP_SCRIPT,
  type GroupId,
  isGoing,
  LEFT_KEYS_MAX,
  NOTE_SCRIPT,
  ON_DEMAND_SCRIPT,
  parseAddr,
} from '@codis/config/model';
import { encodeRequest, errorReply, OK } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import { asking } from './claim.ts';
import type { Clock } from './clock.ts';
import type { InFlight } from './in-flight.ts';
import type { Loans } from './loans.ts';
import { integerIn } from './merge.ts';
import { SINK_NOBODY, takeRequest } from './request.ts';
import type { Server } from './server.ts';

export interface Transfer {
  readonly from: Server;
  readonly to: Server;
  /** The groups that they are the masters of. */
  readonly way: { readonly from: GroupId; readonly to: GroupId };
  readonly db: number;
  readonly slot: number;
  readonly keys: readonly Buffer[];
  /** In a durable move, how many replicas must have the keys before the source deletes them; null otherwise. */
  readonly replicas: number | null;
  /** Of the table that it follows. */
  readonly epoch: number;
  /** +OK, or an error: then each key is at the source, at the target, or at both. */
  readonly onEnd: (reply: Buffer) => void;
}

export interface TransferOptions {
  readonly clock: Clock;
  readonly inFlight: InFlight;
  readonly loans: Loans;
  readonly product: string;
  /** Password of the target, product_auth. */
  readonly password: string;
}

/** For so long an answer of the target is good. */
const ANSWER_GOOD_MS = 100;
/** A target that takes longer to answer does not. */
const ANSWER_MS_MAX = 300;
/** What MIGRATE waits for the target, each time it does. */
const MIGRATE_TIMEOUT_MS = 250;
/** What replicas get for it. */
const WAIT_MS = 5000;
const UNDER_WAY_MAX = 2;
/** Of all that go together: about a millisecond of the source. */
const KEYS_TOGETHER_MAX = 100;
const PING = encodeRequest(['PING']);
const MINUS = 0x2d;
/** Failures that may pass, and are of no key's making: the target or its replicas did not answer in time, a server can't be reached, a connection broke, it loads its data,
 *  or it is another process than it was and the controller has not looked at it yet. */
const PASSING = /^-(IOERR|SOURCE|LOADING|BUSY|MASTERDOWN|ERR server) /;

/** Whether what a transfer failed for may pass. */
export function mayPass(reply: Buffer): boolean {
  return PASSING.test(reply.toString('latin1', 0, 16));
}

export class Transfers {
  readonly #options: TransferOptions;
  readonly #paths = new Map<Server, Map<Server, Path>>();

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  start(transfer: Transfer): void {
    this.#options.inFlight.occupy(transfer.slot);
    this.#path(transfer).add(transfer);
  }

  tick(): void {
    for (const [from, paths] of this.#paths) {
      for (const [to, path] of paths) {
        path.tick();
        if (path.isIdle) paths.delete(to);
      }
      if (paths.size === 0) this.#paths.delete(from);
    }
  }

  #path({ from, to, way }: Transfer): Path {
    const paths = this.#paths.get(from) ?? new Map<Server, Path>();
    this.#paths.set(from, paths);
    const path = paths.get(to) ?? new Path(this.#options, { to, way });
    paths.set(to, path);
    return path;
  }
}

/** Keys that have left, with the number of that, and which process had them. */
interface Handed {
  readonly transfer: Transfer;
  readonly number: string;
  readonly run: string;
}

/** It is at the target too: at the process of this run_id. */
interface Copied {
  readonly transfer: Transfer;
  readonly runId: string;
}

/** From one server to another. */
class Path {
  readonly #options: TransferOptions;
  readonly #to: Server;
  /** What is kept of the move. */
  readonly #keys: DepartureKeys;
  readonly #whoIsSource: Buffer;
  #waiting: Transfer[] = [];
  /** Those of `#waiting` that failed together with others. */
  readonly #alone = new Set<Transfer>();
  #isGoingOn = false;
  /** Scripts at the source. */
  #underWay = 0;
  /** Copies that nobody has asked the replicas about yet. */
  #copied: Copied[] = [];
  #confirming = false;
  /** What the source has handed over and nobody has noted yet. */
  #handed: Handed[] = [];
  #noting = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** The process that the target knows as the source; null while it knows none. */
  #source: string | null = null;
  /** Of the table by which it was told, and the slots that went this way by that. */
  #toldEpoch = -1;
  #going = '';
  /** The question that the target was asked last, and when; null once it was answered or given up. */
  #question: { readonly askedAt: number } | null = null;

  constructor(options: TransferOptions, { to, way }: Pick<Transfer, 'to' | 'way'>) {
    this.#options = options;
    this.#to = to;
    this.#keys = departureKeys(options.product, way);
    this.#whoIsSource = encodeRequest(['HMGET', this.#keys.source, 'run', 'epoch', 'slots']);
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#waiting.length === 0 && this.#question === null && !this.#confirming && !this.#noting;
  }

  add(transfer: Transfer): void {
    this.#waiting.push(transfer);
    this.#goOn();
  }

  tick(): void {
    if (this.#question !== null && this.#options.clock.now - this.#question.askedAt > ANSWER_MS_MAX) {
      this.#question = null;
      this.#failWaiting(errorReply(`IOERR server ${this.#to.addr}, where the key moves, does not answer`));
    }
    this.#goOn();
  }

  /** What ends at once asks for the next: that is the loop's, however many there are. */
  #goOn(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    this.#startWaiting();
    this.#isGoingOn = false;
  }

  #startWaiting(): void {
    while (this.#underWay < UNDER_WAY_MAX && this.#waiting.length > 0) {
      if (this.#options.clock.now - this.#answeredAt > ANSWER_GOOD_MS) {
        this.#ask();
        return;
      }
      const first = this.#waiting[0] as Transfer;
      if (this.#hasArrived(first)) {
        this.#waiting.shift();
        this.#end(first, OK);
        continue;
      }
      if (this.#isConnecting(first)) return;
      this.#underWay++;
      this.#handOver(this.#takeTogether());
    }
  }

  /** The first that waits, and those behind it that can go in one script with it. In a durable move each goes alone, for each waits for replicas. */
  #takeTogether(): [Transfer, ...Transfer[]] {
    const [first, ...others] = this.#waiting as [Transfer, ...Transfer[]];
    const together: [Transfer, ...Transfer[]] = [first];
    const rest: Transfer[] = [];
    const isAlone = this.#alone.delete(first) || first.replicas !== null;
    let keysCount = first.keys.length;
    for (const other of others) {
      const { keys, db, epoch, replicas } = other;
      const fits = keysCount + keys.length <= KEYS_TOGETHER_MAX && db === first.db && epoch === first.epoch && replicas === null;
      if (isAlone || !fits || this.#alone.has(other) || this.#hasArrived(other)) rest.push(other);
      else {
        keysCount += keys.length;
        together.push(other);
      }
    }
    this.#waiting = rest;
    return together;
  }

  /** Its slot, since the table that it follows: what it is about is at the target. */
  #hasArrived({ epoch, slot }: Transfer): boolean {
    return epoch <= this.#toldEpoch && !isGoing(this.#going, slot);
  }

  /** Which process answers is not known before. */
  #isConnecting({ from, db }: Transfer): boolean {
    const backend = this.#source === null ? null : from.backend(db, 2);
    return backend !== null && !backend.isReady;
  }

  #ask(): void {
    if (this.#question !== null) return;
    const backend = this.#to.backend(0, 2);
    if (backend === null) {
      this.#failWaiting(this.#unreachable());
      return;
    }
    const question = { askedAt: this.#options.clock.now };
    this.#question = question;
    const request = asking((reply) => {
      const isLate = this.#question !== question;
      if (!isLate) this.#question = null;
      if (reply[0] !== MINUS) {
        this.#answeredAt = this.#options.clock.now;
        this.#learn(reply);
      } else if (!isLate) this.#failWaiting(this.#unreachable());
      this.#goOn();
    });
    backend.send(request, this.#whoIsSource, 0, this.#whoIsSource.length);
  }

  #learn(reply: Buffer): void {
    const [run, epoch, going] = bulksIn(reply);
    this.#source = run ?? null;
    this.#toldEpoch = Number(epoch ?? -1);
    this.#going = going ?? '';
  }

  #unreachable(): Buffer {
    return errorReply(`IOERR server ${this.#to.addr}, where the key moves, can't be reached (${this.#to.lastError})`);
  }

  #failWaiting(reply: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#alone.clear();
    for (const transfer of waiting) this.#end(transfer, reply);
  }

  #handOver(transfers: readonly [Transfer, ...Transfer[]]): void {
    const [first] = transfers;
    const { db, replicas } = first;
    const keys = transfers.flatMap((transfer) => transfer.keys);
    const { host, port } = parseAddr(this.#to.addr);
    const copy = replicas === null ? '' : 'COPY';
    const runId = this.#to.backend(0, 2)?.runId ?? '';
    const args = [host, String(port), String(db), String(MIGRATE_TIMEOUT_MS), this.#options.password, copy];
    const all = this.#andHanded(keys);
    this.#atSource(transfers, encodeRequest(['EVAL', ON_DEMAND_SCRIPT, String(all.length), ...all, ...args]), (reply, run) => {
      if (reply[0] === MINUS) this.#onFailed(transfers, reply);
      else if (replicas === null) this.#note(transfers, reply, run);
      else this.#awaitReplicas(first, runId);
    });
  }

  #onFailed(transfers: readonly Transfer[], reply: Buffer): void {
    if (transfers.length === 1 || mayPass(reply)) {
      this.#finish(transfers, reply);
      return;
    }
    for (const transfer of transfers) this.#alone.add(transfer);
    this.#waiting.unshift(...transfers);
    this.#underWay--;
    this.#goOn();
  }

  /** The source is free for others meanwhile. */
  #awaitReplicas(transfer: Transfer, runId: string): void {
    this.#underWay--;
    this.#copied.push({ transfer, runId });
    if (!this.#confirming) this.#confirm();
    this.#goOn();
  }

  /** One WAIT for all that was copied before it. Of a replica that lags it may take longer than a client waits: the next one to ask for the key finds it gone. */
  #confirm(): void {
    const batch = this.#copied;
    this.#copied = [];
    const replicas = Math.max(...batch.map(({ transfer }) => transfer.replicas ?? 0));
    const backend = this.#options.loans.borrow(this.#to, 0, 2);
    if (Buffer.isBuffer(backend)) {
      for (const { transfer } of batch) this.#end(transfer, backend);
      return;
    }
    this.#confirming = true;
    const wait = encodeRequest(['WAIT', String(replicas), String(WAIT_MS)]);
    const request = asking((reply) => {
      this.#confirming = false;
      this.#options.loans.end(backend, true);
      const answer = reply[0] === MINUS || integerIn(reply) >= replicas ? reply : this.#unconfirmed(replicas);
      this.#onConfirmed(batch, answer, backend.runId);
      if (this.#copied.length > 0) this.#confirm();
    });
    backend.send(takeRequest(null, SINK_NOBODY), PING, 0, PING.length);
    backend.send(request, wait, 0, wait.length);
  }

  /** `by`: who says so. What was given to another process may be lost: a server that was restarted has what it had saved. */
  #onConfirmed(batch: readonly Copied[], reply: Buffer, by: string): void {
    for (const { transfer, runId } of batch) {
      if (reply[0] === MINUS) this.#end(transfer, reply);
      else if (runId !== by) this.#end(transfer, errorReply(`IOERR server ${this.#to.addr} was restarted since it was given the key`));
      else this.#delete(transfer);
    }
  }

  #unconfirmed(replicas: number): Buffer {
    return errorReply(`IOERR not all ${replicas} replicas of ${this.#to.addr} have confirmed the key`);
  }

  #delete(transfer: Transfer): void {
    this.#underWay++;
    const all = this.#andHanded(transfer.keys);
    this.#atSource([transfer], encodeRequest(['EVAL', GIVE_UP_SCRIPT, String(all.length), ...all]), (reply, run) => {
      if (reply[0] === MINUS) this.#finish([transfer], reply);
      else this.#note([transfer], reply, run);
    });
  }

  #andHanded(keys: readonly Buffer[]): (Buffer | string)[] {
    return [...keys, this.#keys.handed];
  }

  /** `run` has handed the keys over, and `reply` has the number of that, unless nothing is counted. */
  #note(transfers: readonly Transfer[], reply: Buffer, run: string): void {
    this.#underWay--;
    this.#goOn();
    const number = bulkIn(reply);
    if (number === null) {
      for (const transfer of transfers) this.#end(transfer, OK);
      return;
    }
    for (const transfer of transfers) this.#handed.push({ transfer, number, run });
    if (!this.#noting) this.#noteAll();
  }

  /** All that was handed over before it, by one process. */
  #noteAll(): void {
    const { run } = this.#handed[0] as Handed;
    const batch = this.#handed.filter((handed) => handed.run === run);
    this.#handed = this.#handed.filter((handed) => handed.run !== run);
    const backend = this.#to.backend(0, 2);
    if (backend === null) {
      for (const { transfer } of batch) this.#end(transfer, this.#unreachable());
      if (this.#handed.length > 0) this.#noteAll();
      return;
    }
    this.#noting = true;
    const notes = batch.flatMap(({ transfer: { db, keys }, number }) => keys.flatMap((key) => [number, nameOf(db, key)]));
    const { source, left } = this.#keys;
    const bytes = encodeRequest(['EVAL', NOTE_SCRIPT, '2', source, left, run, String(LEFT_KEYS_MAX), ...notes]);
    const slots = batch.map(({ transfer }) => transfer.slot);
    this.#send(slots, backend, bytes, (reply) => {
      this.#noting = false;
      for (const { transfer } of batch) this.#end(transfer, reply[0] === MINUS ? reply : OK);
      if (this.#handed.length > 0 && !this.#noting) this.#noteAll();
    });
  }

  /** `onReply` gets the process that ran it, too. */
  #atSource(transfers: readonly [Transfer, ...Transfer[]], bytes: Buffer, onReply: (reply: Buffer, run: string) => void): void {
    const [{ from, db, epoch }] = transfers;
    const backend: Backend | null = from.backend(db, 2);
    if (backend === null) {
      this.#finish(transfers, errorReply(`IOERR server ${from.addr}, which has the key, can't be reached (${from.lastError})`));
    } else if (this.#source === null) {
      this.#finish(transfers, errorReply(`SOURCE ${this.#to.addr} does not know the server that has the key`));
    } else if (!backend.isReady) {
      this.#finish(transfers, errorReply(`IOERR server ${from.addr}, which has the key, is being connected to`));
    } else if (backend.runId !== this.#source) {
      this.#finish(
        transfers,
        errorReply(`SOURCE ${from.addr} was started anew or replaced, and what it has is not known to be current yet`),
      );
    } else if (backend.epoch > epoch) {
      this.#finish(transfers, errorReply(`IOERR the connection to server ${from.addr}, which has the key, was replaced meanwhile`));
    } else
      this.#send(
        transfers.map(({ slot }) => slot),
        backend,
        bytes,
        (reply) => onReply(reply, backend.runId),
      );
  }

  #send(slots: readonly number[], backend: Backend, bytes: Buffer, onReply: (reply: Buffer) => void): void {
    const request = asking(onReply);
    // By itself too: it may outlive its transfers, when the connection is given up.
    request.slots = [...slots];
    for (const slot of slots) this.#options.inFlight.occupy(slot);
    backend.send(request, bytes, 0, bytes.length);
  }

  #finish(transfers: readonly Transfer[], reply: Buffer): void {
    this.#underWay--;
    for (const transfer of transfers) this.#end(transfer, reply);
    this.#goOn();
  }

  #end(transfer: Transfer, reply: Buffer): void {
    transfer.onEnd(reply);
    this.#options.inFlight.leaveSlot(transfer.slot);
  }
}

/** What an array of bulk strings holds, none of which has a line end; null for nil. */
function bulksIn(reply: Buffer): (string | null)[] {
  const found: (string | null)[] = [];
  const lines = reply.toString('latin1').split('\r\n');
  for (let at = 1; at < lines.length - 1; at++) found.push(lines[at] === '$-1' ? null : (lines[++at] ?? null));
  return found;
}

/** What a bulk string holds; null for the one that is nil, and for any other reply. */
function bulkIn(reply: Buffer): string | null {
  return reply.toString('latin1').split('\r\n')[1] || null;
}

/** Of a key, among those that have left. */
function nameOf(db: number, key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${db}:`), key]);
}
