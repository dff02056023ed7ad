// Having a source hand keys to a target, step by step:
//
//   the target answers PING ──▶ script at the source ──▶ done
//                                    └ durable: ──▶ WAIT at the target ──▶ UNLINK at the source ──▶ done
//
// A source does nothing else while it hands over, so a target that hangs would stop it for a time-out with each script. Hence few scripts are under way between two
// servers at a time, and none is sent unless the target has answered just now.
//
// Invariant: a transfer counts as in flight for its slot from `start` until its end, between its steps too: nothing of it runs after the slot was handed on. In
// a durable move nothing is deleted at the source that a replica of the target lacks.

import { HAND_OVER_SCRIPT, parseAddr } from '@codis/config/model';
import { encodeRequest, errorReply, OK } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import { asking } from './claim.ts';
import type { Clock } from './clock.ts';
import type { InFlight } from './in-flight.ts';
import type { Loans } from './loans.ts';
import { SINK_NOBODY, takeRequest } from './request.ts';
import type { Server } from './server.ts';
import { integerIn } from './split.ts';

export interface Transfer {
  readonly from: Server;
  readonly to: Server;
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
const PING = encodeRequest(['PING']);

export class Transfers {
  readonly #options: TransferOptions;
  readonly #paths = new Map<Server, Map<Server, Path>>();

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  start(transfer: Transfer): void {
    this.#options.inFlight.enter(transfer.slot);
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

  #path({ from, to }: Transfer): Path {
    const paths = this.#paths.get(from) ?? new Map<Server, Path>();
    this.#paths.set(from, paths);
    const path = paths.get(to) ?? new Path(this.#options, to);
    paths.set(to, path);
    return path;
  }
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
  #waiting: Transfer[] = [];
  /** At the source. */
  #underWay = 0;
  /** Copies that nobody has asked the replicas about yet. */
  #copied: Copied[] = [];
  #confirming = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** The question that the target was asked last, and when; null once it was answered or given up. */
  #question: { readonly askedAt: number } | null = null;

  constructor(options: TransferOptions, to: Server) {
    this.#options = options;
    this.#to = to;
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#waiting.length === 0 && this.#question === null && !this.#confirming;
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
  }

  #goOn(): void {
    while (this.#underWay < UNDER_WAY_MAX && this.#waiting.length > 0) {
      if (this.#options.clock.now - this.#answeredAt > ANSWER_GOOD_MS) {
        this.#ask();
        return;
      }
      this.#underWay++;
      this.#handOver(this.#waiting.shift() as Transfer);
    }
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
      if (reply[0] !== 0x2d) this.#answeredAt = this.#options.clock.now;
      else if (!isLate) this.#failWaiting(this.#unreachable());
      this.#goOn();
    });
    backend.send(request, PING, 0, PING.length);
  }

  #unreachable(): Buffer {
    return errorReply(`IOERR server ${this.#to.addr}, where the key moves, can't be reached (${this.#to.lastError})`);
  }

  #failWaiting(reply: Buffer): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const transfer of waiting) this.#end(transfer, reply);
  }

  #handOver(transfer: Transfer): void {
    const { db, keys, replicas } = transfer;
    const { host, port } = parseAddr(this.#to.addr);
    const copy = replicas === null ? '' : 'COPY';
    const runId = this.#to.backend(0, 2)?.runId ?? '';
    const args = [host, String(port), String(db), String(MIGRATE_TIMEOUT_MS), this.#options.password, copy];
    this.#atSource(transfer, encodeRequest(['EVAL', HAND_OVER_SCRIPT, String(keys.length), ...keys, ...args]), (reply) => {
      if (reply[0] === 0x2d || replicas === null) this.#finish(transfer, reply);
      else this.#awaitReplicas(transfer, runId);
    });
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
      const answer = reply[0] === 0x2d || integerIn(reply) >= replicas ? reply : this.#unconfirmed(replicas);
      this.#onConfirmed(batch, answer, backend.runId);
      if (this.#copied.length > 0) this.#confirm();
    });
    backend.send(takeRequest(null, SINK_NOBODY), PING, 0, PING.length);
    backend.send(request, wait, 0, wait.length);
  }

  /** `by`: who says so. What was given to another process may be lost: a server that was restarted has what it had saved. */
  #onConfirmed(batch: readonly Copied[], reply: Buffer, by: string): void {
    for (const { transfer, runId } of batch) {
      if (reply[0] === 0x2d) this.#end(transfer, reply);
      else if (runId !== by) this.#end(transfer, errorReply(`IOERR server ${this.#to.addr} was restarted since it was given the key`));
      else this.#delete(transfer);
    }
  }

  #unconfirmed(replicas: number): Buffer {
    return errorReply(`IOERR not all ${replicas} replicas of ${this.#to.addr} have confirmed the key`);
  }

  #delete(transfer: Transfer): void {
    this.#underWay++;
    this.#atSource(transfer, encodeRequest(['UNLINK', ...transfer.keys]), (reply) => {
      this.#finish(transfer, reply[0] === 0x2d ? reply : OK);
    });
  }

  #atSource(transfer: Transfer, bytes: Buffer, onReply: (reply: Buffer) => void): void {
    const { from, db } = transfer;
    const backend: Backend | null = from.backend(db, 2);
    if (backend === null) {
      this.#finish(transfer, errorReply(`IOERR server ${from.addr}, which has the key, can't be reached (${from.lastError})`));
      return;
    }
    if (backend.epoch > transfer.epoch) {
      this.#finish(transfer, errorReply(`IOERR the connection to server ${from.addr}, which has the key, was replaced meanwhile`));
      return;
    }
    backend.send(asking(onReply), bytes, 0, bytes.length);
  }

  #finish(transfer: Transfer, reply: Buffer): void {
    this.#underWay--;
    this.#end(transfer, reply);
    this.#goOn();
  }

  #end(transfer: Transfer, reply: Buffer): void {
    transfer.onEnd(reply);
    this.#options.inFlight.leaveSlot(transfer.slot);
  }
}
