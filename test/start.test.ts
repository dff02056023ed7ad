// Goal: `npm start` is a promise: it comes up, keeps its data, says what is wrong, and leaves no process behind however it ends.
// Method: the real starter on free ports with a data directory of its own. What it starts is found again by the data directory and by a mark
// in the environment, so "no process left" looks at the machine, not at what the starter believes.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import { leftovers } from '../scripts/leftovers.mjs';
import { layoutAt, listenersOf } from '../scripts/src/cluster/layout.ts';
import { isFree } from '../scripts/src/cluster/net.ts';
import { type Child, eventually, scratchDir, start, stopAll } from './harness/process.ts';

const UP_TIMEOUT_MS = 90_000;
const mark = `start-test-${process.pid}`;
const PROXY_PORTS = [19_000, 19_001] as const;

interface Place {
  readonly dataDir: string;
  readonly offset: number;
}

const used = new Set<number>();
const servers: Server[] = [];

async function freePlace(): Promise<Place> {
  for (let offset = 100 + (process.pid % 37) * 300; ; offset = (offset + 50) % 13_000) {
    if (used.has(offset)) continue;
    const free = await Promise.all(listenersOf(layoutAt(offset)).map(({ addr }) => isFree(addr)));
    if (!free.every(Boolean)) continue;
    used.add(offset);
    return { dataDir: join(scratchDir('start'), 'data'), offset };
  }
}

function run({ dataDir, offset }: Place, ...more: string[]): Child {
  const args = ['scripts/start.mjs', '--data-dir', dataDir, '--port-offset', String(offset), ...more];
  return start(process.execPath, args, { name: 'starter', env: { CODIS_TEST_RUN: mark } });
}

async function up(place: Place, ...more: string[]): Promise<Child> {
  const child = run(place, ...more);
  await untilItSays(child, 'The cluster is up');
  return child;
}

async function untilItSays(child: Child, text: string): Promise<void> {
  const ended = child.exited().then((code) => {
    throw new Error(`the starter ended with ${code} before it said "${text}":\n${child.output()}`);
  });
  ended.catch(() => undefined);
  await Promise.race([
    ended,
    eventually(() => child.output().includes(text), { what: `"${text}" from the starter`, timeoutMs: UP_TIMEOUT_MS }),
  ]);
}

/** What it started and is still there, without the starter itself. */
const processesOf = ({ dataDir }: Place, starter?: Child) =>
  leftovers({ mark, directory: dataDir }).filter(({ pid }) => pid !== starter?.pid);

const noneLeft = (place: Place) =>
  eventually(() => processesOf(place).length === 0, { what: 'the end of all processes', timeoutMs: 30_000 });

async function withClient<T>(place: Place, proxy: 0 | 1, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port: PROXY_PORTS[proxy] + place.offset, protocol: 2, maxRetriesPerRequest: 0, retryStrategy: () => 100 });
  redis.on('error', () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

afterEach(async () => {
  await stopAll();
  for (const server of servers.splice(0)) server.close();
  await eventually(() => leftovers({ mark, directory: mark }).length === 0, {
    what: 'the end of everything a test started',
    timeoutMs: 30_000,
  });
});

describe('a cluster from one command', { timeout: 4 * UP_TIMEOUT_MS }, () => {
  test('serves, stops whole on Ctrl-C, finds its data again, and begins anew when asked', async () => {
    const place = await freePlace();
    const first = await up(place);
    expect(first.output()).toContain(`redis-cli -p ${19_000 + place.offset}`);
    expect(first.output()).toMatch(/npx codis-config slot migrate 0 255 2 --delay=10/);
    await withClient(place, 0, (redis) => redis.set('kept', 'yes'));
    expect(await withClient(place, 1, (redis) => redis.get('kept'))).toBe('yes');
    expect(await first.stop('SIGINT'), first.output()).toBe(0);
    expect(processesOf(place)).toEqual([]);

    const second = await up(place);
    expect(second.output()).not.toContain('slot init');
    expect(await withClient(place, 1, (redis) => redis.get('kept'))).toBe('yes');
    expect(await second.stop('SIGTERM'), second.output()).toBe(0);
    expect(processesOf(place)).toEqual([]);

    writeFileSync(join(place.dataDir, 'not-ours.txt'), 'kept too');
    const third = await up(place, '--fresh');
    expect(await withClient(place, 0, (redis) => redis.get('kept'))).toBeNull();
    expect(readFileSync(join(place.dataDir, 'not-ours.txt'), 'utf8')).toBe('kept too');
    expect(await third.stop('SIGHUP'), third.output()).toBe(0);
    expect(processesOf(place)).toEqual([]);
  });

  test('leaves nothing behind when it is killed with -9, and starts again after it', async () => {
    const place = await freePlace();
    const child = await up(place);
    expect(processesOf(place, child).length).toBeGreaterThanOrEqual(9);
    await withClient(place, 0, (redis) => redis.set('kept', 'yes'));
    await child.stop('SIGKILL');
    const again = await up(place);
    expect(await withClient(place, 0, (redis) => redis.get('kept'))).toBe('yes');
    await again.stop('SIGKILL');
    await noneLeft(place);
  });

  test('ends with the npm that ran it, however that ends', async () => {
    const place = await freePlace();
    const args = ['start', '--silent', '--', '--data-dir', place.dataDir, '--port-offset', String(place.offset)];
    const npm = start('npm', args, { name: 'npm', env: { CODIS_TEST_RUN: mark } });
    await untilItSays(npm, 'The cluster is up');
    await npm.stop('SIGKILL');
    await noneLeft(place);
    expect(existsSync(join(place.dataDir, 'cluster.pid'))).toBe(false);
  });

  test('says so when a part dies, and starts it again', async () => {
    const place = await freePlace();
    const child = await up(place);
    const redis = processesOf(place, child).find(({ command }) => command.startsWith(`redis-server 127.0.0.1:${16_379 + place.offset}`));
    process.kill(redis!.pid, 'SIGKILL');
    await untilItSays(child, `The Redis of group 1 on 127.0.0.1:${16_379 + place.offset} ended by SIGKILL; starting it again in 1 s`);
    await untilItSays(child, `The Redis of group 1 on 127.0.0.1:${16_379 + place.offset} is back`);
    expect(await child.stop('SIGINT'), child.output()).toBe(0);
  });

  test('can be stopped while it starts', async () => {
    const place = await freePlace();
    const child = run(place);
    await untilItSays(child, 'server add 1');
    expect(await child.stop('SIGINT'), child.output()).toBe(0);
    expect(processesOf(place)).toEqual([]);
    const again = await up(place);
    expect(again.output()).not.toContain('slot init');
    expect(again.output()).toContain('slot range-set 512 1023 2 online');
    await again.stop('SIGINT');
  });

  test('is killed at once by a second Ctrl-C, and whoever goes on pressing it cuts nothing short', async () => {
    const place = await freePlace();
    const child = await up(place);
    const frozen = processesOf(place, child).filter(({ command }) => command.startsWith('redis-server'));
    for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
    child.signal('SIGINT');
    await untilItSays(child, 'Stopping');
    await eventually(() => processesOf(place, child).length === frozen.length, { what: 'all but the frozen to end', timeoutMs: 30_000 });
    await eventually(
      () => {
        child.signal('SIGINT');
        return child.process.exitCode !== null || child.process.signalCode !== null;
      },
      { what: 'the end after Ctrl-C again and again', everyMs: 1 },
    );
    expect(await child.exited(), child.output()).toBe(130);
    expect(existsSync(join(place.dataDir, 'cluster.pid'))).toBe(false);
    expect(processesOf(place)).toEqual([]);
  });

  test('refuses a data directory where a cluster runs, and one that is bound to other ports', async () => {
    const place = await freePlace();
    const child = await up(place);
    const elsewhere = { ...place, offset: (await freePlace()).offset };
    for (const more of [[], ['--fresh']]) {
      const refused = run(elsewhere, ...more);
      expect(await refused.exited()).toBe(1);
      expect(refused.output()).toContain(`A cluster runs on ${place.dataDir} already (process ${child.pid})`);
    }
    expect(await withClient(place, 0, (redis) => redis.ping())).toBe('PONG');
    expect(await child.stop('SIGINT'), child.output()).toBe(0);
    const moved = run(elsewhere);
    expect(await moved.exited()).toBe(1);
    expect(moved.output()).toContain(`was made with --port-offset ${place.offset}: start it so`);
  });
});

describe('a start that can not succeed', { timeout: UP_TIMEOUT_MS }, () => {
  test('names all ports that are taken, what they are for, and a way out, before anything is started', async () => {
    const place = await freePlace();
    for (const port of [18_087, 16_480]) {
      const server = createServer();
      servers.push(server);
      await new Promise<void>((done) => server.listen(port + place.offset, '127.0.0.1', done));
    }
    const child = run(place);
    expect(await child.exited()).toBe(1);
    expect(child.output()).toContain(
      `Taken already: 127.0.0.1:${18_087 + place.offset} (dashboard), 127.0.0.1:${16_480 + place.offset} (Redis of group 2).`,
    );
    expect(child.output()).toMatch(/npm start -- --port-offset \d+/);
    expect(child.output()).not.toContain('Starting');
  });

  test('of a Redis gives the end of its log and where it is, and stops the rest', async () => {
    const place = await freePlace();
    const child = run(place);
    await untilItSays(child, 'Starting the dashboard');
    // A directory where Redis wants its append-only file.
    mkdirSync(join(place.dataDir, 'redis/redis-2a/appendonlydir/appendonly.aof.manifest'), { recursive: true });
    expect(await child.exited()).toBe(1);
    expect(child.output()).toMatch(/The Redis of group 2 on 127.0.0.1:\d+ ended with exit code 1 instead of starting/);
    expect(child.output()).toContain(`Its log, ${join(place.dataDir, 'logs/redis-2a.log')}, ends:`);
    expect(processesOf(place)).toEqual([]);
  });

  test('in a directory with something else in it touches nothing', async () => {
    const place = await freePlace();
    mkdirSync(place.dataDir, { recursive: true });
    writeFileSync(join(place.dataDir, 'diary.txt'), 'dear');
    for (const more of [[], ['--fresh']]) {
      const child = run(place, ...more);
      expect(await child.exited()).toBe(1);
      expect(child.output()).toContain(`${place.dataDir} holds diary.txt but no cluster that npm start made`);
    }
    expect(existsSync(join(place.dataDir, 'diary.txt'))).toBe(true);
    expect(existsSync(join(place.dataDir, 'cluster.pid'))).toBe(false);
  });

  test.each([
    [['--port-offset', 'x'], '--port-offset x is out of range: write a whole number from 0 to 46534'],
    [['--port-offset', '46535'], '--port-offset 46535 is out of range'],
    [['--frsh'], 'See npm start -- --help'],
    [['now'], 'See npm start -- --help'],
    [['--data-dir', '/dev/null/x'], "/dev/null/x can't be used: "],
  ])('because of %j says so in a sentence', async (args, sentence) => {
    const child = start(process.execPath, ['scripts/start.mjs', ...args], { name: 'starter' });
    expect(await child.exited()).toBe(1);
    expect(child.output()).toContain(sentence);
    expect(child.output()).not.toContain('    at ');
  });
});

test('--help begins with examples and starts nothing', { timeout: UP_TIMEOUT_MS }, async () => {
  const child = start(process.execPath, ['scripts/start.mjs', '--help'], { name: 'starter' });
  expect(await child.exited()).toBe(0);
  expect(child.output()).toMatch(/Examples:\n {2}npm start\n/);
});
