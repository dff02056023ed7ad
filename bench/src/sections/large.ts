// What one very large reply does to memory when its client reads slowly.

import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../figures.ts';
import { encodeCommand } from '../keys.ts';
import { sampleOf } from '../measure.ts';
import type { Running } from '../proxies.ts';
import { readSlowly } from '../slow-reader.ts';
import { say } from '../workbench.ts';
import { residentOf } from './clients.ts';
import { type BenchSection, type Ground, LOAD_CORES, withSubjects } from './section.ts';

const BYTES_PER_SECOND = 10_000_000;
const KEY = 'large';
const LOOK_MS = 50;
const MB = 2 ** 20;

export const large: BenchSection = {
  id: 'large',
  title: 'One very large reply',
  about:
    'GET of a string while nothing else happens, once, from all at the same time; the most memory that the worker had meanwhile, less what it had before. Redis is not shown: the value is its own.',
  async measure(ground: Ground): Promise<Figure[]> {
    const bytes = ground.scale.largeReplyBytes;
    const subjects = ground.subjects.filter(({ name }) => name !== 'Redis');
    const load = `${bytes / 1_000_000} MB to a client that reads 10 MB/s`;
    say(`${bytes / BYTES_PER_SECOND} seconds`);
    return withSubjects({ ...ground, subjects }, async (running) => {
      for (const subject of running) await warmUp(subject, bytes, ground.scale.requests);
      const growths = await Promise.all(running.map((subject) => growthOf(subject, bytes)));
      for (const { port } of running) await ask(port, ['DEL', KEY]);
      return growths.map((growth, at) => ({
        section: 'large',
        load,
        subject: subjects[at]?.name ?? '',
        measure: 'growth',
        rounds: [growth / MB],
      }));
    });
  },
};

async function warmUp(subject: Running, bytes: number, requests: number): Promise<void> {
  await ask(subject.port, ['SETRANGE', KEY, String(bytes - 1), 'x']);
  await sampleOf(subject, [{ command: 'GET', pipeline: 1, requests }], LOAD_CORES);
}

async function growthOf(subject: Running, bytes: number): Promise<number> {
  const before = residentOf(subject);
  let most = before;
  let isRead = false;
  const reading = readSlowly({ port: subject.port, key: KEY, bytes }, BYTES_PER_SECOND).finally(() => {
    isRead = true;
  });
  while (!isRead) {
    most = Math.max(most, residentOf(subject));
    await delay(LOOK_MS);
  }
  await reading;
  return most - before;
}

/** Throws for an error reply. */
async function ask(port: number, words: readonly string[]): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(encodeCommand(words));
  const [reply] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  if (reply[0] === 0x2d) throw new Error(`${words[0]} was answered ${reply.toString('latin1')}`);
}
