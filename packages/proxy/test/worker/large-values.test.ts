// Goal: buffers are used again for what is read and for large requests, and nobody ever sees in them what was meant for another.
// Method: many clients at once, each with values of its own (every eight bytes of one say whose it is and where they stand), of sizes around those where
// something begins to be copied or gathered, alone and in pipelines; the server stops now and then, so that much waits to be written.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type OneWorker, startWorker } from './one-worker.ts';

const SIZES = [1, 5000, 8192, 9000, 16_384, 40_000, 65_500, 65_536, 66_000, 130_000, 262_144, 1_048_576, 1_200_000, 3_000_000];

let servers: RedisServer[];
let worker: OneWorker;

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()];
  worker = await startWorker();
  worker.route(servers);
});

afterAll(async () => {
  worker.close();
  for (const server of servers) await server.stop();
});

function value(seed: number, bytes: number): Buffer {
  const words = new Uint32Array(Math.ceil(bytes / 8) * 2);
  for (let at = 0; at < words.length; at++) words[at] = at % 2 === 0 ? seed : at;
  return Buffer.from(words.buffer, 0, bytes);
}

test('large values of many clients are what they were, however they were sent and asked for', { timeout: 120_000 }, async () => {
  const clients = Array.from({ length: 12 }, () => worker.client());
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      clients.map(async (client, who) => {
        const seed = round * 100 + who;
        const size = (at: number) => SIZES[(at * 5 + who * 3 + round) % SIZES.length]!;
        const keys = Array.from({ length: 6 }, (_, at) => `${who}:${at}`);
        if (who % 2 === 0) await Promise.all(keys.map((key, at) => client.set(key, value(seed * 10 + at, size(at)))));
        else for (const [at, key] of keys.entries()) await client.set(key, value(seed * 10 + at, size(at)));
        const read = who % 3 === 0 ? await client.mgetBuffer(keys) : await Promise.all(keys.map((key) => client.getBuffer(key)));
        for (const [at, got] of read.entries()) expect(got?.equals(value(seed * 10 + at, size(at))), `${seed}, ${at}`).toBe(true);
      }),
    );
  }
});

test('a large value that waits for its server is what it was, though others come and go meanwhile', { timeout: 60_000 }, async () => {
  const [first, second] = [worker.client(), worker.client()];
  // Slots are dealt out in turn; whose key is where is asked of the servers.
  const probe = servers[0]!.client();
  const onFirst: string[] = [];
  const onSecond: string[] = [];
  for (let at = 0; at < 40; at++) {
    await second.set(`w:${at}`, 'x');
    const there = await probe.exists(`w:${at}`);
    (there === 1 ? onFirst : onSecond).push(`w:${at}`);
  }
  process.kill(servers[0]!.child.pid, 'SIGSTOP');
  const waiting = onFirst.slice(0, 8).map((key, at) => (at % 2 ? first : worker.client()).set(key, value(at, 1_048_576)));
  try {
    for (const [at, key] of onSecond.slice(0, 8).entries()) {
      await second.set(key, value(100 + at, 1_048_576));
      expect((await second.getBuffer(key))?.equals(value(100 + at, 1_048_576))).toBe(true);
    }
  } finally {
    process.kill(servers[0]!.child.pid, 'SIGCONT');
  }
  await Promise.all(waiting);
  for (const [at, key] of onFirst.slice(0, 8).entries()) {
    expect((await second.getBuffer(key))?.equals(value(at, 1_048_576)), key).toBe(true);
  }
});
