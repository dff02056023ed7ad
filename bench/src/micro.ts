// `npm run bench:micro`: what the functions that run for every request cost, one by one, so that a change shows what it costs before it drowns in a whole proxy.
//
// They are taken from the build of a checkout, as a proxy runs them. A round is a process of its own, for the compiler does not decide the same way each time: short samples in turns, after
// a warm-up in which it settles, and the median of them.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { slotOf } from '@codis/config/model';
import type * as Commands from '../../packages/proxy/src/commands/command.ts';
import type * as Replies from '../../packages/proxy/src/resp/reply-scanner.ts';
import type * as Requests from '../../packages/proxy/src/resp/request-scanner.ts';
import { type Results, writeResults } from './figures.ts';
import { encodeCommand } from './keys.ts';
import { machineFacts } from './machine.ts';
import { inRounds } from './measure.ts';
import { anonymous, MICRO_HELP, type MicroOptions, readMicroOptions } from './options.ts';
import { codisBuild } from './proxies.ts';
import { renderReport } from './report.ts';
import { summarize } from './statistics.ts';

const SECTION = {
  id: 'micro',
  title: 'Functions that run for every request',
  about: 'One operation is one key, one name, one request or one reply.',
};
/** How often a batch is repeated for one sample: some milliseconds. */
const SAMPLE_NS = 5_000_000;
const WARM_SAMPLES = 10;
const SAMPLES = 15;
const BATCH = 100;

/** Does `ops` operations, and gives something that depends on them all, so that the compiler leaves none out. */
interface Micro {
  readonly name: string;
  readonly ops: number;
  run(): number;
}

async function microsOf(top: string): Promise<Micro[]> {
  const load = <T>(path: string) => import(join(top, path)) as Promise<T>;
  const model = await load<{ slotOf: typeof slotOf }>('packages/config/dist/model/slot-hash.js');
  const commands = await load<typeof Commands>('packages/proxy/dist/commands/command.js');
  const requests = await load<typeof Requests>('packages/proxy/dist/resp/request-scanner.js');
  const replies = await load<typeof Replies>('packages/proxy/dist/resp/reply-scanner.js');
  return [
    hashing('slot of a key of 16 bytes', 'key:000000001234', model.slotOf),
    hashing('slot of a key of 36 bytes with a tag', 'session:{user:00001234}:preferences', model.slotOf),
    ...['GET', 'ZRANGEBYSCORE', 'NOSUCHCOMMAND'].map((name) => lookingUp(name, commands.findCommand)),
    scanningRequests('request: GET', ['GET', 'key:000000001234'], requests),
    scanningRequests('request: SET of 64 bytes', ['SET', 'key:000000001234', 'x'.repeat(64)], requests),
    scanningRequests('request: MGET of 100 keys', ['MGET', ...Array.from({ length: 100 }, () => 'key:000000001234')], requests),
    scanningReplies('reply: +OK', '+OK\r\n', replies),
    scanningReplies('reply: 64 bytes', `$64\r\n${'x'.repeat(64)}\r\n`, replies),
    scanningReplies('reply: 100 values of 64 bytes', `*100\r\n${`$64\r\n${'x'.repeat(64)}\r\n`.repeat(100)}`, replies),
  ];
}

function hashing(name: string, key: string, slot: typeof slotOf): Micro {
  const bytes = Buffer.from(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`);
  const start = bytes.length - key.length - 2;
  const run = () => {
    let sum = 0;
    for (let op = 0; op < BATCH; op++) sum += slot(bytes, start, start + key.length);
    return sum;
  };
  return { name, ops: BATCH, run };
}

function lookingUp(command: string, find: typeof Commands.findCommand): Micro {
  const bytes = Buffer.from(command);
  const run = () => {
    let sum = 0;
    for (let op = 0; op < BATCH; op++) sum += find(bytes, 0, bytes.length)?.index ?? 1;
    return sum;
  };
  return { name: `command: ${command}`, ops: BATCH, run };
}

function scanningRequests(name: string, words: readonly string[], { RequestScanner, FRAME }: typeof Requests): Micro {
  const chunk = repeat(encodeCommand(words));
  const scanner = new RequestScanner(2 ** 29);
  const run = () => {
    let sum = 0;
    scanner.feed(chunk);
    while (scanner.next() === FRAME) sum += scanner.frame.argc;
    if (sum !== BATCH * words.length) throw new Error(`${name}: ${sum} arguments were found`);
    return sum;
  };
  return { name, ops: BATCH, run };
}

function scanningReplies(name: string, reply: string, { ReplyScanner }: typeof Replies): Micro {
  const chunk = repeat(Buffer.from(reply));
  const scanner = new ReplyScanner();
  const run = () => {
    let found = 0;
    for (let at = 0; at < chunk.length; found++) at = scanner.scan(chunk, at, chunk.length);
    if (found !== BATCH) throw new Error(`${name}: ${found} replies were found`);
    return found;
  };
  return { name, ops: BATCH, run };
}

const repeat = (bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: BATCH }, () => bytes));

/** Nanoseconds for one operation. */
function sample({ ops, run }: Micro): number {
  const startedNs = process.hrtime.bigint();
  let tookNs = 0;
  let times = 0;
  let sum = 0;
  while (tookNs < SAMPLE_NS) {
    for (let again = 0; again < 10; again++) sum += run();
    times += 10;
    tookNs = Number(process.hrtime.bigint() - startedNs);
  }
  if (sum <= 0) throw new Error('nothing was done');
  return tookNs / times / ops;
}

/** One round of all, by name. */
async function roundOf(checkout: string): Promise<Record<string, number>> {
  const micros = await microsOf(resolve(checkout));
  for (const micro of micros) for (let warm = 0; warm < WARM_SAMPLES; warm++) sample(micro);
  const samples = await inRounds({ rounds: SAMPLES, things: ['op'], subjects: micros, say: () => undefined }, async (_, micro) =>
    sample(micro),
  );
  return Object.fromEntries(micros.map(({ name }, at) => [name, summarize(samples[0]?.[at] ?? []).median]));
}

/** Gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readMicroOptions(argv);
    if (options === null) process.stdout.write(MICRO_HELP);
    else if (options.isRound) process.stdout.write(JSON.stringify(await roundOf(options.checkout)));
    else await measureAll(options, argv);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function measureAll({ checkout, rounds, out }: MicroOptions, argv: readonly string[]): Promise<void> {
  const { version } = await codisBuild('Codis', checkout);
  const { redis: _, load: __, ...machine } = await machineFacts();
  const seen: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), '--round', '--checkout', checkout]);
    seen.push(JSON.parse(stdout) as Record<string, number>);
  }
  const results: Results = {
    format: 1,
    facts: {
      ...machine,
      Codis: version,
      rounds: `${rounds}, each a process of its own; median (quartiles)`,
      command: `npm run bench:micro -- ${argv.map(anonymous).join(' ')}`.trim(),
    },
    notes: [],
    figures: Object.keys(seen[0] ?? {}).map((load) => ({
      section: SECTION.id,
      load,
      subject: 'Codis',
      measure: 'op',
      rounds: seen.map((times) => times[load] as number),
    })),
  };
  const report = renderReport(results, { title: 'What single functions cost', sections: [SECTION] });
  process.stdout.write(report);
  if (out === null) return;
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.md`, report);
  writeFileSync(`${out}.json`, writeResults(results));
}

process.exit(await main(process.argv.slice(2)));
