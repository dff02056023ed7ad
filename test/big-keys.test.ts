// Goal: a hash of 300,000 fields and a string of 40 MB move while clients use them, their slot and the rest of the source, and nobody waits for them but who
// writes them.
// Method: two proxies and a real dashboard. Before the move both keys are handed over in one step each, as a copy, which tells how long that blocks a server on
// this machine today; in the move no command may take half of that at either server. What clients were told is the oracle for what is there afterwards.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { MigrationsView, MigrationView } from '@codis/config/api';
import { arrivalKey, asGroupId, slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';

const FIELDS_COUNT = 300_000;
const STRING_BYTES = 40 * 1024 * 1024;
const TTL_SECONDS = 7200;
/** A tag whose slot the first group has. */
const TAG = ['one', 'two', 'three', 'four', 'five', 'six', 'seven'].find((tag) => slotOf(Buffer.from(tag)) < 512) as string;
const HASH = `{${TAG}}:hash`;
const STRING = `{${TAG}}:string`;
const SLOT = String(slotOf(Buffer.from(TAG)));

let cluster: Cluster;
let source: Redis;
let target: Redis;
let content: Buffer;

beforeAll(async () => {
  const redisConfig = { 'enable-debug-command': 'yes', 'slowlog-log-slower-than': '1000', 'slowlog-max-len': '1000' };
  cluster = await startCluster({ proxies: 2, groups: 2, redisConfig, settings: { slot_hold_timeout_ms: 3000 } });
  [source, target] = cluster.servers.map((servers) => servers[0]?.client()) as [Redis, Redis];
  content = randomBytes(STRING_BYTES);
  await source.set(STRING, content, 'EX', TTL_SECONDS);
  for (let first = 0; first < FIELDS_COUNT; first += 1000) {
    await source.hset(HASH, ...Array.from({ length: 1000 }, (_, at) => [`field:${first + at}`, `value:${first + at}`]).flat());
  }
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

test('big keys move in pieces: others go on, reads of them go on, writes to them wait or are told to try again, and nothing is lost', async () => {
  const blockedMicros = await handOverInOneStep();
  const before = await Promise.all([HASH, STRING].map((key) => digest(source, key)));
  await Promise.all([source.slowlog('RESET'), target.slowlog('RESET')]);
  const clients = new Clients();
  clients.start(cluster.proxies);
  await eventually(() => clients.counts.others > 50, { what: 'clients to be at work' });

  await cluster.cliOk('slot', 'migrate', SLOT, SLOT, '2');
  await eventually(async () => (await migration()).state === 'done', { what: 'the migration', timeoutMs: 60_000, everyMs: 100 });
  await clients.stop();

  expect(clients.errors).toEqual([]);
  expect(cluster.dashboard.output().match(/"big key moved"/g)).toHaveLength(2);
  expect(cluster.dashboard.output()).not.toContain('moves in one step');
  expect(clients.counts.readsOnTheWay).toBeGreaterThan(0);
  expect(await slowest()).toBeLessThan(blockedMicros / 2);

  const fields = [...clients.written.keys()];
  expect(fields.length).toBeGreaterThan(0);
  expect(await target.hmget(HASH, ...fields)).toEqual(fields.map(() => 'new'));
  await target.hdel(HASH, ...fields);
  expect(await Promise.all([HASH, STRING].map((key) => digest(target, key)))).toEqual(before);
  expect(await target.hlen(HASH)).toBe(FIELDS_COUNT);
  expect([await source.exists(HASH, STRING), await target.exists(arrivalKey('test', asGroupId(1)))]).toEqual([0, 0]);
  const ttl = await target.ttl(STRING);
  expect(ttl).toBeGreaterThan(TTL_SECONDS - 300);
  expect(ttl).toBeLessThanOrEqual(TTL_SECONDS);
}, 120_000);

/** How long the source is blocked when it hands the hash over as a whole: the longest of some times. */
async function handOverInOneStep(): Promise<number> {
  const micros: number[] = [];
  for (let time = 0; time < 3; time++) {
    await source.slowlog('RESET');
    await source.call('MIGRATE', ['127.0.0.1', String(cluster.servers[1]?.[0]?.port), HASH, '0', '30000', 'COPY']);
    await target.unlink(HASH);
    micros.push(await slowestAt(source));
  }
  return Math.max(...micros);
}

async function slowest(): Promise<number> {
  return Math.max(await slowestAt(source), await slowestAt(target));
}

async function slowestAt(redis: Redis): Promise<number> {
  const entries = (await redis.slowlog('GET', 1000)) as [number, number, number][];
  return Math.max(0, ...entries.map(([, , micros]) => micros));
}

const digest = (redis: Redis, key: string) => redis.call('DEBUG', ['DIGEST-VALUE', key]);

async function migration(): Promise<MigrationView> {
  const { migrations } = await cluster.ask<MigrationsView>('GET', '/migrations');
  return migrations.at(-1) as MigrationView;
}

/** Each loop waits for one reply, checks it, and goes on. */
class Clients {
  readonly counts = { others: 0, readsOnTheWay: 0 };
  readonly errors: string[] = [];
  /** What was acknowledged. */
  readonly written = new Map<string, string>();
  readonly #loops: Promise<void>[] = [];
  #stopping = false;

  start(proxies: readonly ProxyProcess[]): void {
    for (const [at, proxy] of proxies.entries()) {
      const clients = [1, 2, 3, 4].map(() => proxy.client()) as [Redis, Redis, Redis, Redis];
      this.#loop((round) => this.#count(clients[0], `{${TAG}}:small:${at}`, round));
      this.#loop((round) => this.#count(clients[1], `elsewhere:${at}`, round));
      this.#loop((round) => this.#read(clients[2], round));
      this.#loop((round) => this.#write(clients[3], `written:${at}:${round}`));
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#loops);
  }

  #loop(once: (round: number) => Promise<void>): void {
    const run = async () => {
      for (let round = 1; !this.#stopping; round++) {
        await once(round).catch((error: unknown) => this.errors.push(String(error)));
        // The machine has other things to do too.
        await pause(2);
      }
    };
    this.#loops.push(run());
  }

  async #count(client: Redis, key: string, round: number): Promise<void> {
    expect(await client.incr(key)).toBe(round);
    this.counts.others++;
  }

  async #read(client: Redis, round: number): Promise<void> {
    const field = (round * 7919) % FIELDS_COUNT;
    const first = (round * 104_729) % (STRING_BYTES - 100);
    expect(await client.hget(HASH, `field:${field}`)).toBe(`value:${field}`);
    expect(await client.getrangeBuffer(STRING, first, first + 99)).toEqual(content.subarray(first, first + 100));
    const log = cluster.dashboard.output();
    if (log.includes('"slots migrating"') && !log.includes('"big key moved"')) this.counts.readsOnTheWay++;
  }

  async #write(client: Redis, field: string): Promise<void> {
    try {
      await client.hset(HASH, field, 'new');
      this.written.set(field, 'new');
    } catch (error) {
      if (!String(error).includes('TRYAGAIN this key is large')) throw error;
    }
  }
}
