// `npm run bench:cost`: CPU time of a worker per GET and SET, at three pipeline depths, and per MGET and MSET of 100 keys, in two builds.

import { writeFileSync } from 'node:fs';
import { type Load, loadArgs } from './load.ts';
import { machineFacts } from './machine.ts';
import { type Measurement, measure, type Sample } from './measure.ts';
import { anonymous, COST_HELP, type CostOptions, readCostOptions } from './options.ts';
import { CORES } from './process.ts';
import { codisBuild, type Running, type Subject } from './proxies.ts';
import { ratios, summarize } from './statistics.ts';
import { renderFacts, renderTable, withSpread } from './table.ts';
import { say, withWorkbench } from './workbench.ts';

/** The proxy has a core of its own; the load and the servers share the other. */
const PROXY_CORE = CORES[0] ?? '0';
const LOAD_CORE = CORES[1] ?? PROXY_CORE;
const SERVERS = 2;
/** By pipeline depth: how many times the requests of an unpipelined run, for about the same time. */
const DEPTHS = [
  { pipeline: 1, times: 1 },
  { pipeline: 16, times: 5 },
  { pipeline: 100, times: 8 },
];
const MANY_KEYS = 100;
const MANY_KEYS_TIMES = 0.3;

/** Gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readCostOptions(argv);
    if (options === null) process.stdout.write(COST_HELP);
    else await compare(options, argv);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n\n${COST_HELP}`);
    return 1;
  }
}

async function compare(options: CostOptions, argv: readonly string[]): Promise<void> {
  const subjects = [await codisBuild('before', options.before), await codisBuild('after', options.after)];
  const facts = await machineFacts();
  const results = await withWorkbench(async (bench) => {
    const redis = await bench.servers(SERVERS, LOAD_CORE);
    const running: Running[] = [];
    for (const subject of subjects) running.push(await bench.start(subject, { redis, cores: PROXY_CORE }));
    return measure({ subjects: running, loads: loadsOf(options), rounds: options.rounds, loadCores: LOAD_CORE, say });
  });
  const report = render({ subjects, facts, results, rounds: options.rounds, argv });
  process.stdout.write(report);
  if (options.out !== null) writeFileSync(options.out, report);
}

/** Those that SET come first, so that what GET asks for is there. */
function loadsOf({ commands, requests }: CostOptions): Load[] {
  return commands.flatMap((command): Load[] =>
    command === 'MSET' || command === 'MGET'
      ? [{ command, pipeline: 1, keysEach: MANY_KEYS, requests: requests * MANY_KEYS_TIMES }]
      : DEPTHS.map(({ pipeline, times }) => ({ command, pipeline, requests: requests * times })),
  );
}

interface Report {
  readonly subjects: readonly Subject[];
  readonly facts: Readonly<Record<string, string>>;
  readonly results: readonly Measurement[];
  readonly rounds: number;
  readonly argv: readonly string[];
}

function render({ subjects, facts, results, rounds, argv }: Report): string {
  const [before, after] = subjects;
  const header = ['command', 'pipeline', 'before, µs/request', 'after, µs/request', 'after / before', 'before, req/s', 'after, req/s'];
  const rows = results.map(({ load, samples: [old = [], young = []] }) => [
    load.keysEach === undefined ? load.command : `${load.command} of ${load.keysEach} keys`,
    String(load.pipeline),
    withSpread(summarize(costs(old)), 2),
    withSpread(summarize(costs(young)), 2),
    withSpread(summarize(ratios(costs(young), costs(old))), 3),
    summarize(old.map((sample) => sample.requestsPerSecond)).median.toFixed(0),
    summarize(young.map((sample) => sample.requestsPerSecond)).median.toFixed(0),
  ]);
  const example = results[0] === undefined ? [] : loadArgs(results[0].load);
  const about = {
    before: before?.version ?? '',
    after: after?.version ?? '',
    ...facts,
    rounds: `${rounds}, in turns, after one that was thrown away; median (quartiles)`,
    'each run': `\`redis-benchmark ${example.join(' ')}\``,
    cores: `proxies (1 worker each) on core ${PROXY_CORE}; redis-benchmark and ${SERVERS} redis-servers on core ${LOAD_CORE}`,
    command: `\`npm run bench:cost -- ${argv.map(anonymous).join(' ')}\``,
  };
  return `# CPU time of a worker per request\n\n${renderFacts(about)}\n${renderTable(header, rows)}`;
}

const costs = (samples: readonly Sample[]): number[] => samples.map((sample) => sample.cpuUsPerRequest);

process.exit(await main(process.argv.slice(2)));
