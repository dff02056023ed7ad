// Which keys clients ask for most. Of about SAMPLE_EVERY requests one is looked at, and one of its keys is counted for all of them; the others pay for counting
// down to it, and nothing else. The gaps are random: clients that repeat a pattern would else be met at the same place of it each time.
//
// Two lists are filled side by side and begun anew in turn, at each half of a minute: so the older one covers the last WINDOW_MS, and up to twice that, unless the
// worker has just begun; and the one that ends with a minute is that whole minute, which is kept until the next.
//
//   12:00:00    12:00:30    12:01:00    12:01:30
//   └──────── kept: 12:00 ──┘──────── kept: 12:01 …
//               └───────────────────────┘

import type { Command } from '../commands/command.ts';
import { extractKeys, KEYS_BAD, keyArgs } from '../commands/key-specs.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { TopKeys } from './top-keys.ts';

export const SAMPLE_EVERY = 256;
const COUNTERS = 128;
const WINDOW_MS = 30_000;
/** Longer names are not kept; who has such keys is told that they are not looked at. */
export const KEY_BYTES_MAX = 1024;
const SECOND_MS = 1000;
/** Channels look like keys to a command’s description, and are none. */
const ASKS_FOR_KEYS: ReadonlySet<Command['class']['kind']> = new Set(['slot', 'split', 'blocking', 'script']);

/** What one worker has seen. */
export interface HotKeysSeen {
  /** Over so many seconds so many keys were looked at, each for about SAMPLE_EVERY requests. */
  readonly seconds: number;
  readonly sampled: number;
  readonly keys: readonly {
    /** A character for each byte. */
    readonly key: string;
    readonly db: number;
    readonly count: number;
    readonly over: number;
  }[];
}

/** What one worker has seen of a minute that is over. */
export interface HotMinuteSeen extends HotKeysSeen {
  /** Minutes since 1970, by the clock of this machine. */
  readonly minute: number;
}

export class HotKeys {
  /** HOT PATH counts this down, and calls `sample` when it comes to 0. */
  left = nextGap();
  #older = new TopKeys(COUNTERS);
  #newer = new TopKeys(COUNTERS);
  #olderAt: number;
  #newerAt: number;
  /** Halves of minutes since 1970. */
  #half: number;
  /** The newest minute that is over; null before the first. */
  lastMinute: HotMinuteSeen | null = null;

  /** `now`: by the coarse clock, as for `tick`; `time`: of day. */
  constructor(now: number, time = Date.now()) {
    this.#olderAt = now;
    this.#newerAt = now;
    this.#half = Math.floor(time / WINDOW_MS);
  }

  /** Looks at one key of a request, whichever it is. */
  sample(command: Command, frame: Frame, db: number): void {
    this.left = nextGap();
    if (!ASKS_FOR_KEYS.has(command.class.kind)) return;
    if (extractKeys(command.keys, frame) === KEYS_BAD || keyArgs.count === 0) return;
    const arg = (keyArgs.list[Math.floor(Math.random() * keyArgs.count)] as number) * 2;
    const start = frame.args[arg] as number;
    const end = frame.args[arg + 1] as number;
    if (end - start > KEY_BYTES_MAX) return;
    const name = `${db} ${frame.buf.toString('latin1', start, end)}`;
    this.#older.add(name, keyArgs.count);
    this.#newer.add(name, keyArgs.count);
  }

  /** Once a second. */
  tick(now: number, time = Date.now()): void {
    const half = Math.floor(time / WINDOW_MS);
    if (half === this.#half) return;
    if (half % 2 === 0) this.lastMinute = { minute: half / 2 - 1, ...this.read(now) };
    this.#half = half;
    this.#older = this.#newer;
    this.#olderAt = this.#newerAt;
    this.#newer = new TopKeys(COUNTERS);
    this.#newerAt = now;
  }

  read(now = performance.now()): HotKeysSeen {
    const keys = this.#older.entries().map(({ key: name, ...counted }) => {
      const space = name.indexOf(' ');
      return { key: name.slice(space + 1), db: Number(name.slice(0, space)), ...counted };
    });
    return { seconds: Math.max((now - this.#olderAt) / SECOND_MS, 1), sampled: this.#older.total, keys };
  }
}

/** 1 to 2 × SAMPLE_EVERY - 1, on average SAMPLE_EVERY. */
function nextGap(): number {
  return 1 + Math.floor(Math.random() * (2 * SAMPLE_EVERY - 1));
}
