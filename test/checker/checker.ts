// Clients with an oracle. Each actor owns keys of every kind, of which it knows what they must hold; queues and locks are used by all. Every command goes
// through another proxy, so what was written through one is read through another. A violation is a sentence; a test wants none.
//
// An actor does one thing at a time. A command that was refused is tried again later, with other values.

import { setTimeout as pause } from 'node:timers/promises';
import { Connection } from './connection.ts';
import { count, fieldCount, score } from './kinds/counter.ts';
import { intersection } from './kinds/intersection.ts';
import { below, coin, type MakeKind, type MakeSharedKind, type OwnedKind, type SharedKind } from './kinds/kind.ts';
import { list, stream } from './kinds/list.ts';
import { lock } from './kinds/lock.ts';
import { queue } from './kinds/queue.ts';
import { expiring, field, spread, text, toggled } from './kinds/register.ts';
import { transaction, transfer } from './kinds/twins.ts';
import type { Ask, Command, Outcome } from './outcome.ts';

const OWNED: Readonly<Record<string, MakeKind>> = {
  text,
  field,
  expiring,
  toggled,
  spread,
  count,
  fieldCount,
  score,
  list,
  stream,
  intersection,
  transfer,
  transaction,
};
const SHARED: Readonly<Record<string, MakeSharedKind>> = { queue, lock };

export interface CheckerOptions {
  /** Where the proxies listen; more may come (`addProxy`). */
  readonly ports: readonly number[];
  /** An actor is in one of them. */
  readonly databases?: readonly number[];
  readonly actors?: number;
  /** How many keys of each kind an actor owns, and how many of each shared kind there are per database. */
  readonly keysPerActor?: number;
  readonly sharedKeys?: number;
  readonly patienceMs?: number;
  /** Counts as done only what this many replicas of each group have: what a promotion may not lose. */
  readonly replicas?: number;
  /** How long they may take. */
  readonly replicasMs?: number;
}

interface Actor {
  readonly connections: Connection[];
  readonly ask: Ask;
  readonly owned: readonly OwnedKind[];
  readonly shared: readonly SharedKind[];
  done: number;
}

const BACK_OFF_MS = 10;
const VIOLATIONS_MAX = 20;
const INSIST_MS = 10_000;
/** The share of shared keys in what is done, and of reads of what an actor owns. */
const SHARED_SHARE = 0.3;
const READ_SHARE = 0.4;

export class Checker {
  readonly violations: string[] = [];
  readonly outcomes = { done: 0, refused: 0, unknown: 0, wrong: 0 };
  /** Why commands were not done, and how often. */
  readonly reasons = new Map<string, number>();
  readonly #options: Required<CheckerOptions>;
  readonly #actors: Actor[] = [];
  /** By database. */
  readonly #shared: SharedKind[][] = [];
  #running = false;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(options: CheckerOptions) {
    this.#options = {
      databases: [0],
      actors: 16,
      keysPerActor: 2,
      sharedKeys: 4,
      patienceMs: 5000,
      replicas: 0,
      replicasMs: 1000,
      ...options,
    };
    const { actors, databases } = this.#options;
    for (const db of databases) this.#shared.push(this.#makeShared(db));
    for (let number = 0; number < actors; number++) this.#actors.push(this.#makeActor(number));
  }

  /** Tries every key once, so that there is something to move. */
  async fill(): Promise<void> {
    await this.#each(async ({ owned, ask }) => {
      for (const kind of owned) await kind.write(ask);
    });
  }

  start(): void {
    this.#running = true;
    this.#ended = this.#each((actor) => this.#act(actor));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  /** What is looked at in the end must be there to be looked at. */
  #insisting(ask: Ask): Ask {
    const insist = async (attempt: () => Promise<Outcome>): Promise<Outcome> => {
      const until = performance.now() + INSIST_MS;
      for (;;) {
        const outcome = await attempt();
        if (outcome.kind === 'done') return outcome;
        if (performance.now() < until) continue;
        this.#complain('in the end', `it can't be looked at: ${outcome.why}`);
        return outcome;
      }
    };
    return Object.assign((...command: Command) => insist(() => ask(...command)), {
      transaction: (...commands: Command[]) => insist(() => ask.transaction(...commands)),
    });
  }

  /** A proxy has joined: it gets its share from now on. */
  addProxy(port: number): void {
    for (const [number, { connections }] of this.#actors.entries()) connections.push(this.#connect(port, this.#dbOf(number)));
  }

  /** Resolves once every actor had something done after the call, which shows that all goes on. */
  progress(): { readonly isMade: () => boolean } {
    const before = this.#actors.map(({ done }) => done);
    return { isMade: () => this.#actors.every(({ done }, at) => done > (before[at] as number)) };
  }

  /** When nobody acts any more and all faults are mended: looks at everything, through every proxy. */
  async verify(): Promise<void> {
    await this.#each(async ({ owned, connections }) => {
      for (const connection of connections) {
        const ask = this.#insisting(this.#asking(() => connection));
        for (const kind of owned) await kind.read(ask);
      }
    });
    for (const [at, shared] of this.#shared.entries()) {
      const ask = this.#insisting((this.#actors[at] as Actor).ask);
      for (const kind of shared) await kind.finish(ask);
    }
    this.close();
  }

  close(): void {
    for (const { connections } of this.#actors) for (const connection of connections) connection.close();
  }

  #makeShared(db: number): SharedKind[] {
    return Object.entries(SHARED).flatMap(([kind, make]) =>
      Array.from({ length: this.#options.sharedKeys }, (_, number) => {
        const name = `${kind}:${db}:${number}`;
        return make({ name, complain: (violation) => this.#complain(name, violation) });
      }),
    );
  }

  #makeActor(number: number): Actor {
    const connections = this.#options.ports.map((port) => this.#connect(port, this.#dbOf(number)));
    const owned = Object.entries(OWNED).flatMap(([kind, make]) =>
      Array.from({ length: this.#options.keysPerActor }, (_, key) => {
        const name = `${kind}:${number}:${key}`;
        return make({ name, complain: (violation) => this.#complain(name, violation) });
      }),
    );
    const shared = this.#shared[number % this.#options.databases.length] as SharedKind[];
    const actor: Actor = {
      connections,
      ask: this.#asking(
        () => connections[below(connections.length)] as Connection,
        () => actor.done++,
      ),
      owned,
      shared,
      done: 0,
    };
    return actor;
  }

  #dbOf(actor: number): number {
    return this.#options.databases[actor % this.#options.databases.length] as number;
  }

  #connect(port: number, db: number): Connection {
    const { patienceMs, replicas, replicasMs } = this.#options;
    return new Connection({ port, db, patienceMs, replicas, replicasMs });
  }

  #complain(name: string, violation: string): void {
    this.violations.push(`${name}: ${violation}`);
  }

  #each(action: (actor: Actor) => Promise<void>): Promise<unknown> {
    return Promise.all(this.#actors.map(action));
  }

  async #act({ owned, shared, ask }: Actor): Promise<void> {
    while (this.#running && this.violations.length < VIOLATIONS_MAX) {
      if (shared.length > 0 && coin(SHARED_SHARE)) {
        await (shared[below(shared.length)] as SharedKind).act(ask);
        continue;
      }
      const kind = owned[below(owned.length)] as OwnedKind;
      await (coin(READ_SHARE) ? kind.read(ask) : kind.write(ask));
    }
  }

  #asking(connection: () => Connection, onDone: () => void = () => undefined): Ask {
    const run = async (commands: readonly Command[]): Promise<Outcome> => {
      const outcome = await connection().run(commands);
      this.#count(outcome, commands);
      if (outcome.kind === 'done') onDone();
      else await pause(BACK_OFF_MS);
      return outcome;
    };
    const ask = (...command: Command) => run([command]);
    return Object.assign(ask, { transaction: (...commands: Command[]) => run([['MULTI'], ...commands, ['EXEC']]) });
  }

  #count(outcome: Outcome, commands: readonly Command[]): void {
    this.outcomes[outcome.kind]++;
    if (outcome.kind === 'done') return;
    const reason = `${outcome.kind}: ${outcome.why.replaceAll(/\d+/g, 'N').slice(0, 150)}`;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
    if (outcome.kind === 'wrong') this.#complain(commands.map((command) => command.join(' ')).join('; '), outcome.why);
  }
}
