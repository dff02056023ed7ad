// A member of the cluster: one process, started until it answers, and started again when it dies.
//
//   start() ──answers──▶ up ──ends by itself──▶ down ──back-off──▶ up …        close() from anywhere
//
// Invariant: after close() there is no process, and none will be started.

import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Child, type Command, tailOf } from './child.ts';
import { StartCancelled, StartFailure } from './failure.ts';

const PROBE_EVERY_MS = 50;
const BACK_OFF_MIN_MS = 1000;
const BACK_OFF_MAX_MS = 30_000;

export interface MemberPlan {
  /** In words, with its address: `proxy_1 (127.0.0.1:19000)`. */
  readonly title: string;
  /** Absolute. */
  readonly log: string;
  /** Asked before every start, since what to run may depend on the topology of the moment. */
  command(): Promise<Command>;
  /** Whether it does its work. */
  answers(): Promise<boolean>;
  readonly startTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** For a program that may refuse to end at one moment and not at the next. */
  readonly askAgainMs?: number;
}

export class Member {
  readonly plan: MemberPlan;
  readonly #say: (text: string) => void;
  readonly #closing = new AbortController();
  #child: Child | null = null;
  #watch: Promise<void> = Promise.resolve();

  constructor(plan: MemberPlan, say: (text: string) => void) {
    this.plan = plan;
    this.#say = say;
  }

  /** Resolves once it answers. Throws StartFailure with the end of its log, StartCancelled after close(). */
  async start(): Promise<void> {
    const { log } = this.plan;
    if (existsSync(log)) renameSync(log, `${log}.1`);
    const child = await this.#spawn();
    await this.#untilItAnswers(child);
    this.#watch = this.#keepUp(child);
  }

  /** Gives whether it ended by itself in time; otherwise it was killed. */
  async close(): Promise<boolean> {
    this.#closing.abort();
    const inTime = (await this.#child?.stop(this.plan.stopTimeoutMs, this.plan.askAgainMs)) ?? true;
    await this.#watch;
    return inTime;
  }

  kill(): void {
    this.#closing.abort();
    this.#child?.signal('SIGKILL');
  }

  async #spawn(): Promise<Child> {
    const command = await this.plan.command();
    if (this.#closing.signal.aborted) throw new StartCancelled();
    this.#child = new Child(command, this.plan.log);
    return this.#child;
  }

  async #untilItAnswers(child: Child): Promise<void> {
    const deadline = performance.now() + this.plan.startTimeoutMs;
    while (!(await this.plan.answers())) {
      if (this.#closing.signal.aborted) throw new StartCancelled();
      if (!child.running) throw this.#failure(`ended ${await child.ended} instead of starting`);
      if (performance.now() > deadline) throw this.#failure(`did not answer within ${this.plan.startTimeoutMs / 1000} seconds`);
      await Promise.race([child.ended, delay(PROBE_EVERY_MS)]);
    }
    if (!child.running) throw this.#failure(`ended ${await child.ended} instead of starting; something else answers in its place`);
  }

  #failure(what: string): StartFailure {
    return new StartFailure(`${this.plan.title} ${what}. Its log, ${this.plan.log}, ends:\n${tailOf(this.plan.log)}`);
  }

  /** Never rejects: what goes wrong is said, and tried again later. */
  async #keepUp(first: Child): Promise<void> {
    let child = first;
    let backOffMs = BACK_OFF_MIN_MS;
    for (;;) {
      const upSince = performance.now();
      const how = await child.ended;
      if (this.#closing.signal.aborted) return;
      if (performance.now() - upSince > BACK_OFF_MAX_MS) backOffMs = BACK_OFF_MIN_MS;
      this.#say(
        `${this.plan.title} ended ${how}; starting it again in ${backOffMs / 1000} s. Its log, ${this.plan.log}, ends:\n${tailOf(this.plan.log)}`,
      );
      child = await this.#again(child, backOffMs);
      backOffMs = Math.min(backOffMs * 2, BACK_OFF_MAX_MS);
    }
  }

  /** The next child, also one that does not answer yet; `last` when none could be started. */
  async #again(last: Child, backOffMs: number): Promise<Child> {
    await Promise.race([delay(backOffMs), aborted(this.#closing.signal)]);
    try {
      const child = await this.#spawn();
      await this.#untilItAnswers(child);
      this.#say(`${this.plan.title} is back.`);
    } catch (error) {
      // One that ended is reported by who waits for its end.
      const reported = error instanceof StartCancelled || (error instanceof StartFailure && this.#child?.running === false);
      if (!reported) this.#say(error instanceof Error ? error.message : String(error));
    }
    return this.#child ?? last;
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, 'abort');
}
