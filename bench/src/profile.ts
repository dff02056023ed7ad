// `npm run bench:profile`: where a worker's time goes, by a CPU profile, beside what a request costs it.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Load, loadText } from './load.ts';
import { machineFacts } from './machine.ts';
import { sampleOf } from './measure.ts';
import { anonymous, PROFILE_HELP, type ProfileOptions, readProfileOptions } from './options.ts';
import { CORES, until } from './process.ts';
import { codisBuild, type Running } from './proxies.ts';
import { type Profile, type SelfTime, selfTimes } from './self-times.ts';
import { renderFacts, renderTable } from './table.ts';
import { say, withWorkbench } from './workbench.ts';

const PROXY_CORE = CORES[0] ?? '0';
const LOAD_CORE = CORES[1] ?? PROXY_CORE;
const SERVERS = 2;
/** What takes less is put together. */
const SHOWN_SHARE = 0.015;
const HOOK = pathToFileURL(join(import.meta.dirname, 'profile-hook.js')).href;

interface Profiled {
  readonly load: Load;
  readonly cpuUsPerRequest: number;
  readonly times: readonly SelfTime[];
}

/** Gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readProfileOptions(argv);
    if (options === null) process.stdout.write(PROFILE_HELP);
    else await run(options, argv);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n\n${PROFILE_HELP}`);
    return 1;
  }
}

async function run({ requests, out }: ProfileOptions, argv: readonly string[]): Promise<void> {
  const subject = await codisBuild('codis', '.');
  const facts = await machineFacts();
  const profiled: Profiled[] = [];
  await withWorkbench(async (bench) => {
    const redis = await bench.servers(SERVERS, LOAD_CORE);
    const file = join(bench.dir, 'profile.json');
    const prepared = await bench.prepare(subject, redis);
    process.env['CODIS_BENCH_PROFILE'] = file;
    process.env['NODE_OPTIONS'] = `--import=${HOOK}`;
    const running = bench.add(await prepared.start(PROXY_CORE));
    delete process.env['NODE_OPTIONS'];
    for (const load of loadsOf(requests)) {
      say(loadText(load));
      await sampleOf(running, [load], LOAD_CORE);
      profiled.push(await profile(running, load, file));
    }
  });
  const command = `npm run bench:profile -- ${argv.map(anonymous).join(' ')}`.trim();
  const about = renderFacts({
    version: subject.version,
    ...facts,
    cores: `the proxy (1 worker) on core ${PROXY_CORE}; redis-benchmark and ${SERVERS} redis-servers on core ${LOAD_CORE}`,
    command: `\`${command}\``,
  });
  const report = ['# Where a worker’s time goes\n', about, ...profiled.map(section)].join('\n');
  process.stdout.write(report);
  if (out !== null) writeFileSync(out, report);
}

/** Those that SET come first, so that what is asked for is there. */
function loadsOf(requests: number): Load[] {
  return [
    ...(['SET', 'GET'] as const).flatMap((command) =>
      [1, 16, 100].map((pipeline) => ({ command, pipeline, requests: requests * Math.min(8, pipeline) })),
    ),
    ...(['MSET', 'MGET'] as const).map((command) => ({ command, pipeline: 1, keysEach: 100, requests: Math.ceil(requests / 5) })),
  ];
}

async function profile(running: Running, load: Load, file: string): Promise<Profiled> {
  const toggle = () => {
    for (const pid of running.workerPids) process.kill(pid, 'SIGUSR2');
  };
  rmSync(file, { force: true });
  toggle();
  const { cpuUsPerRequest } = await sampleOf(running, [load], LOAD_CORE);
  toggle();
  await until('the profile', async () => existsSync(file));
  return { load, cpuUsPerRequest, times: selfTimes(JSON.parse(readFileSync(file, 'utf8')) as Profile) };
}

function section({ load, cpuUsPerRequest, times }: Profiled): string {
  const costs = times.map(({ where, micros }) => ({ where, each: micros / load.requests }));
  const sum = (some: readonly { each: number }[]) => some.reduce((total, { each }) => total + each, 0);
  const isShown = ({ each }: { each: number }) => each >= SHOWN_SHARE * cpuUsPerRequest;
  const rows = [
    ...costs.filter(isShown),
    { where: 'less than that each', each: sum(costs.filter((cost) => !isShown(cost))) },
    { where: 'the rest: reading from sockets, asking for events', each: Math.max(0, cpuUsPerRequest - sum(costs)) },
  ];
  const cells = rows.map(({ where, each }) => [where, each.toFixed(2), `${((each / cpuUsPerRequest) * 100).toFixed(1)} %`]);
  const title = load.keysEach === undefined ? `${load.command}, pipeline ${load.pipeline}` : `${load.command} of ${load.keysEach} keys`;
  const about = `\`${loadText(load)}\`: ${cpuUsPerRequest.toFixed(2)} µs of CPU for each, with the profiler running.`;
  return `## ${title}\n\n${about}\n\n${renderTable(['where', 'µs/request', 'share'], cells)}`;
}

process.exit(await main(process.argv.slice(2)));
