// One text kept as numbered files, changed by compare-and-set between processes without any lock: version n+1 is written elsewhere, made
// durable, then link()ed to its name, which fails when another process was first.
//
//   <dir>/state.0000000000000041   an older version, soon removed
//   <dir>/state.0000000000000042   the newest: what counts
//   <dir>/tmp/<writer>.<n>         being written; left behind only by a writer that was killed
//
// Invariant: versions are linked without gaps and removed in ascending order, and the newest KEEP are never removed. So a link to n+1 that
// finds n+1 to be the newest was based on the newest; only when others have gone on by then does it not tell whether the link came in
// time or revived a number that had been removed. `publish` then says `overtaken`, and the caller finds its change in the newest or not.

import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^state\.(\d{16})$/;
const DIGITS = 16;
/** How many versions stay: a few to look at afterwards, and time for slow readers. */
export const VERSIONS_KEPT = 8;

export type Published =
  /** It is the newest version, and durable. */
  | 'done'
  /** Another process was first; nothing was done. */
  | 'taken'
  /** It was done or not: later versions tell. */
  | 'overtaken';

export class VersionedFiles {
  readonly dir: string;
  readonly tmpDir: string;
  #tmpCount = 0;

  constructor(dir: string) {
    this.dir = dir;
    this.tmpDir = join(dir, 'tmp');
  }

  fileOf(version: number): string {
    return join(this.dir, `state.${String(version).padStart(DIGITS, '0')}`);
  }

  /** Number of the newest version, 0 for none. Throws ENOENT when the directory is gone. */
  async newestVersion(): Promise<number> {
    return Math.max(0, ...(await this.#versions()));
  }

  /** The text of a version; null when it has been removed meanwhile. */
  async read(version: number): Promise<string | null> {
    return readFile(this.fileOf(version), 'utf8').catch(nullWhenMissing);
  }

  /** Names in the directory that are not this module's. */
  async strangers(known: readonly string[]): Promise<string[]> {
    const names = await readdir(this.dir);
    return names.filter((name) => !NAME.test(name) && name !== 'tmp' && !known.includes(name));
  }

  /** Makes `text` the given version, which must follow the one it is based on. An error leaves it unknown whether that was done. */
  async publish(version: number, text: string, writer: string): Promise<Published> {
    const tmp = join(this.tmpDir, `${writer}.${++this.#tmpCount}`);
    try {
      await this.#writeDurably(tmp, text);
      await link(tmp, this.fileOf(version));
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      // ENOENT from link: the temporary file was swept away while this process stood still, or the directory went; reading again tells.
      if (syscall === 'link' && (code === 'EEXIST' || code === 'ENOENT')) return 'taken';
      throw error;
    } finally {
      await unlink(tmp).catch(nullWhenMissing);
    }
    const versions = await this.#versions();
    await this.#syncDir();
    if (Math.max(...versions) !== version) return 'overtaken';
    await this.#removeOld(versions, version);
    return 'done';
  }

  async #versions(): Promise<number[]> {
    const versions: number[] = [];
    for (const name of await readdir(this.dir)) {
      const digits = NAME.exec(name)?.[1];
      if (digits !== undefined) versions.push(Number(digits));
    }
    return versions.sort((a, b) => a - b);
  }

  async #writeDurably(path: string, text: string): Promise<void> {
    const file = await open(path, 'wx').catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await makeDir(this.tmpDir);
      return open(path, 'wx');
    });
    try {
      await file.writeFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #syncDir(): Promise<void> {
    const dir = await open(this.dir, 'r');
    try {
      await dir.sync();
    } finally {
      await dir.close();
    }
  }

  /** `versions` is ascending, and each is gone before the next is touched. */
  async #removeOld(versions: readonly number[], newest: number): Promise<void> {
    for (const version of versions) if (version <= newest - VERSIONS_KEPT) await unlink(this.fileOf(version)).catch(nullWhenMissing);
  }
}

/** For `catch`: null when the file or directory is not there, the error otherwise. */
export function nullWhenMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw error;
}

/** Makes a directory whose parent exists; harmless when it is there already. */
export async function makeDir(dir: string): Promise<void> {
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Tells a directory from one put in its place, which may well get its inode number; null when it is gone. */
export async function identityOf(dir: string): Promise<string | null> {
  const stats = await stat(dir, { bigint: true }).catch(nullWhenMissing);
  return stats && `${stats.ino} ${stats.birthtimeNs}`;
}
