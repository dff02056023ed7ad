// Which clients of this worker ask the most. Each counts its requests (`Session.requests`); how many there were lately comes from marks that are set every
// few seconds, so that the data path pays for the counter and nothing else.

import type { Session } from './session.ts';

/** A client as the admin address shows it. Texts are what the client said of itself. */
export interface ClientEntry {
  readonly id: number;
  readonly addr: string;
  readonly name: string;
  readonly db: number;
  readonly ageSeconds: number;
  readonly idleSeconds: number;
  /** Since it connected, and lately. */
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** The last one; null: none yet. */
  readonly command: string | null;
  /** Of a request that is not all there yet, and of replies that wait for it to read. */
  readonly inputBytes: number;
  readonly waitingBytes: number;
}

export interface BusiestClients {
  /** All that are connected. */
  readonly count: number;
  /** The busiest lately, first. */
  readonly clients: readonly ClientEntry[];
}

const SECOND_MS = 1000;
/** Between two marks; a rate is over this, and up to twice as long. */
const MARK_MS = 5000;

export class ClientRates {
  readonly #sessions: ReadonlySet<Session>;
  /** When the marks were set, by the coarse clock. */
  #olderAt: number;
  #newerAt: number;

  constructor(sessions: ReadonlySet<Session>, now: number) {
    this.#sessions = sessions;
    this.#olderAt = now;
    this.#newerAt = now;
  }

  /** Once a second. */
  tick(now: number): void {
    if (now - this.#newerAt < MARK_MS) return;
    this.#olderAt = this.#newerAt;
    this.#newerAt = now;
    for (const session of this.#sessions) {
      session.marks.older = session.marks.newer;
      session.marks.newer = session.requests;
    }
  }

  busiest(count: number, now = performance.now()): BusiestClients {
    const rated = [...this.#sessions].map((session) => ({ session, rate: this.#rateOf(session, now) }));
    rated.sort((a, b) => b.rate - a.rate || b.session.requests - a.session.requests || a.session.id - b.session.id);
    return { count: rated.length, clients: rated.slice(0, count).map(({ session, rate }) => entryOf(session, rate, now)) };
  }

  #rateOf(session: Session, now: number): number {
    const from = Math.max(this.#olderAt, session.startedAt);
    return (session.requests - session.marks.older) / Math.max((now - from) / SECOND_MS, 1);
  }
}

function entryOf(session: Session, rate: number, now: number): ClientEntry {
  const seconds = (since: number) => Math.floor(Math.max(0, now - since) / SECOND_MS);
  return {
    id: session.id,
    addr: session.addr,
    name: session.name,
    db: session.db,
    ageSeconds: seconds(session.startedAt),
    idleSeconds: seconds(session.activeAt),
    requests: session.requests,
    requestsPerSecond: Math.round(rate * 10) / 10,
    command: session.command?.name ?? null,
    inputBytes: session.inputBytes,
    waitingBytes: session.waitingBytes,
  };
}

/** Those of all workers together. */
export function mergeBusiest(all: readonly BusiestClients[], count: number): BusiestClients {
  const clients = all.flatMap((each) => each.clients);
  return {
    count: all.reduce((sum, each) => sum + each.count, 0),
    clients: clients.sort((a, b) => b.requestsPerSecond - a.requestsPerSecond || b.requests - a.requests || a.id - b.id).slice(0, count),
  };
}
