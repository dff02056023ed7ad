// How long it takes from the start of a proxy to its first answer from a server.

import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figure } from '../figures.ts';
import { encodeCommand } from '../keys.ts';
import { inRounds } from '../measure.ts';
import { CORES } from '../process.ts';
import type { Prepared } from '../proxies.ts';
import { say } from '../workbench.ts';
import { type BenchSection, type Ground, severalRounds } from './section.ts';

const ANY_CORE = CORES.join(',');
const RETRY_MS = 2;
const TIMEOUT_MS = 30_000;
/** How the one before ended. */
const ENDS = { 'first answer': 'stop', 'first answer after kill -9': 'kill' } as const;
const REQUEST = encodeCommand(['GET', 'key']);

export const start: BenchSection = {
  id: 'start',
  title: 'Start',
  about: `On any core. From starting the process to the reply to a GET; a client that is refused tries again after ${RETRY_MS} ms.`,
  async measure({ bench, scale, redis, subjects }: Ground): Promise<Figure[]> {
    const ready: Prepared[] = [];
    for (const subject of subjects) ready.push(await bench.prepare(subject, redis));
    const things = Object.keys(ENDS) as (keyof typeof ENDS)[];
    const times = await inRounds({ rounds: severalRounds(scale), things, subjects: ready, say }, timeOf);
    return things.flatMap((load, thing) =>
      subjects.map(({ name: subject }, at): Figure => {
        return { section: 'start', load, subject, measure: 'start', rounds: times[thing]?.[at] ?? [] };
      }),
    );
  },
};

/** Of a proxy that ended well the time before. */
async function timeOf(load: keyof typeof ENDS, subject: Prepared): Promise<number> {
  if (ENDS[load] === 'kill') await (await subject.start(ANY_CORE)).kill();
  const startedMs = performance.now();
  const program = subject.launch(ANY_CORE);
  while (!(await answers(subject.port))) {
    if (performance.now() - startedMs > TIMEOUT_MS) throw new Error(`no answer on ${subject.port} after ${TIMEOUT_MS} ms`);
    await delay(RETRY_MS);
  }
  const tookMs = performance.now() - startedMs;
  await (await subject.running(program)).stop();
  return tookMs;
}

/** False when nobody listens there. An error reply is none of the server's. */
function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (answered: boolean) => {
      socket.destroy();
      done(answered);
    };
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
    socket.once('data', (reply) => end(reply[0] === 0x24));
    socket.write(REQUEST);
  });
}
