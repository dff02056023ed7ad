// How long requests took, from when their bytes were read to when the whole reply was here: per command a sum and a histogram by powers of two, and a
// closer look at each one that was slow. Counted in the worker; the primary and the other workers ask for them.
//
// Costs the common path one time stamp per read, and per request two comparisons and an addition: what is slow is looked at when it is known to be.

import { COMMANDS, type Command, INDEX_COUNT } from '../commands/command.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { RecentInput } from './recent-input.ts';
import type { Request } from './request.ts';
import type { Session } from './session.ts';

/** Histogram buckets per command: bucket b counts what took less than 2^b microseconds and not less than half of that. */
export const BUCKETS = 32;
const NEVER = 2 ** 31 - 1;
/** When everything is slow, looking at each would make it slower, and the slow log keeps no more. */
const LOOKS_PER_TICK = 128;

/** Microseconds since the process began, as a small integer that wraps: only differences mean something. A double would be an object per request. */
export function micros(): number {
  return (performance.now() * 1000) | 0;
}

/** A request that was slow, and how it spent its time. `frame` begins with it and goes on with whatever came behind it; null when that is gone. Valid
 *  during the call only. */
export interface SlowRequest {
  readonly session: Session | null;
  readonly command: Command;
  readonly frame: Buffer | null;
  readonly micros: number;
  /** Of `micros`: in the proxy before it was sent; held for a slot in a move; at the server, and on the way. */
  readonly stages: { readonly proxy: number; readonly held: number; readonly server: number };
}

export class Timings {
  /** Where slow requests are looked up. */
  readonly input = new RecentInput();
  /** By Command.index. */
  readonly micros = new Float64Array(INDEX_COUNT);
  /** Error replies to requests that were carried out, and those that were refused before. */
  readonly failed = new Float64Array(INDEX_COUNT);
  readonly rejected = new Float64Array(INDEX_COUNT);
  readonly histograms = new Float64Array(INDEX_COUNT * BUCKETS);
  /** Of the requests that SLOWLOG has seen: how many, and their microseconds by stage. */
  slowRequests = 0;
  readonly slowMicros = { proxy: 0, held: 0, server: 0 };
  /** Slow ones that were only counted. */
  slowUnseen = 0;
  /** How many may still be looked at before the next `tick`. */
  #looks = LOOKS_PER_TICK;
  #slowAfter = NEVER;
  #onSlow: (slow: SlowRequest) => void = () => undefined;

  /** Calls `onSlow` for each request that takes at least `slowAfterMicros`. */
  watch(slowAfterMicros: number, onSlow: (slow: SlowRequest) => void): void {
    this.#slowAfter = Math.min(slowAfterMicros, NEVER);
    this.#onSlow = onSlow;
  }

  /** HOT PATH. Whether what took so long wants to be looked at (`onSlow`). */
  isSlow(took: number): boolean {
    return (took | 0) >= this.#slowAfter;
  }

  /** HOT PATH when all is slow. Whether a slow request is to be looked at; those beyond LOOKS_PER_TICK are counted only. */
  looks(): boolean {
    if (this.#looks === 0) {
      this.slowUnseen++;
      return false;
    }
    this.#looks--;
    return true;
  }

  /** Once in a while: more may be looked at. */
  tick(): void {
    this.#looks = LOOKS_PER_TICK;
  }

  /** The whole reply to a client's request is here, at `now` (`micros`). True when it was slow: then `onSlow` wants to know more. */
  done(request: Request, now: number): boolean {
    const command = request.command;
    if (command === null) return false;
    const took = now - request.readAt;
    this.add(command, took);
    return this.isSlow(took) && this.looks();
  }

  /** `sentAt`: when it left for its server; null when that was at once. */
  onSlow(request: Request, now: number, sentAt: number | null): void {
    const { session, command } = request;
    if (command === null) return;
    const frame = this.input.from(request.inputAt);
    const took = (now - request.readAt) | 0;
    const held = Math.min(request.heldMicros, took);
    const waited = sentAt === null ? 0 : Math.min(Math.max((sentAt - request.readAt) | 0, 0), took);
    const proxy = Math.max(waited - held, 0);
    this.#onSlow({ session, command, frame, micros: took, stages: { proxy, held, server: took - held - proxy } });
  }

  /** A request that the proxy answers itself, in the turn it came or later. */
  answered(request: Request, failed: boolean): void {
    const now = micros();
    if (failed) this.onFailed(request.command);
    if (this.done(request, now)) this.onSlow(request, now, null);
  }

  /** `session` was answered by the proxy alone, at once. */
  local(session: Session, command: Command, frame: Frame, failed: boolean): void {
    const took = (micros() - session.readAt) | 0;
    this.add(command, took);
    if (failed) this.onFailed(command);
    if (took < this.#slowAfter || !this.looks()) return;
    const bytes = frame.buf.subarray(frame.start, frame.end);
    this.#onSlow({ session, command, frame: bytes, micros: took, stages: { proxy: took, held: 0, server: 0 } });
  }

  /** Counts `count` requests that took so long, in `micros`. */
  add(command: Command, took: number, count = 1): void {
    const index = command.index;
    const micros = Math.max(took | 0, 0);
    this.micros[index] = (this.micros[index] as number) + micros * count;
    const bucket = index * BUCKETS + 32 - Math.clz32(micros);
    this.histograms[bucket] = (this.histograms[bucket] as number) + count;
  }

  onFailed(command: Command | null): void {
    if (command !== null) this.failed[command.index] = (this.failed[command.index] as number) + 1;
  }

  onRejected(command: Command | null): void {
    if (command !== null) this.rejected[command.index] = (this.rejected[command.index] as number) + 1;
  }

  countSlow({ stages }: SlowRequest): void {
    this.slowRequests++;
    this.slowMicros.proxy += stages.proxy;
    this.slowMicros.held += stages.held;
    this.slowMicros.server += stages.server;
  }

  /** All commands that are answered as soon as can be, as one: those that block on purpose would say nothing of how fast it is. */
  latency(): { readonly latency: number[]; readonly latencyMicros: number } {
    const latency = new Array<number>(BUCKETS).fill(0);
    let latencyMicros = 0;
    for (const { flags, index } of COMMANDS) {
      if (flags.includes('blocking')) continue;
      latencyMicros += this.micros[index] as number;
      for (let bucket = 0; bucket < BUCKETS; bucket++) {
        latency[bucket] = (latency[bucket] as number) + (this.histograms[index * BUCKETS + bucket] as number);
      }
    }
    return { latency, latencyMicros };
  }

  /** CONFIG RESETSTAT. */
  reset(): void {
    for (const counts of [this.micros, this.failed, this.rejected, this.histograms]) counts.fill(0);
  }
}
