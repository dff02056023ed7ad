// The scripts and libraries of functions that were loaded through any proxy of the product, in the coordinator: `scripts/<sha1>` and `functions/<name>`, each with
// its text. They are read when a worker misses one, never watched; only that scripts were flushed is, by the version of `scripts`.
//
// Changes are written in the order they came. While the coordinator is away they wait here, bounded: the servers have them already, and what is lost of
// them is only that a server which joins later is not given them. Questions see the changes that wait: those
// that waited when they were asked, for they may be written, and so be here no more, before the coordinator has answered.

import { type Coordinator, libraryPath, type Op, PATHS, scriptPath, type Unsubscribe } from '@codis/config/coordinator';
import { isCodisError } from '@codis/config/model';
import type { Logger } from 'pino';
import type { Library, RegistryAnswers, RegistryChange, RegistryQuestion } from '../ipc.ts';

export interface ScriptStoreOptions {
  readonly coordinator: Coordinator;
  readonly log: Logger;
  /** SCRIPT FLUSH was carried out by some proxy. */
  readonly onFlushed: () => void;
  /** How many scripts may be registered; SCRIPTS_MAX unless given. */
  readonly scriptsMax?: number;
}

/** A product with more than this makes them up as it goes; ZooKeeper lists about 20,000 such names in one reply. */
export const SCRIPTS_MAX = 10_000;
export const WAITING_MAX = 1000;
export const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** Nodes deleted in one commit. */
const DELETE_MAX = 200;

export class ScriptStore {
  readonly #options: ScriptStoreOptions;
  /** Not written yet, the oldest first, which may be under way. */
  #waiting: RegistryChange[] = [];
  #waitingBytes = 0;
  #writing = false;
  /** Who wants to know when nothing is being written any more. */
  #onIdle: (() => void)[] = [];
  #closed = false;
  #fullSaid = false;
  #flushes = -1;
  readonly #unsubscribe: Unsubscribe[] = [];

  constructor(options: ScriptStoreOptions) {
    this.#options = options;
  }

  /** Call it when the session is there. */
  start(): void {
    const { coordinator } = this.#options;
    this.#unsubscribe.push(
      coordinator.onState(() => this.#write()),
      coordinator.watch(PATHS.scripts, (entry) => this.#onFlushes(entry?.version ?? 0)),
    );
    this.#write();
  }

  close(): void {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  register(change: RegistryChange): void {
    const bytes = bytesOf(change);
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      this.#options.log.error(
        { change: change.kind, waiting: this.#waiting.length },
        'a script or function can’t be registered: too many wait for the coordinator. Servers that join later won’t have it; load it again',
      );
      return;
    }
    this.#waiting.push(change);
    this.#waitingBytes += bytes;
    this.#write();
  }

  /** Null when the coordinator can't be asked. */
  async lookUp(question: RegistryQuestion): Promise<RegistryAnswers[RegistryQuestion['kind']] | null> {
    try {
      if (question.kind === 'script') return await this.#script(question.sha);
      if (question.kind === 'scripts') return await this.#known(question.shas);
      if (question.kind === 'written') return await this.#written();
      return await this.#libraries();
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the coordinator can’t be asked about scripts');
      return null;
    }
  }

  async #script(sha: string): Promise<string | null> {
    for (const change of this.#waiting.toReversed()) {
      if (change.kind === 'flush-scripts') return null;
      if (change.kind === 'add-script' && change.sha === sha) return change.body;
    }
    const entry = await this.#options.coordinator.read(scriptPath(sha));
    return entry === null ? null : entry.data.toString('latin1');
  }

  async #known(shas: readonly string[]): Promise<string[]> {
    const waiting = [...this.#waiting];
    const names = new Set(await this.#options.coordinator.list(PATHS.scripts));
    for (const change of waiting) {
      if (change.kind === 'flush-scripts') names.clear();
      else if (change.kind === 'add-script') names.add(change.sha);
    }
    return shas.filter((sha) => names.has(sha));
  }

  async #libraries(): Promise<Library[]> {
    const { coordinator } = this.#options;
    const waiting = [...this.#waiting];
    const libraries = new Map<string, string>();
    for (const name of await coordinator.list(PATHS.functions)) {
      const entry = await coordinator.read(libraryPath(name));
      if (entry !== null) libraries.set(name, entry.data.toString('latin1'));
    }
    for (const change of waiting) {
      if (change.kind === 'set-libraries') libraries.clear();
      for (const { name, code } of setIn(change)) libraries.set(name, code);
      if (change.kind === 'delete-library') libraries.delete(change.name);
    }
    return Array.from(libraries, ([name, code]) => ({ name, code }));
  }

  #write(): void {
    if (this.#writing || this.#closed || this.#options.coordinator.state.kind !== 'connected') return;
    this.#writing = true;
    void this.#writeAll();
  }

  /** Until nothing waits, or the coordinator is lost: then its coming back goes on. */
  async #writeAll(): Promise<void> {
    for (let change = this.#waiting[0]; change !== undefined && !this.#closed; change = this.#waiting[0]) {
      try {
        await this.#apply(change);
      } catch (error) {
        if (isCodisError(error, 'CODIS_E_COORDINATOR_LOST') || isCodisError(error, 'CODIS_E_COORDINATOR_UNKNOWN')) break;
        this.#options.log.error(
          { err: error, change: change.kind },
          'a script or function can’t be registered; servers that join later won’t have it',
        );
      }
      this.#waiting.shift();
      this.#waitingBytes -= bytesOf(change);
    }
    this.#writing = false;
    const onIdle = this.#onIdle;
    this.#onIdle = [];
    for (const done of onIdle) done();
  }

  /** Null when the coordinator is away. */
  async #written(): Promise<true | null> {
    if (this.#writing) await new Promise<void>((done) => void this.#onIdle.push(done));
    return this.#waiting.length === 0 ? true : null;
  }

  /** May be done again, when it is not known whether it was done. */
  async #apply(change: RegistryChange): Promise<void> {
    switch (change.kind) {
      case 'add-script':
        return this.#addScript(change.sha, change.body);
      case 'flush-scripts':
        return this.#flushScripts();
      case 'set-library':
        return this.#set(libraryPath(change.library.name), change.library.code);
      case 'delete-library':
        return this.#delete([libraryPath(change.name)]);
      case 'set-libraries':
        return this.#setLibraries(change.libraries);
    }
  }

  async #addScript(sha: string, body: string): Promise<void> {
    const { coordinator, scriptsMax = SCRIPTS_MAX, log } = this.#options;
    const names = await coordinator.list(PATHS.scripts);
    if (names.includes(sha)) return;
    if (names.length < scriptsMax) {
      await this.#set(scriptPath(sha), body);
      return;
    }
    if (!this.#fullSaid)
      log.error({ scriptsMax }, 'no more scripts are registered: clients seem to make them up as they go. SCRIPT FLUSH makes room');
    this.#fullSaid = true;
  }

  /** The version of `scripts` tells all proxies; the nodes go first, so that who hears of it finds none. */
  async #flushScripts(): Promise<void> {
    const { coordinator } = this.#options;
    await this.#delete((await coordinator.list(PATHS.scripts)).map(scriptPath));
    await coordinator.commit([{ op: 'set', path: PATHS.scripts, data: Buffer.alloc(0) }]);
    this.#fullSaid = false;
  }

  async #setLibraries(libraries: readonly Library[]): Promise<void> {
    const kept = new Set(libraries.map(({ name }) => name));
    const names = await this.#options.coordinator.list(PATHS.functions);
    await this.#delete(names.filter((name) => !kept.has(name)).map(libraryPath));
    for (const { name, code } of libraries) await this.#set(libraryPath(name), code);
  }

  async #set(path: string, text: string): Promise<void> {
    const { coordinator } = this.#options;
    const data = Buffer.from(text, 'latin1');
    const create = await coordinator.commit([{ op: 'create', path, data }]);
    if (!create.ok && create.refusal.reason === 'exists') await coordinator.commit([{ op: 'set', path, data }]);
  }

  /** What somebody else has deleted is no failure. */
  async #delete(paths: readonly string[]): Promise<void> {
    const { coordinator } = this.#options;
    for (let from = 0; from < paths.length; from += DELETE_MAX) {
      const ops = paths.slice(from, from + DELETE_MAX).map((path): Op => ({ op: 'delete', path }));
      if ((await coordinator.commit(ops)).ok) continue;
      for (const op of ops) await coordinator.commit([op]);
    }
  }

  #onFlushes(version: number): void {
    const isNews = this.#flushes >= 0 && version !== this.#flushes;
    this.#flushes = version;
    if (isNews) this.#options.onFlushed();
  }
}

function setIn(change: RegistryChange): readonly Library[] {
  if (change.kind === 'set-library') return [change.library];
  return change.kind === 'set-libraries' ? change.libraries : [];
}

function bytesOf(change: RegistryChange): number {
  const texts = change.kind === 'add-script' ? [change.body] : setIn(change).map(({ code }) => code);
  return texts.reduce((sum, { length }) => sum + length, 256);
}
