// The table that matters most: what a request costs, by command, pipeline and size.

import type { Figure } from '../figures.ts';
import { type Load, loadText } from '../load.ts';
import { measure } from '../measure.ts';
import { say } from '../workbench.ts';
import { type BenchSection, figuresOf, type Ground, LOAD_CORES, SERVERS_COUNT, withSubjects } from './section.ts';

interface Named extends Load {
  readonly name: string;
}

/** How many times the requests of an unpipelined run, for about the same time. */
const DEPTHS = [
  { pipeline: 1, times: 1 },
  { pipeline: 16, times: 5 },
  { pipeline: 100, times: 8 },
];
const MANY_KEYS = [
  { keysEach: 10, times: 0.6 },
  { keysEach: 100, times: 0.5 },
];
const SIZES = [
  { size: '4 KB', valueBytes: 4096, keysCount: 10_000, times: 0.6 },
  { size: '1 MB', valueBytes: 2 ** 20, keysCount: 16, times: 0.04 },
];

/** Those that SET come first, so that what GET asks for is there, and of its size. */
function mainLoads(requests: number): Named[] {
  const of = (times: number) => Math.max(Math.round(requests * times), 1);
  const pairs = (make: (isRead: boolean) => Named[]) => [...make(false), ...make(true)];
  return [
    ...pairs((isRead) =>
      DEPTHS.map(({ pipeline, times }) => {
        const command = isRead ? 'GET' : 'SET';
        return { name: `${command}, pipeline ${pipeline}`, command, pipeline, requests: of(times) };
      }),
    ),
    ...pairs((isRead) =>
      MANY_KEYS.map(({ keysEach, times }) => {
        const command = isRead ? 'MGET' : 'MSET';
        return { name: `${command} of ${keysEach} keys`, command, keysEach, pipeline: 1, requests: of(times) };
      }),
    ),
    ...SIZES.flatMap(({ size, times, ...shape }) =>
      (['SET', 'GET'] as const).map((command) => ({ name: `${command}, ${size}`, command, ...shape, pipeline: 1, requests: of(times) })),
    ),
  ];
}

export const main: BenchSection = {
  id: 'main',
  title: 'What a request costs',
  about: `redis-benchmark with 50 clients and values of 64 bytes unless said; ${SERVERS_COUNT} groups. For example \`${loadText({ command: 'GET', pipeline: 16, requests: 100_000 })}\` and \`${loadText({ command: 'MGET', pipeline: 1, keysEach: 100, requests: 10_000 })}\`.`,
  async measure(ground: Ground): Promise<Figure[]> {
    const loads = mainLoads(ground.scale.requests);
    const results = await withSubjects(ground, (subjects) =>
      measure({ subjects, loads, rounds: ground.scale.rounds, loadCores: LOAD_CORES, say }),
    );
    return results.flatMap(({ samples }, at) =>
      ground.subjects.flatMap(({ name: subject }, index) =>
        figuresOf({ section: 'main', load: loads[at]?.name ?? '', subject }, samples[index] ?? []),
      ),
    );
  },
};
