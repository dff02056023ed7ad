// The libraries of other languages: programs beside this file that print `ok <check>` or `no <check>: <why>` for each check, and here how each is run.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { REPO, scratchDir } from '../harness/process.ts';
import { CHECKS, type Check, type Library, type Outcome } from './library.ts';

const PROGRAMS = join(REPO, 'test/clients/programs');
/** A program that takes longer hangs. */
const PROGRAM_MS = 90_000;

interface Program {
  readonly name: string;
  readonly language: string;
  readonly file: string;
  /** The command that runs `file`; `dir` is for what it builds. */
  readonly command: (file: string, dir: string) => readonly string[];
  /** Run once before. */
  readonly build?: (file: string, dir: string) => readonly string[];
  readonly env?: (dir: string) => Readonly<Record<string, string>>;
}

/** Libraries as Debian 12 packages them; scripts/bootstrap.mjs installs them. */
const LIST: readonly Program[] = [
  // Not the python3 of the path, which may be another one than Debian's.
  { name: 'redis-py 4.3', language: 'Python', file: 'client.py', command: (file) => ['/usr/bin/python3', file] },
  { name: 'redis-rb 4.8', language: 'Ruby', file: 'client.rb', command: (file) => ['ruby', file] },
  { name: 'phpredis 5.3', language: 'PHP', file: 'client.php', command: (file) => ['php', file] },
  {
    name: 'hiredis 0.14',
    language: 'C',
    file: 'client.c',
    build: (file, dir) => ['gcc', '-O1', '-o', join(dir, 'client'), file, '-lhiredis'],
    command: (_, dir) => [join(dir, 'client')],
  },
  { name: 'Redis.pm 2.0', language: 'Perl', file: 'client.pl', command: (file) => ['perl', file] },
  { name: 'redis-lua 2.0', language: 'Lua', file: 'client.lua', command: (file) => ['lua5.1', file] },
  {
    name: 'redigo 1.8',
    language: 'Go',
    file: 'client.go',
    build: (file, dir) => ['go', 'build', '-o', join(dir, 'client-go'), file],
    command: (_, dir) => [join(dir, 'client-go')],
    env: (dir) => ({ GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(dir, 'gocache') }),
  },
];

/** The libraries, built where they must be. Call it once. */
export async function programs(): Promise<Library[]> {
  const dir = scratchDir('clients');
  return await Promise.all(
    LIST.map(async (program) => {
      const file = join(PROGRAMS, program.file);
      const env = { ...process.env, ...program.env?.(dir) };
      if (program.build) {
        const { code, output } = await runProgram(program.build(file, dir), env);
        if (code !== 0) throw new Error(`${program.file} could not be built:\n${output}`);
      }
      return {
        name: program.name,
        language: program.language,
        run: async (port: number, prefix: string) => {
          const { output } = await runProgram([...program.command(file, dir), '127.0.0.1', String(port), prefix], env);
          return outcomeOf(output);
        },
      };
    }),
  );
}

function outcomeOf(output: string): Outcome {
  const said = new Map<string, string>();
  for (const line of output.split('\n')) {
    const [, verdict, check = '', why = ''] = /^(ok|no) (\w+):? ?(.*)$/.exec(line) ?? [];
    if (verdict !== undefined) said.set(check, verdict === 'ok' ? '' : why || 'it failed');
  }
  const entries = CHECKS.map((check) => [check, said.get(check) ?? `it said nothing; its output: ${output.slice(-300)}`]);
  return Object.fromEntries(entries) as Record<Check, string>;
}

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command to its end, at most PROGRAM_MS; it dies with this process. */
export function runProgram(command: readonly string[], env: NodeJS.ProcessEnv = process.env, input = ''): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    const take = (bytes: Buffer) => {
      output += bytes.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const timer = setTimeout(() => child.kill('SIGKILL'), PROGRAM_MS);
    child.once('error', failed);
    child.once('close', (code) => {
      clearTimeout(timer);
      done({ code, output });
    });
  });
}
