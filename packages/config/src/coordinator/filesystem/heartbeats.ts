// Signs of life: each session touches a file of its own, and watches the files of the others. A session whose file stays untouched for its
// timeout, or whose process is gone, is over.
//
// Silence is counted in what this process saw of it, never from clocks compared: a step of the clock ends no session, and a process that was
// itself stopped for an hour does not count that hour against the others.

import { open, readdir, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { SessionId } from '../coordinator.ts';
import type { Document } from './document.ts';
import { isGone, type ProcessIdentity } from './process-identity.ts';
import { makeDir, nullWhenMissing } from './versioned-files.ts';

interface Sign {
  readonly touchedMs: number | null;
  readonly silentMs: number;
}

export class Heartbeats {
  readonly dir: string;
  readonly #own: ProcessIdentity;
  #signs = new Map<SessionId, Sign>();
  #lookedAt = performance.now();

  constructor(dir: string, own: ProcessIdentity) {
    this.dir = dir;
    this.#own = own;
  }

  /** Touches the file of `session`; false when it was not there, as after a session was ended by others, and had to be made. */
  async beat(session: SessionId): Promise<boolean> {
    const path = join(this.dir, session);
    const now = new Date();
    const touched = await utimes(path, now, now).then(() => true, nullWhenMissing);
    if (touched) return true;
    await makeDir(this.dir);
    await (await open(path, 'a')).close();
    return false;
  }

  async remove(session: SessionId): Promise<void> {
    await unlink(join(this.dir, session)).catch(nullWhenMissing);
  }

  /** The sessions other than `self` that are over. To be called every `pollMs`; one call counts for two such intervals at most. */
  async ended(document: Document, self: SessionId, pollMs: number): Promise<SessionId[]> {
    const now = performance.now();
    const passedMs = Math.min(now - this.#lookedAt, 2 * pollMs);
    this.#lookedAt = now;
    const signs = new Map<SessionId, Sign>();
    const ended: SessionId[] = [];
    for (const [id, { process, timeoutMs }] of document.sessions) {
      if (id === self) continue;
      const touchedMs = (await stat(join(this.dir, id)).catch(nullWhenMissing))?.mtimeMs ?? null;
      const before = this.#signs.get(id);
      const silentMs = before && before.touchedMs === touchedMs ? before.silentMs + passedMs : 0;
      signs.set(id, { touchedMs, silentMs });
      if (silentMs > timeoutMs || isGone(process, this.#own)) ended.push(id);
    }
    this.#signs = signs;
    return ended;
  }
}

/** Removes files that killed processes left behind: those named after a session (`<id>` or `<id>.…`) that the document does not know. */
export class Sweeper {
  readonly #dirs: readonly string[];
  #strays = new Set<string>();

  constructor(dirs: readonly string[]) {
    this.#dirs = dirs;
  }

  /** A file goes when it was a stray in the call before too: a session that is just being made has files before it is in the document. */
  async sweep(document: Document): Promise<void> {
    const strays = new Set<string>();
    for (const dir of this.#dirs) {
      for (const name of (await readdir(dir).catch(nullWhenMissing)) ?? []) {
        if (document.sessions.has(name.split('.', 1)[0] ?? name)) continue;
        const path = join(dir, name);
        if (this.#strays.has(path)) await unlink(path).catch(nullWhenMissing);
        else strays.add(path);
      }
    }
    this.#strays = strays;
  }
}
