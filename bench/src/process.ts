// Programs on one core of this machine, which end with the benchmark, however that ends (`setpriv`, `taskset`: util-linux).

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface Program {
  readonly pid: number;
  stop(): Promise<void>;
}

interface Command {
  readonly file: string;
  readonly args: string[];
}

export function pinned(core: number, file: string, args: readonly string[]): Command {
  return { file: 'taskset', args: ['-c', String(core), file, ...args] };
}

/** Starts it on `core`, its output in `log`. */
export function start(core: number, file: string, args: readonly string[], log: string): Program {
  return launch(pinned(core, file, args), log);
}

/** Starts it on whichever core is free. */
export function startAnywhere(file: string, args: readonly string[], log: string): Program {
  return launch({ file, args: [...args] }, log);
}

function launch(command: Command, log: string): Program {
  const output = openSync(log, 'a');
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command.file, ...command.args], { stdio: ['ignore', output, output] });
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${command.file} can't be started; see ${log}`);
  const ended = once(child, 'exit');
  return { pid: child.pid, stop: () => end(child, ended) };
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  await ended;
}

/** One that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `probe` holds; rejects after `timeoutMs` with what was waited for. */
export async function until(what: string, probe: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await delay(50);
  }
}

export function listens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Whether a dashboard on `port` is ready to be asked. */
export async function isReady(port: number): Promise<boolean> {
  if (!(await listens(port))) return false;
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
}

/** Time that all threads of `pid` were on a core, user and system, in nanoseconds. */
export function cpuNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + onCpuNs(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')), 0);
}

/** The first number of a schedstat file. */
export function onCpuNs(schedstat: string): number {
  const value = Number(schedstat.split(' ')[0]);
  if (!Number.isFinite(value)) throw new Error(`not a schedstat: ${schedstat}`);
  return value;
}
