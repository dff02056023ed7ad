// The controller of a product: stands for election, carries out migrations while elected, stops the moment it may not be any more.
//
//   standing ──elected──▶ acting (one term) ──session cut off, deposed, coordinator in doubt──▶ standing
//
// Invariant: a process acts only in a term it was elected for, and each of its writes is checked against that term (election.ts). What it does is
// decided from the coordinator alone, so any process can go on where another one died.

import type { Logger } from 'pino';
import { type Coordinator, type Entry, PATHS, type Unsubscribe } from '../coordinator/index.ts';
import { CodisError, type MigrationId } from '../model/index.ts';
import { campaign, resign, type Term } from './election.ts';
import { type ControllerSettings, newMemory } from './turn.ts';
import { act, endsTerm } from './turns.ts';
import { Wakeup } from './wakeup.ts';
import { watchWorld } from './watch-world.ts';

export interface ControllerOptions {
  readonly coordinator: Coordinator;
  readonly settings: ControllerSettings;
  readonly log: Logger;
  /** Who this is, for people: a host and port, say. */
  readonly id: string;
}

export interface ControllerStatus {
  readonly elected: boolean;
  /** Since when, ISO 8601; null while not elected. */
  readonly since: string | null;
  /** The migration that was looked at last; null while there is none. */
  readonly running: MigrationId | null;
}

/** How long it waits before it stands again, when nothing tells it to. */
const STAND_AGAIN_MS = 1000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #log: Logger;
  readonly #wakeup = new Wakeup();
  readonly #closing = new AbortController();
  #subscriptions: Unsubscribe[] = [];
  /** Aborted to end the current term. */
  #acting: AbortController | null = null;
  #term: Term | null = null;
  #running: MigrationId | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#log = options.log.child({ part: 'controller' });
  }

  /** Begins to stand for election; returns without waiting for its outcome. */
  async start(): Promise<void> {
    const { coordinator } = this.#options;
    this.#subscriptions = [
      coordinator.onState(() => this.#stop()),
      coordinator.watch(PATHS.controller, (entry) => this.#seeElected(entry)),
      watchWorld(coordinator, () => this.#wakeup.poke()),
    ];
    this.#loop = this.#run();
  }

  status(): ControllerStatus {
    return { elected: this.#term !== null, since: this.#term?.since ?? null, running: this.#term ? this.#running : null };
  }

  /** Stops acting, and gives the office up if the coordinator can be reached. A step under way is cut off; the next controller goes on with it. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#stop();
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    await this.#loop;
  }

  /** Somebody else's name is the end of a term; no name is a reason to stand. */
  #seeElected(entry: Entry | null): void {
    const { state } = this.#options.coordinator;
    const mine = state.kind === 'connected' && entry?.owner === state.session;
    if (entry !== null && !mine) this.#acting?.abort();
    this.#wakeup.poke();
  }

  /** Ends the term, if there is one, and wakes whoever waits. */
  #stop(): void {
    this.#acting?.abort();
    this.#wakeup.poke();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#stand();
      } catch (error) {
        if (!(error instanceof CodisError)) throw error;
        this.#log.warn({ err: error }, 'the controller starts over');
      }
      if (!this.#closing.signal.aborted) await this.#wakeup.sleep(STAND_AGAIN_MS, this.#closing.signal);
    }
  }

  /** Acts for one term, if elected. */
  async #stand(): Promise<void> {
    const { coordinator, settings, id } = this.#options;
    const acting = new AbortController();
    this.#acting = acting;
    const term = await campaign(coordinator, { id, pid: process.pid });
    if (!term) return;
    this.#term = term;
    const log = this.#log.child({ term: term.number });
    log.info('elected');
    try {
      const office = { coordinator, term, settings, log, signal: acting.signal, memory: newMemory() };
      await act(office, this.#wakeup, (migration) => {
        this.#running = migration;
      });
    } catch (error) {
      if (!acting.signal.aborted && !endsTerm(error)) throw error;
      log.info({ err: error }, 'the term ended');
    } finally {
      acting.abort();
      this.#term = null;
      this.#running = null;
    }
    if (this.#closing.signal.aborted) await this.#leave(term);
  }

  async #leave(term: Term): Promise<void> {
    try {
      await resign(this.#options.coordinator, term);
    } catch (error) {
      if (!(error instanceof CodisError)) throw error;
      this.#log.debug({ err: error }, 'left without resigning; the session’s end will tell');
    }
  }
}
