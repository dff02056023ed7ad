// The life of one session in the store: joining, committing in its name, ending it and others. Knows documents and heartbeats; who is told of
// what, and when to try again, is the coordinator's business (filesystem.ts).

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { invariant } from '../../model/index.ts';
import type { CommitResult, Op, SessionId } from '../coordinator.ts';
import { applyOps, type Document, withoutSessions, withSession } from './document.ts';
import { Heartbeats, Sweeper } from './heartbeats.ts';
import { ownIdentity } from './process-identity.ts';
import { DocumentStore } from './store.ts';
import type { VersionedFiles } from './versioned-files.ts';

const SESSIONS = 'sessions';
const SESSION_ID_BYTES = 10;

export interface SessionOptions {
  readonly product: string;
  readonly timeoutMs: number;
}

export class SessionStore {
  readonly store: DocumentStore;
  readonly #options: SessionOptions;
  readonly #process = ownIdentity();
  readonly #heartbeats: Heartbeats;
  readonly #sweeper: Sweeper;

  constructor(files: VersionedFiles, options: SessionOptions) {
    this.store = new DocumentStore(files, { product: options.product, known: [SESSIONS] });
    this.#options = options;
    this.#heartbeats = new Heartbeats(join(files.dir, SESSIONS), this.#process);
    this.#sweeper = new Sweeper([this.#heartbeats.dir, files.tmpDir]);
  }

  /** A new session; one of ours that was lost earlier ends with the same stroke. */
  async join(newest: () => Promise<Document>, previous: SessionId | null): Promise<{ id: SessionId; document: Document }> {
    const id = randomBytes(SESSION_ID_BYTES).toString('hex');
    const record = { process: this.#process, timeoutMs: this.#options.timeoutMs, commits: 0 };
    const change = (base: Document) => {
      if (base.sessions.has(id)) return base;
      const rest = withoutSessions(base, previous === null ? [] : [previous]);
      return { ...withSession(rest, id, record), version: base.version + 1 };
    };
    const document = await this.store.update({ writer: id, newest, change });
    await this.#heartbeats.beat(id);
    return { id, document };
  }

  /** Carries out `ops` in the name of `id`, once; `newest` must throw when it gets a document without that session. */
  async commit(newest: () => Promise<Document>, id: SessionId, ops: readonly Op[]): Promise<{ result: CommitResult; document: Document }> {
    let commits: number | null = null;
    let result: CommitResult = { ok: true, versions: [] };
    const change = (base: Document) => {
      const record = base.sessions.get(id);
      invariant(record !== undefined, 'a commit by a session that the document does not hold');
      commits ??= record.commits;
      if (record.commits > commits) return base;
      const applied = applyOps(base, ops, { id, record });
      result = applied.ok ? { ok: true, versions: applied.versions } : applied;
      return applied.ok ? applied.document : base;
    };
    const document = await this.store.update({ writer: id, newest, change });
    return { result, document };
  }

  /** Says that `id` lives. Where there was no sign of it the directory may be another one, so the document is read again. */
  async beat(id: SessionId): Promise<void> {
    if (!(await this.#heartbeats.beat(id))) this.store.distrust();
  }

  /** Ends the sessions of others that are over, and removes what killed processes left; returns the newest document. */
  async tidy(newest: () => Promise<Document>, id: SessionId, pollMs: number): Promise<Document> {
    const document = await newest();
    const ended = await this.#heartbeats.ended(document, id, pollMs);
    await this.#sweeper.sweep(document);
    if (ended.length === 0) return document;
    return this.store.update({ writer: id, newest, change: (base) => withoutSessions(base, ended) });
  }

  /** Ends the session; harmless when it is over already. */
  async leave(newest: () => Promise<Document>, id: SessionId): Promise<void> {
    await this.store.update({ writer: id, newest, change: (base) => withoutSessions(base, [id]) });
    await this.#heartbeats.remove(id);
  }
}
