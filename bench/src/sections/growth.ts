// What a request costs the more groups there are, and the more databases clients use: on one page, for what grows must not grow dear.

import type { Figure } from '../figures.ts';
import type { Load } from '../load.ts';
import { inRounds, type Sample, sampleOf } from '../measure.ts';
import type { Running } from '../proxies.ts';
import { say } from '../workbench.ts';
import { type BenchSection, figuresOf, fillKeys, type Ground, LOAD_CORES, PROXY_CORES, severalRounds } from './section.ts';

/** redis-benchmark uses one database, so as many run as there are databases, always. */
const AT_ONCE = 16;
const CLIENTS_EACH = 3;
const LOADS = [
  { name: 'GET, pipeline 1', command: 'GET', pipeline: 1, times: 1 },
  { name: 'GET, pipeline 16', command: 'GET', pipeline: 16, times: 5 },
  { name: 'MGET of 100 keys', command: 'MGET', pipeline: 1, keysEach: 100, times: 0.15 },
] as const;

export const growth: BenchSection = {
  id: 'growth',
  title: 'More groups, more databases',
  about: `Groups: 50 clients, one proxy for each number of groups. Databases: ${AT_ONCE} redis-benchmarks with ${CLIENTS_EACH} clients each on 2 groups, which share the databases out.`,
  async measure(ground: Ground): Promise<Figure[]> {
    return [...(await byGroups(ground)), ...(await byDatabases(ground))];
  },
};

interface Grown {
  readonly name: string;
  readonly groups: number;
  readonly running: Running;
}

async function byGroups({ bench, scale, subjects }: Ground): Promise<Figure[]> {
  const counts = scale.groups;
  const servers = await bench.servers(Math.max(...counts), LOAD_CORES);
  const both = subjects.filter(({ name }) => name === 'Codis' || name === 'twemproxy');
  const grown: Grown[] = [];
  for (const subject of both) {
    for (const groups of counts) {
      say(`${subject.name} over ${groups} groups`);
      const running = await bench.start(subject, { redis: servers.slice(0, groups), cores: PROXY_CORES });
      grown.push({ name: subject.name, groups, running });
    }
  }
  // Not before all are set up: Codis takes no server that has keys.
  for (const { running } of grown) await fillKeys(running);
  const loads = LOADS.map(({ times, ...load }) => ({ ...load, requests: Math.round(scale.requests * times) }));
  const samples = await inRounds({ rounds: severalRounds(scale), things: loads, subjects: grown, say }, (load, { running }) =>
    sampleOf(running, [load], LOAD_CORES),
  );
  for (const { running } of grown) await bench.stop(running);
  return loads.flatMap(({ name: load }, thing) =>
    counts.flatMap((groups) =>
      grown.flatMap((subject, at) =>
        subject.groups === groups ? cpuAndRate(`${load}, groups: ${groups}`, subject.name, samples[thing]?.[at]) : [],
      ),
    ),
  );
}

async function byDatabases({ bench, scale, subjects, redis }: Ground): Promise<Figure[]> {
  const [codis] = subjects;
  if (codis === undefined) return [];
  const running = await bench.start(codis, { redis, cores: PROXY_CORES });
  for (let db = 0; db < Math.max(...scale.databases); db++) await fillKeys(running, db);
  const things = LOADS.flatMap(({ name, times, ...load }) =>
    scale.databases.map((databases) => {
      const each: Load = { ...load, clients: CLIENTS_EACH, requests: Math.ceil((scale.requests * times) / AT_ONCE) };
      const loads = Array.from({ length: AT_ONCE }, (_, at): Load => ({ ...each, db: at % databases }));
      return { name: `${name}, databases: ${databases}`, loads };
    }),
  );
  const samples = await inRounds({ rounds: severalRounds(scale), things, subjects: [running], say }, ({ loads }, subject) =>
    sampleOf(subject, loads, LOAD_CORES),
  );
  await bench.stop(running);
  return things.flatMap(({ name }, thing) => cpuAndRate(name, codis.name, samples[thing]?.[0]));
}

function cpuAndRate(load: string, subject: string, samples: readonly Sample[] = []): Figure[] {
  return figuresOf({ section: 'growth', load, subject }, samples).filter(({ measure }) => measure === 'cpu' || measure === 'rate');
}
