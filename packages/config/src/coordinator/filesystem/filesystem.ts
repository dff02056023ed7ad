// The embedded coordinator: a directory on a local disk, shared by the processes of one machine, with no server to run.
//
//   <dir>/<product>/state.<n>      the whole product as one JSON document, one file per version (versioned-files.ts)
//   <dir>/<product>/sessions/<id>  touched by the owner of each session, watched by the others (heartbeats.ts)
//
// Every call reads the newest version first, so reads are linearizable: what any process has committed, the next read sees. Watches follow hints from
// the kernel, and a poll. This class owns the timer, the state and the listeners; all I/O goes through one queue.
//
// Invariant: `#session` is set exactly while the state is connected or suspended (or was, when closed), and only documents that hold that
// session are shown to watches.

import { accessSync, constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CodisError, isCodisError } from '../../model/index.ts';
import { checkOps, checkParentPath, checkPath } from '../checks.ts';
import type { CommitResult, Coordinator, Entry, Op, SessionId, SessionState, Unsubscribe } from '../coordinator.ts';
import { callListener, closedError, SessionStates } from '../session-state.ts';
import { DirectoryHints } from './directory-hints.ts';
import { childNames, type Document, entryOf } from './document.ts';
import { DocumentWatches } from './document-watches.ts';
import { Serial } from './serial.ts';
import { SessionStore } from './session.ts';
import { VersionedFiles } from './versioned-files.ts';

/** A poll is at most this far from the next; sessions with short timeouts make it shorter. */
const POLL_MS_MAX = 1000;
const POLL_MS_MIN = 20;
/** Polls per session timeout: how many signs of life may fail before a session is over. */
const POLLS_PER_TIMEOUT = 5;
const CLOSE_MS_MAX = 3000;

export interface FilesystemOptions {
  /** Directory of all products; made when it is not there. On a local disk. */
  readonly dir: string;
  readonly product: string;
  readonly sessionTimeoutMs: number;
  /** Told once whenever the store begins to fail, and each time the reason changes. */
  readonly onError?: (error: CodisError) => void;
}

/** Opens the coordinator kept in a directory. Throws CODIS_E_COORDINATOR_LOST when that can't be made or written. */
export function openFilesystemCoordinator(options: FilesystemOptions): FilesystemCoordinator {
  const dir = join(options.dir, options.product);
  try {
    mkdirSync(dir, { recursive: true });
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const message = `coordinator_dir ${options.dir} can't be used: ${(cause as Error).message}; name another one, or let this user write there`;
    throw new CodisError('CODIS_E_COORDINATOR_LOST', message, { cause });
  }
  return new FilesystemCoordinator(new VersionedFiles(dir), options);
}

export class FilesystemCoordinator implements Coordinator {
  readonly #dir: string;
  readonly #timeoutMs: number;
  readonly #onError: (error: CodisError) => void;
  readonly #sessions: SessionStore;
  readonly #states = new SessionStates();
  readonly #watches = new DocumentWatches();
  readonly #hints: DirectoryHints;
  readonly #serial = new Serial();
  #session: SessionId | null = null;
  /** Set when a session was lost: the next poll comes at once. */
  #joinNow = false;
  /** Our last session, until a new one has taken its place. */
  #previous: SessionId | null = null;
  #wasConnected = false;
  /** The newest document seen; its version never falls but when the store was replaced. */
  #seenVersion = 0;
  /** When the store was last reached, by performance.now(). */
  #reachedAt = performance.now();
  #failure: CodisError | null = null;
  #pollMs = POLL_MS_MAX;
  #timer: NodeJS.Timeout | undefined;
  /** The refresh that waits for its turn: whoever asks before it begins can share it. */
  #waiting: Promise<Document> | null = null;
  #closing: Promise<void> | null = null;

  /** Internal; see openFilesystemCoordinator. `files` must be used by nobody else. */
  constructor(files: VersionedFiles, options: FilesystemOptions) {
    this.#dir = files.dir;
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#onError = options.onError ?? (() => undefined);
    this.#sessions = new SessionStore(files, { product: options.product, timeoutMs: options.sessionTimeoutMs });
    this.#hints = new DirectoryHints(files.dir, () => this.#hint());
    this.#schedule(0);
  }

  get state(): SessionState {
    return this.#states.current;
  }

  onState(listener: (state: SessionState) => void): Unsubscribe {
    return this.#states.onState(listener);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#states.ready(timeoutMs);
  }

  async read(path: string): Promise<Entry | null> {
    checkPath(path);
    return entryOf((await this.#refresh()).nodes.get(path));
  }

  async list(path: string): Promise<string[]> {
    checkParentPath(path);
    return childNames(await this.#refresh(), path);
  }

  async commit(ops: readonly Op[]): Promise<CommitResult> {
    checkOps(ops);
    return this.#call(async (id) => {
      const { result, document } = await this.#sessions.commit(() => this.#newest(), id, ops);
      this.#show(document);
      return result;
    });
  }

  watch(path: string, listener: (entry: Entry | null) => void): Unsubscribe {
    checkPath(path);
    return this.#begin(() => this.#watches.node(path, listener));
  }

  watchChildren(path: string, listener: (names: readonly string[]) => void): Unsubscribe {
    checkParentPath(path);
    return this.#begin(() => this.#watches.children(path, listener));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#hints.close();
    this.#watches.clear();
    this.#states.enter({ kind: 'closed' });
    const left = this.#serial.run(() => this.#attempt(() => this.#leave()));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS_MAX);
    });
    // A session that could not be left ends by itself, after its timeout or with this process.
    await Promise.race([left.catch(surfaceBug), late]);
    clearTimeout(timer);
  }

  async #leave(): Promise<void> {
    const ours = this.#session ?? this.#previous;
    if (ours !== null) await this.#sessions.leave(() => this.#load(), ours);
  }

  #begin(add: () => Unsubscribe): Unsubscribe {
    if (this.#closing) return () => undefined;
    const stop = add();
    this.#hint();
    return stop;
  }

  /** Has the watches shown the newest document soon; without a connection they wait for the next one. */
  #hint(): void {
    if (this.#watches.size > 0 && this.#session !== null && !this.#closing) this.#refresh().catch(surfaceBug);
  }

  /** The newest document, read after this call began. */
  #refresh(): Promise<Document> {
    this.#waiting ??= this.#call(async () => {
      this.#waiting = null;
      const document = await this.#newest();
      this.#show(document);
      return document;
    });
    return this.#waiting;
  }

  /** A caller's task, in its turn and with a session. */
  #call<T>(task: (session: SessionId) => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(closedError());
    return this.#serial.run(async () => {
      const session = this.#session;
      if (session !== null) return this.#attempt(() => task(session));
      this.#waiting = null;
      const why = this.#failure ? `: ${this.#failure.message}` : '';
      throw new CodisError('CODIS_E_COORDINATOR_LOST', `not connected to the coordinator in ${this.#dir}${why}`);
    });
  }

  /** A failure of the store shows in the state before whoever asked learns of it. */
  async #attempt<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task();
    } catch (error) {
      const failure = asStoreFailure(error, this.#dir);
      if (failure) this.#failed(failure);
      throw failure ?? error;
    }
  }

  /** The newest document, which must hold our session. */
  async #newest(): Promise<Document> {
    const document = await this.#load();
    const replaced = document.version < this.#seenVersion;
    this.#seenVersion = document.version;
    if (this.#session !== null && (replaced || !document.sessions.has(this.#session))) {
      const message = replaced
        ? `${this.#dir} was replaced by an older one, so the session ${this.#session} is over`
        : `the session ${this.#session} was ended by others, which had no sign of life from this process for ${this.#timeoutMs} ms`;
      this.#lose();
      throw new CodisError('CODIS_E_COORDINATOR_LOST', message);
    }
    return document;
  }

  /** The newest document; a directory that was in use and is gone or empty is not made again, for it may come back. */
  async #load(): Promise<Document> {
    if (!this.#wasConnected) return this.#sessions.store.newestOrEmpty();
    const document = await this.#sessions.store.newest();
    if (document) return document;
    throw new CodisError('CODIS_E_COORDINATOR_LOST', `${this.#dir} is gone or empty; put it back, or restart all programs to begin anew`);
  }

  #show(document: Document): void {
    this.#seenVersion = document.version;
    this.#reached();
    if (!this.#closing) this.#watches.show(document);
  }

  #reached(): void {
    this.#reachedAt = performance.now();
    this.#failure = null;
    if (this.#session !== null && this.state.kind !== 'connected') this.#enter({ kind: 'connected', session: this.#session });
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closing) return;
    this.#timer = setTimeout(() => {
      const poll = this.#serial.run(() => this.#attempt(() => this.#poll()));
      poll.catch(surfaceBug).finally(() => this.#schedule(this.#joinNow ? 0 : this.#pollMs));
    }, delayMs);
  }

  async #poll(): Promise<void> {
    if (await this.#hints.follow()) this.#sessions.store.distrust();
    if (this.#session === null) return this.#join();
    const document = await this.#newest();
    await this.#sessions.beat(this.#session);
    this.#show(document);
    this.#pollMs = pollMsFor(document, this.#timeoutMs);
    this.#show(await this.#sessions.tidy(() => this.#newest(), this.#session, this.#pollMs));
  }

  async #join(): Promise<void> {
    this.#joinNow = false;
    const { id, document } = await this.#sessions.join(() => this.#newest(), this.#previous);
    this.#session = id;
    this.#previous = null;
    this.#wasConnected = true;
    this.#pollMs = pollMsFor(document, this.#timeoutMs);
    this.#show(document);
  }

  /** The session is over; the next poll, at once, makes another. */
  #lose(): void {
    this.#previous = this.#session;
    this.#session = null;
    this.#joinNow = true;
    this.#enter({ kind: 'lost', since: Date.now() });
    this.#schedule(0);
  }

  /** Takes a failure of the store into the state, and tells of it unless that was done. */
  #failed(failure: CodisError): void {
    if (this.#session !== null) {
      if (this.state.kind === 'connected') this.#enter({ kind: 'suspended', session: this.#session, since: Date.now() });
      if (performance.now() - this.#reachedAt > this.#timeoutMs) this.#lose();
    }
    if (this.#failure?.message === failure.message) return;
    this.#failure = failure;
    if (!this.#closing) this.#states.failed(failure);
    callListener(this.#onError, failure);
  }

  #enter(state: SessionState): void {
    if (!this.#closing) this.#states.enter(state);
  }
}

/** Often enough for every session to be seen alive, and no oftener than that. */
function pollMsFor(document: Document, ownTimeoutMs: number): number {
  let smallest = ownTimeoutMs;
  for (const { timeoutMs } of document.sessions.values()) smallest = Math.min(smallest, timeoutMs);
  return Math.min(POLL_MS_MAX, Math.max(POLL_MS_MIN, Math.floor(smallest / POLLS_PER_TIMEOUT)));
}

/** For failures that nobody waits for: those of the store have been told already, a bug is rethrown from a later turn. */
function surfaceBug(error: unknown): void {
  if (isCodisError(error)) return;
  setImmediate(() => {
    throw error;
  });
}

/** An error of the file system or of the store as CodisError; null for a bug. */
function asStoreFailure(error: unknown, dir: string): CodisError | null {
  if (isCodisError(error)) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return null;
  return new CodisError('CODIS_E_COORDINATOR_LOST', `the coordinator's directory ${dir} can't be used: ${message}`, { cause: error });
}
