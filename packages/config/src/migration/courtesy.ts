// How much of a source's time a move takes: all of it while no client asks for any, and less the more they ask, down to a sixteenth. What a source does for a move
// is done in pieces of milliseconds, and after each it is left alone for as long as its clients' share demands.
//
// While slots are migrating every key that clients ask for costs its source a hand-over of its own, once. So that is to be over soon: then the source is left alone for half of the
// time only, and for what is owed after it, before the next slots are locked.
//
// How much clients ask is seen by the commands that source and target count, without those that only moves send. The most of late counts: while a move is in their
// way clients ask less, and that must not look like room for more of it.

import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Requests a second of all clients, beside which a move takes half of the source's time; with less than a tenth of that, all of it. */
const HALF_SHARE_RATE = 3000;
const ALONE_RATE = HALF_SHARE_RATE / 10;
const LEAST_SHARE = 1 / 16;
/** Beyond this much, more makes no difference. */
const RATE_MAX = HALF_SHARE_RATE / LEAST_SHARE;
/** What was asked counts for half after so long. */
const HALF_LIFE_MS = 1000;
/** After so long nothing is known any more. */
const KNOWN_FOR_MS = 5000;
const FIRST_LOOK_MS = 50;
const LOOK_EVERY_MS = 500;
/** Shorter ones are put together. */
const LEAST_PAUSE_MS = 1;
/** While slots are migrating. */
const SHARE_IN_A_MOVE = 1 / 2;
/** Migrating slots cost with each request, and each batch of slots costs a pass over the source that proves it empty. With both as measured (a hand-over on demand 150 µs in all, a
 *  key in a batch 6 µs, in a pass 0.45 µs) this many slots by the root of the rate cost least, however many keys there are. */
const SLOTS_BY_ROOT_OF_RATE = 16_384;
/** That leaves out what a batch costs however few keys it has: locks, acks. No batch is kept smaller than this. */
const KEYS_AT_ONCE_MIN = 2000;
/** What the scripts of one hand-over on demand run besides TIME: GET and SET at the source, HGET, HDEL, ZADD and ZCARD at the target. Few others ask for TIME. */
const OWN_CALLS = 6;
/** What moves, proxies and dashboards send, and few clients. A client's script shows by the commands that it runs. */
const NOT_CLIENTS: ReadonlySet<string> = new Set(
  'auth client command config copy dump eval evalsha fcall hello info memory migrate object ping psync pttl replconf restore restore-asking role scan select type unlink wait'.split(
    ' ',
  ),
);

/** How much of the source's time a move may take while clients send so many requests a second; `stated` in percent, if the operator did. */
export function shareOf(clientsRate: number, stated: number | null): number {
  if (stated !== null) return stated / 100;
  if (clientsRate <= ALONE_RATE) return 1;
  return Math.max(LEAST_SHARE, HALF_SHARE_RATE / (HALF_SHARE_RATE + clientsRate));
}

/** How many commands of clients a server has served: from `INFO commandstats`. */
export function clientCalls(commandstats: string): number {
  let calls = 0;
  let handOversCount = 0;
  // Subcommands are counted by themselves: `memory|usage`.
  for (const [, command = '', count = ''] of commandstats.matchAll(/^cmdstat_([^:|\r\n]+)[^:\r\n]*:calls=(\d+)/gm)) {
    if (command === 'time') handOversCount += Number(count);
    else if (!NOT_CLIENTS.has(command)) calls += Number(count);
  }
  return calls - handOversCount * OWN_CALLS;
}

/** How many slots are best moved at once while clients send so many requests a second. */
export function slotsAtOnce(clientsRate: number, keysPerSlot: number): number {
  const best = SLOTS_BY_ROOT_OF_RATE / Math.sqrt(Math.max(1, clientsRate));
  return Math.ceil(Math.max(best, KEYS_AT_ONCE_MIN / Math.max(1, keysPerSlot)));
}

interface Count {
  readonly calls: number;
  readonly atMs: number;
  /** When it is to be counted again. */
  readonly nextAtMs: number;
}

/** What is known of the clients of one server. Outlives the connections that it is seen on. */
export class Courtesy {
  /** For how long the server is still to be left alone. */
  owedMs = 0;
  #paidUntilMs = Number.NEGATIVE_INFINITY;
  /** What was counted last, by the addresses of those that were asked. */
  readonly counted = new Map<string, Count>();
  /** Requests a second, and when that was. Until somebody has looked it is assumed that there are some. */
  #most = HALF_SHARE_RATE;
  #mostAtMs = Number.NEGATIVE_INFINITY;

  /** Clients ask for `rate` a second now, or would if no move was in their way. */
  seen(rate: number): void {
    const isKnown = performance.now() - this.#mostAtMs < KNOWN_FOR_MS;
    this.#most = Math.min(RATE_MAX, Math.max(rate, isKnown ? this.rate : 0));
    this.#mostAtMs = performance.now();
  }

  /** It was left alone from then until now; several who wait at one time count once. */
  leftAloneFrom(fromMs: number): void {
    const nowMs = performance.now();
    this.owedMs -= nowMs - Math.max(fromMs, this.#paidUntilMs);
    this.#paidUntilMs = nowMs;
  }

  get rate(): number {
    const passedMs = performance.now() - this.#mostAtMs;
    if (passedMs > KNOWN_FOR_MS) return HALF_SHARE_RATE;
    return this.#most * 0.5 ** (passedMs / HALF_LIFE_MS);
  }
}

export interface GuestOptions {
  /** Connections to the source and whoever else is kept busy. */
  readonly servers: readonly Redis[];
  /** The share that the operator wants, in percent; null for what clients leave. */
  readonly stated: () => number | null;
  readonly signal: AbortSignal;
  /** What was sent to `servers` that looks like clients' and is not, so far. */
  readonly ownCalls?: () => number;
  /** Slots of the source are migrating: what is owed beyond half of the time is paid after that, by whoever calls `settle`. */
  readonly isInMove?: boolean;
}

/** Something that a move does at a source. */
export class Guest {
  readonly #courtesy: Courtesy;
  readonly #options: GuestOptions;
  readonly #asked: string;
  #owedMs = 0;

  constructor(courtesy: Courtesy, options: GuestOptions) {
    this.#courtesy = courtesy;
    this.#options = options;
    this.#asked = options.servers.map(({ options: { host, port } }) => `${host}:${port}`).join(' ');
  }

  /** Whether nobody would notice if the source were kept busy all the time. */
  get isAlone(): boolean {
    return this.#share === 1;
  }

  get #share(): number {
    return shareOf(this.#courtesy.rate, this.#options.stated());
  }

  /** Waits, after something that took the source `tookMs`. Rejects when the signal is aborted, and with what a broken connection throws. */
  async rest(tookMs: number): Promise<void> {
    await this.#look();
    const share = this.#share;
    const shareNow = this.#options.isInMove && this.#options.stated() === null ? Math.max(share, SHARE_IN_A_MOVE) : share;
    this.#courtesy.owedMs += tookMs * (1 / share - 1 / shareNow);
    this.#owedMs = share === 1 ? 0 : this.#owedMs + tookMs * (1 / shareNow - 1);
    if (this.#owedMs >= LEAST_PAUSE_MS) this.#owedMs -= await this.#pause(this.#owedMs);
  }

  /** Waits for as long as moves owe the source, unless its clients go away. Rejects as `rest`. */
  async settle(): Promise<void> {
    const courtesy = this.#courtesy;
    while (courtesy.owedMs >= LEAST_PAUSE_MS) {
      await this.#look();
      if (this.isAlone) {
        courtesy.owedMs = 0;
        return;
      }
      const startedMs = performance.now();
      await this.#pause(Math.min(courtesy.owedMs, LOOK_EVERY_MS));
      courtesy.leftAloneFrom(startedMs);
    }
  }

  /** Returns how long it took. */
  async #pause(forMs: number): Promise<number> {
    const startedMs = performance.now();
    await pause(forMs, undefined, { signal: this.#options.signal });
    return performance.now() - startedMs;
  }

  /** Now and then looks at what clients ask for. */
  async #look(): Promise<void> {
    const { counted } = this.#courtesy;
    const nowMs = performance.now();
    const last = counted.get(this.#asked);
    if (last !== undefined && nowMs < last.nextAtMs) return;
    const stats = await Promise.all(this.#options.servers.map((redis) => redis.info('commandstats')));
    const calls = stats.reduce((sum, text) => sum + clientCalls(text), 0) - (this.#options.ownCalls?.() ?? 0);
    const isRecent = last !== undefined && nowMs - last.atMs < KNOWN_FOR_MS;
    if (isRecent) this.#courtesy.seen(Math.max(0, calls - last.calls) / ((nowMs - last.atMs) / 1000));
    counted.set(this.#asked, { calls, atMs: nowMs, nextAtMs: nowMs + (isRecent ? LOOK_EVERY_MS : FIRST_LOOK_MS) });
  }
}
