// Latency events of one worker, as Redis's latency monitor keeps them: per event the worst sample of each second in which there was one, the last 160 of these.
//
//   event-loop   the worker did nothing for so long but one thing: everybody waited
//   command      a request took so long, all told
//   move-hold    a request was held so long for a slot in a move

export interface LatencyEvent {
  /** Unix time in seconds, and milliseconds; oldest first. */
  readonly samples: readonly (readonly [time: number, ms: number])[];
  /** The worst there ever was. */
  readonly max: number;
}

export type LatencyEvents = Readonly<Record<string, LatencyEvent>>;
export type EventName = 'event-loop' | 'command' | 'move-hold';

/** Source: latency.h. */
const SAMPLES_MAX = 160;

export class LatencyMonitor {
  readonly #thresholdMs: number;
  readonly #events = new Map<string, { samples: [time: number, ms: number][]; max: number }>();

  /** What takes less than `thresholdMs` is no event; 0 for none at all. */
  constructor(thresholdMs: number) {
    this.#thresholdMs = thresholdMs;
  }

  record(name: EventName, ms: number): void {
    if (this.#thresholdMs === 0 || ms < this.#thresholdMs) return;
    const sample = Math.floor(ms);
    const time = Math.floor(Date.now() / 1000);
    const event = this.#events.get(name) ?? { samples: [], max: 0 };
    this.#events.set(name, event);
    event.max = Math.max(event.max, sample);
    const last = event.samples.at(-1);
    if (last !== undefined && last[0] === time) last[1] = Math.max(last[1], sample);
    else if (event.samples.push([time, sample]) > SAMPLES_MAX) event.samples.shift();
  }

  events(): LatencyEvents {
    return Object.fromEntries(this.#events);
  }

  /** Forgets these events, or all; returns those there were. */
  reset(names: readonly string[]): string[] {
    const there = names.length === 0 ? [...this.#events.keys()] : names.filter((name) => this.#events.has(name));
    for (const name of there) this.#events.delete(name);
    return there;
  }
}

/** The events of several workers as one: of a second that several have a sample of, the worst. */
export function mergeEvents(all: readonly LatencyEvents[]): Map<string, LatencyEvent> {
  const merged = new Map<string, { worst: Map<number, number>; max: number }>();
  for (const [name, event] of all.flatMap((events) => Object.entries(events))) {
    const into = merged.get(name) ?? { worst: new Map<number, number>(), max: 0 };
    merged.set(name, into);
    into.max = Math.max(into.max, event.max);
    for (const [time, ms] of event.samples) into.worst.set(time, Math.max(ms, into.worst.get(time) ?? 0));
  }
  const events = new Map<string, LatencyEvent>();
  for (const [name, { worst, max }] of merged) {
    const samples = [...worst].sort(([a], [b]) => a - b).slice(-SAMPLES_MAX);
    events.set(name, { samples, max });
  }
  return events;
}
