// Real processes for tests: free ports, a scratch directory, and children that cannot outlive the test process, however it ends.
//
// Every child is started through `setpriv --pdeathsig KILL` (util-linux): the kernel kills it when the test process dies,
// also by kill -9. Within a run they are stopped by their own pid, when the test file ends or before.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';

export const REPO = resolve(import.meta.dirname, '../..');
const SCRATCH = join(REPO, 'node_modules/.cache/codis-test');

let scratchCount = 0;
let portNext = 11_000 + ((process.pid * 97) % 20_000);
const children = new Set<Child>();

/** A new empty directory; the test run removes them all when it ends. */
export function scratchDir(name: string): string {
  const dir = join(SCRATCH, `${process.pid}-${++scratchCount}-${name}`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Where Codis listens unless told otherwise: a setting of one program may not name what another one has by default. */
const PORTS_OF_CODIS = new Set([11_080, 18_087, 19_000]);

/** A port of 127.0.0.1 that nothing listens on, below the range that outgoing connections use; not given out twice by this process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = portNext;
    portNext = portNext >= 31_900 ? 11_000 : portNext + 1;
    if (!PORTS_OF_CODIS.has(port) && (await canListen(port))) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '127.0.0.1', () => server.close(() => done(true)));
  });
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Everything it has written so far, stdout and stderr together. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends `signal` (SIGKILL unless said) and waits for the end; harmless when it ended already. Returns its exit code, null for a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Waits for it to end by itself. */
  exited(): Promise<number | null>;
}

/** Starts a program; output goes to a file in a scratch directory. */
export function start(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; name?: string } = {},
): Child {
  const log = join(scratchDir(options.name ?? 'log'), 'output.log');
  const fd = openSync(log, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    cwd: options.cwd ?? REPO,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', fd, fd],
  });
  closeSync(fd);
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const running = () => child.exitCode === null && child.signalCode === null;
  const self: Child = {
    pid: child.pid ?? -1,
    process: child,
    output: () => readFileSync(log, 'utf8'),
    signal: (name) => {
      if (running()) child.kill(name);
    },
    stop: async (signal = 'SIGKILL') => {
      if (running()) child.kill(signal);
      if (running() && signal !== 'SIGKILL') child.kill('SIGCONT');
      const code = await ended;
      children.delete(self);
      return code;
    },
    exited: () => ended,
  };
  children.add(self);
  return self;
}

/** Stops whatever this test process still has running; harness users call it in `afterAll`. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop()));
}

/** Waits until `probe` gives something other than undefined or false, or throws saying what was waited for and the last error. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<NonNullable<T>> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false && value !== null) return value as NonNullable<T>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`timed out waiting for: ${options.what}`, { cause: last });
    await new Promise((next) => setTimeout(next, options.everyMs ?? 20));
  }
}
