// `npm run bench`: Codis, twemproxy, HAProxy and Redis in the same rounds; a page to read and a file to compare.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Figure, type Results, writeResults } from './figures.ts';
import { machineFacts } from './machine.ts';
import { anonymous, BENCH_HELP, type BenchOptions, readBenchOptions } from './options.ts';
import { type PeerName, peer } from './peers.ts';
import { fileLimit, pinThisProcess } from './process.ts';
import { codisBuild, type Subject } from './proxies.ts';
import { renderReport } from './report.ts';
import { clients } from './sections/clients.ts';
import { fairness } from './sections/fairness.ts';
import { growth } from './sections/growth.ts';
import { large } from './sections/large.ts';
import { main } from './sections/main.ts';
import { paced } from './sections/paced.ts';
import { type BenchSection, LOAD_CORES, PROXY_CORES, type Scale, SERVERS_COUNT } from './sections/section.ts';
import { start } from './sections/start.ts';
import { workers } from './sections/workers.ts';
import { say, withWorkbench } from './workbench.ts';

export const SECTIONS: readonly BenchSection[] = [main, clients, paced, large, workers, start, fairness, growth];
const PEERS: readonly PeerName[] = ['twemproxy', 'HAProxy', 'Redis'];
/** Connections that HAProxy relays take two; Redis keeps some for itself. */
const FILES_WANTED = 40_000;

const COUNTS = { crowd: [1000, 10_000], groups: [1, 2, 4, 8, 32], databases: [1, 2, 4, 8, 16] } as const;
const FULL: Scale = { ...COUNTS, rounds: 5, requests: 40_000, watchMs: 5000, pacedTurns: 15, largeReplyBytes: 500_000_000 };
const QUICK: Scale = { ...COUNTS, rounds: 3, requests: 8_000, watchMs: 1000, pacedTurns: 1, largeReplyBytes: 50_000_000 };

/** Gives the exit code. */
export async function bench(argv: readonly string[]): Promise<number> {
  try {
    const options = readBenchOptions(
      argv,
      SECTIONS.map(({ id }) => id),
    );
    if (options === null) process.stdout.write(BENCH_HELP);
    else await run(options, argv);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

async function run(options: BenchOptions, argv: readonly string[]): Promise<void> {
  const scale = { ...(options.quick ? QUICK : FULL), ...(options.rounds === null ? {} : { rounds: options.rounds }) };
  const subjects = [await codisBuild('Codis', '.'), ...(await Promise.all(PEERS.map(peer)))];
  const facts = await factsOf(subjects, scale, argv);
  const sections = SECTIONS.filter(({ id }) => options.only.includes(id));
  await raiseFileLimit();
  await pinThisProcess(LOAD_CORES);
  const results: Results = { format: 1, facts, ...(await measureSections({ sections, subjects, scale })) };
  const report = renderReport(results, { title: 'The proxy beside its peers', sections: SECTIONS });
  process.stdout.write(report);
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(`${options.out}.md`, report);
  writeFileSync(`${options.out}.json`, writeResults(results));
  say(`\nwritten: ${options.out}.md, ${options.out}.json`);
}

/** In a workbench of its own. `subjects`: Codis first. */
export function measureSections({
  sections,
  subjects,
  scale,
}: {
  sections: readonly BenchSection[];
  subjects: readonly Subject[];
  scale: Scale;
}): Promise<Pick<Results, 'figures' | 'notes'>> {
  return withWorkbench(async (workbench) => {
    const notes: string[] = [];
    const figures: Figure[] = [];
    const redis = await workbench.servers(SERVERS_COUNT, LOAD_CORES);
    // Before anything writes to them: Codis takes no server that has keys.
    for (const subject of subjects) await workbench.prepare(subject, redis);
    for (const section of sections) {
      say(`— ${section.title}`);
      figures.push(...(await section.measure({ bench: workbench, scale, redis, subjects, notes })));
    }
    return { notes, figures };
  });
}

async function factsOf(subjects: readonly Subject[], scale: Scale, argv: readonly string[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const { name, version } of subjects) versions[name] = version;
  const { redis: _, ...machine } = await machineFacts();
  return {
    ...machine,
    ...versions,
    rounds: `${scale.rounds}, in turns, after one that was thrown away; median (quartiles)`,
    cores: `what is measured on core ${PROXY_CORES}, load and servers on core ${LOAD_CORES}, unless said`,
    command: `npm run bench -- ${argv.map(anonymous).join(' ')}`.trim(),
  };
}

/** What is started from here on inherits it. Where it can't be raised, what needs it is left out, and the results say so. */
async function raiseFileLimit(): Promise<void> {
  if (fileLimit() >= FILES_WANTED) return;
  const limit = `--nofile=${FILES_WANTED}:${FILES_WANTED}`;
  await promisify(execFile)('prlimit', ['--pid', String(process.pid), limit]).catch((error: Error) =>
    say(`the limit of open files stays ${fileLimit()}: ${error.message.trim().split('\n').at(-1)}`),
  );
}
