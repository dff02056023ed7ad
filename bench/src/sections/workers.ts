// Whether a second worker costs the first anything.

import type { Figure } from '../figures.ts';
import { CLIENTS, type Load } from '../load.ts';
import { inRounds, sampleOf } from '../measure.ts';
import { CORES } from '../process.ts';
import { codisBuild, type Running } from '../proxies.ts';
import { say } from '../workbench.ts';
import { type BenchSection, figuresOf, type Ground } from './section.ts';

const WORKERS_CORES = CORES.slice(0, 2).join(',');
/** On two cores there is nowhere else, for one worker as for two. */
const OTHER_CORES = CORES.length >= 4 ? CORES.slice(2, 4).join(',') : WORKERS_CORES;
const LOADS = [
  { name: 'GET, pipeline 1', pipeline: 1, times: 1 },
  { name: 'GET, pipeline 16', pipeline: 16, times: 5 },
];

export const workers: BenchSection = {
  id: 'workers',
  title: 'Two workers',
  about: `Workers on cores ${WORKERS_CORES}, load and servers on cores ${OTHER_CORES}; ${CLIENTS} clients for each worker.`,
  async measure({ bench, scale }: Ground): Promise<Figure[]> {
    const redis = await bench.servers(2, OTHER_CORES);
    const subjects: { name: string; count: number; running: Running }[] = [];
    for (const count of [1, 2]) {
      const name = count === 1 ? '1 worker' : `${count} workers`;
      const subject = await codisBuild(name, '.', { workers: count });
      subjects.push({ name, count, running: await bench.start(subject, { redis, cores: WORKERS_CORES }) });
    }
    const samples = await inRounds({ rounds: scale.rounds, things: LOADS, subjects, say }, ({ pipeline, times }, { running, count }) => {
      const load: Load = { command: 'GET', pipeline, requests: scale.requests * times * count, clients: CLIENTS * count };
      return sampleOf(running, [load], OTHER_CORES);
    });
    for (const { running } of subjects) await bench.stop(running);
    return LOADS.flatMap(({ name: load }, thing) =>
      subjects.flatMap(({ name: subject }, at) => figuresOf({ section: 'workers', load, subject }, samples[thing]?.[at] ?? [])),
    );
  },
};
