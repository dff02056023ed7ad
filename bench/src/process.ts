// Programs on one core of this machine, which end with the benchmark, however that ends (`setpriv`, `taskset`: util-linux).

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface Program {
  readonly pid: number;
  /** Asks it to end, kills it when it does not. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const GRACE_MS = 5000;

interface Command {
  readonly file: string;
  readonly args: string[];
}

/** Which cores, as taskset has it: `0`, `0,1`. */
export type Cores = string;

/** Those that this process may use, in order: `0-1,4` is 0, 1 and 4. */
export function coresOf(allowedList: string): string[] {
  return allowedList.split(',').flatMap((part) => {
    const [first, last = first] = part.trim().split('-').map(Number);
    if (first === undefined || last === undefined || !(first <= last)) throw new Error(`not a list of cores: ${allowedList}`);
    return Array.from({ length: last - first + 1 }, (_, at) => String(first + at));
  });
}

/** As it was before this process was pinned. */
export const CORES: readonly string[] = coresOf(/^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0');

/** The command that runs it on `cores` and no longer than this process. */
export function pinned(cores: Cores, file: string, args: readonly string[]): Command {
  return guarded({ file: 'taskset', args: ['-c', cores, file, ...args] });
}

/** Starts it on `cores`, its output in `log`. */
export function start(cores: Cores, file: string, args: readonly string[], log: string): Program {
  return launch(pinned(cores, file, args), log);
}

/** Starts it on whichever core is free. */
export function startAnywhere(file: string, args: readonly string[], log: string): Program {
  return launch(guarded({ file, args: [...args] }), log);
}

function guarded({ file, args }: Command): Command {
  return { file: 'setpriv', args: ['--pdeathsig', 'KILL', '--', file, ...args] };
}

const children = new Set<Program>();

function launch(command: Command, log: string): Program {
  const output = openSync(log, 'a');
  const child = spawn(command.file, command.args, { stdio: ['ignore', output, output] });
  closeSync(output);
  if (child.pid === undefined) throw new Error(`${command.args.join(' ')} can't be started; see ${log}`);
  const ended = once(child, 'exit');
  const program = { pid: child.pid, stop: () => end(child, ended), kill: () => end(child, ended, 'SIGKILL') };
  children.add(program);
  child.once('exit', () => children.delete(program));
  return program;
}

/** Stops whatever was started here and still runs. */
export async function stopAll(): Promise<void> {
  await Promise.all([...children].map((program) => program.stop()));
}

/** Puts this process, which is part of the load, on `cores`. Programs that it starts from now on stay there unless told otherwise. */
export async function pinThisProcess(cores: Cores): Promise<void> {
  await promisify(execFile)('taskset', ['-a', '-c', '-p', cores, String(process.pid)]);
}

/** Of a program that may be where the PATH of most users does not lead. */
export function programPath(name: string): string {
  const found = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin']
    .map((dir) => join(dir, name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} can't be found; npm run bench installs it`);
  return found;
}

async function end(child: ChildProcess, ended: Promise<unknown>, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  const killer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  await ended;
  clearTimeout(killer);
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

/** Waits until no process has this id; by then it was told to end, or whom it serves is gone. */
export async function untilGone(pid: number): Promise<void> {
  await until(`process ${pid} to end`, async () => !existsSync(`/proc/${pid}`));
}

/** How many files, sockets included, this process may have open, and those that it starts. */
export function fileLimit(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
}

/** Memory that a process has in RAM. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory: it has ended`);
  return Number(kilobytes) * 1024;
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
