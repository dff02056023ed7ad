// One process of the cluster: started so that it can't outlive the starter, its output in a log file.
//
// `setpriv --pdeathsig TERM` (util-linux) has the kernel end it when the starter dies in any way, kill -9 included. It runs in its own
// session, so a Ctrl-C at the terminal reaches the starter alone, which stops things in order.

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

const TAIL_LINES = 12;

export class Child {
  readonly #process: ChildProcess;
  /** Resolves, never rejects, with how it ended in words: `with exit code 1`, `by SIGKILL`. */
  readonly ended: Promise<string>;
  #running = true;

  constructor(command: Command, log: string) {
    const guard = GUARDED ? ['setpriv', '--pdeathsig', 'TERM', '--'] : [];
    const [file = command.file, ...args] = [...guard, command.file, ...command.args];
    const output = openSync(log, 'a');
    this.#process = spawn(file, args, { stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    this.ended = new Promise<string>((done) => {
      this.#process.once('error', (error) => done(`before it began: ${error.message}`));
      this.#process.once('exit', (code, signal) => done(signal === null ? `with exit code ${code}` : `by ${signal}`));
    }).then((how) => {
      this.#running = false;
      return how;
    });
  }

  get running(): boolean {
    return this.#running;
  }

  signal(name: NodeJS.Signals): void {
    if (this.#running) this.#process.kill(name);
  }

  /** Asks it to end, again every `askAgainMs` if given, and kills it after `graceMs`. Gives whether it ended by itself. */
  async stop(graceMs: number, askAgainMs?: number): Promise<boolean> {
    this.signal('SIGTERM');
    const again = askAgainMs === undefined ? undefined : setInterval(() => this.signal('SIGTERM'), askAgainMs);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((done) => {
      timer = setTimeout(done, graceMs, false);
    });
    const inTime = await Promise.race([this.ended.then(() => true), late]);
    clearTimeout(timer);
    clearInterval(again);
    if (!inTime) this.signal('SIGKILL');
    await this.ended;
    return inTime;
  }
}

/** The end of a log, indented, for a message. */
export function tailOf(log: string): string {
  if (!existsSync(log)) return '    (it is gone)';
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES);
  return lines.map((line) => `    ${line.slice(0, 300)}`).join('\n');
}

export function onPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const GUARDED = onPath('setpriv');
