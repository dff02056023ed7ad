// What clients cost that are connected and do nothing: memory, and CPU time of the few that do something.

import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../figures.ts';
import { IdleClients } from '../idle-clients.ts';
import { CLIENTS, type Load } from '../load.ts';
import { inTurn, type Sample, sampleOf } from '../measure.ts';
import { haproxyClientsMax } from '../peers.ts';
import { residentBytes } from '../process.ts';
import type { Running, Subject } from '../proxies.ts';
import { say } from '../workbench.ts';
import { type BenchSection, figuresOf, fillKeys, type Ground, LOAD_CORES, PROXY_CORES, severalRounds } from './section.ts';

/** Of a crowd, those that are left to redis-benchmark and to who asks how a proxy is. */
const NOT_IDLE = CLIENTS + 10;
const MB = 2 ** 20;

interface Crowd {
  readonly clients: number;
  readonly residentBytes: number;
  readonly sample: Sample;
}

export const clients: BenchSection = {
  id: 'clients',
  title: 'Many clients, most of them idle',
  about: `Started anew each time. ${CLIENTS} of the clients send GETs, unpipelined; memory is that of all worker processes, before those ${CLIENTS} come.`,
  async measure(ground: Ground): Promise<Figure[]> {
    const { scale, subjects } = ground;
    const rounds = severalRounds(scale);
    const seen = subjects.map((): Crowd[][] => []);
    const able = subjects.map((subject) => ({ subject, crowd: scale.crowd.filter((count) => isPossible(subject, count, ground)) }));
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`);
      for (const at of inTurn(subjects.length, round)) {
        const { subject, crowd } = able[at] as (typeof able)[number];
        seen[at]?.push(await crowdsOf(ground, subject, crowd));
      }
    }
    return scale.crowd.flatMap((count, at) => subjects.flatMap(({ name }, subject) => crowdFigures(name, count, seen[subject] ?? [], at)));
  },
};

function isPossible({ name }: Subject, count: number, { notes }: Ground): boolean {
  if (name !== 'HAProxy' || count <= haproxyClientsMax()) return true;
  notes.push(`HAProxy with ${nameOf(count)}: it takes two files for each, and this machine allows no more`);
  return false;
}

async function crowdsOf({ bench, redis, scale }: Ground, subject: Subject, counts: readonly number[]): Promise<Crowd[]> {
  const running = await bench.start(subject, { redis, cores: PROXY_CORES });
  const idle = new IdleClients(running.port);
  const load: Load = { command: 'GET', pipeline: 1, requests: scale.requests };
  await fillKeys(running);
  await sampleOf(running, [load], LOAD_CORES);
  const crowds: Crowd[] = [];
  for (const clients of counts) {
    await idle.fillTo(clients - NOT_IDLE);
    // What is left over from connecting is collected meanwhile.
    await delay(scale.watchMs);
    const bytes = residentOf(running);
    crowds.push({ clients, residentBytes: bytes, sample: await sampleOf(running, [load], LOAD_CORES) });
  }
  idle.close();
  await bench.stop(running);
  return crowds;
}

function crowdFigures(subject: string, count: number, rounds: readonly (readonly Crowd[])[], at: number): Figure[] {
  const here = rounds.flatMap((crowds) => crowds[at] ?? []);
  if (here.length === 0) return [];
  const place = { section: 'clients', load: nameOf(count), subject };
  const resident: Figure = { ...place, measure: 'resident', rounds: here.map(({ residentBytes }) => residentBytes / MB) };
  const fewer = at === 0 ? [] : rounds.map((crowds) => crowds[at - 1] as Crowd);
  const each = fewer.map((before, round) => kilobytesEach(before, here[round] as Crowd));
  const perClient: Figure[] = each.length === 0 ? [] : [{ ...place, measure: 'perClient', rounds: each }];
  return [
    ...figuresOf(
      place,
      here.map(({ sample }) => sample),
    ),
    resident,
    ...perClient,
  ];
}

function kilobytesEach(before: Crowd, after: Crowd): number {
  return (after.residentBytes - before.residentBytes) / (after.clients - before.clients) / 1024;
}

const nameOf = (count: number): string => `${count.toLocaleString('en')} clients`;

export function residentOf({ workerPids }: Running): number {
  return workerPids.reduce((sum, pid) => sum + residentBytes(pid), 0);
}
