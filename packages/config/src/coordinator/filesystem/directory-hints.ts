// Hints that something in a directory has changed. Only hints: the kernel may drop events, and some file systems send none, so whoever
// listens also polls.
//
// It watches the directory, never a file in it: a watched file that is replaced falls silent. A directory that was deleted and made again falls
// silent too, so `follow` is called with every poll and starts anew when another directory has taken its place.

import { type FSWatcher, watch } from 'node:fs';
import { identityOf } from './versioned-files.ts';

export class DirectoryHints {
  readonly #dir: string;
  readonly #onHint: () => void;
  #watcher: FSWatcher | null = null;
  #identity: string | null = null;
  #closed = false;

  constructor(dir: string, onHint: () => void) {
    this.#dir = dir;
    this.#onHint = onHint;
  }

  /** Watches the directory that is there now; true when it is another one than at the call before. */
  async follow(): Promise<boolean> {
    const identity = await identityOf(this.#dir);
    const moved = identity !== this.#identity;
    if (this.#closed || (!moved && this.#watcher)) return moved;
    this.#stop();
    this.#identity = identity;
    if (identity !== null) this.#start();
    return moved;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #start(): void {
    try {
      this.#watcher = watch(this.#dir, () => this.#onHint());
      this.#watcher.on('error', () => this.#stop());
    } catch (error) {
      // The machine is out of watches (EMFILE, ENOSPC), or the directory has just gone: the poll does alone until a later `follow`.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }
}
