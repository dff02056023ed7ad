// The directory that a started cluster keeps everything in, and the guard of its ownership: one starter at a time, and nothing that
// is not ours is ever written over or deleted.
//
//   cluster.pid     who runs it now: pid and start time, so that a killed starter's file is known to be stale
//   cluster.json    the mark that it is ours, and what must not change between starts
//   coordinator/    redis/    logs/

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartFailure } from './failure.ts';
import { identityOf } from './process-id.ts';

const PID_FILE = 'cluster.pid';
const MARK_FILE = 'cluster.json';
const OURS = ['coordinator', 'redis', 'logs', MARK_FILE];

/** What a cluster is bound to from its first start on. */
export interface ClusterMark {
  readonly portOffset: number;
  /** Groups and slots have been set up; from then on they are the operator's. */
  readonly setUp: boolean;
}

export class DataDir {
  readonly path: string;
  /** The one before was killed without a chance to stop what it had started. */
  readonly tookOver: boolean;

  private constructor(path: string, tookOver: boolean) {
    this.path = path;
    this.tookOver = tookOver;
  }

  /** Makes it if need be and takes it until `close`. Throws StartFailure when it is in use or somebody else's. */
  static open(path: string): DataDir {
    try {
      mkdirSync(path, { recursive: true });
      const tookOver = takePidFile(path);
      return new DataDir(path, tookOver).#checked();
    } catch (cause) {
      if (cause instanceof StartFailure || !(cause instanceof Error) || !('code' in cause)) throw cause;
      throw new StartFailure(`${path} can't be used: ${cause.message}. --data-dir names another directory`, { cause });
    }
  }

  /** null before the first start. */
  readMark(): ClusterMark | null {
    const file = join(this.path, MARK_FILE);
    if (!existsSync(file)) return null;
    const mark = parseMark(readFileSync(file, 'utf8'));
    if (mark === null) throw new StartFailure(`${file} can't be understood; npm start -- --fresh begins anew`);
    return mark;
  }

  writeMark(mark: ClusterMark): void {
    const file = join(this.path, MARK_FILE);
    writeFileSync(`${file}.new`, `${JSON.stringify({ about: 'Made by npm start of Codis.', ...mark })}\n`);
    renameSync(`${file}.new`, file);
  }

  /** Deletes what earlier starts made, and nothing else. */
  clear(): void {
    for (const name of OURS) rmSync(join(this.path, name), { recursive: true, force: true });
  }

  directory(name: string): string {
    const dir = join(this.path, name);
    mkdirSync(dir, { recursive: true });
    return dir;
  }

  close(): void {
    rmSync(join(this.path, PID_FILE), { force: true });
  }

  #checked(): this {
    const entries = readdirSync(this.path).filter((name) => name !== PID_FILE);
    if (entries.length === 0 || entries.includes(MARK_FILE)) return this;
    this.close();
    throw new StartFailure(
      `${this.path} holds ${entries[0]} but no cluster that npm start made; move that away, or name another directory with --data-dir`,
    );
  }
}

/** Gives whether a dead starter's file was in the way. */
function takePidFile(path: string): boolean {
  const file = join(path, PID_FILE);
  let tookOver = false;
  for (;;) {
    try {
      writeFileSync(file, `${identityOf(process.pid) ?? process.pid}\n`, { flag: 'wx' });
      return tookOver;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = readHolder(file);
    if (holder !== null && identityOf(Number.parseInt(holder, 10)) === holder) {
      const pid = Number.parseInt(holder, 10);
      throw new StartFailure(
        `A cluster runs on ${path} already (process ${pid}). Stop it with Ctrl-C there or kill ${pid}, or start another one with --data-dir and --port-offset`,
      );
    }
    rmSync(file, { force: true });
    tookOver = true;
  }
}

function readHolder(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function parseMark(text: string): ClusterMark | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('portOffset' in value) || !('setUp' in value)) return null;
    const { portOffset, setUp } = value;
    return typeof portOffset === 'number' && typeof setUp === 'boolean' ? { portOffset, setUp } : null;
  } catch {
    return null;
  }
}
