// Goal: Codis 2.0's tutorial works line for line, typed into a shell, in a directory that has a config.ini.
// Method: the lines are the tutorial's; only port numbers are others, for tests run on free ports. What ends with `&` runs on.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freePort, REPO, scratchDir, start, stopAll } from './harness/process.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';

const BIN = join(REPO, 'node_modules/.bin');

describe('the tutorial of Codis 2.0', () => {
  const dir = scratchDir('tutorial');
  const servers: Record<string, RedisServer> = {};
  const env = { ...process.env, PATH: `${BIN}:${process.env['PATH'] ?? ''}` };
  let proxyPort = 0;

  beforeAll(async () => {
    for (const port of ['6379', '6380', '6479']) servers[port] = await startRedis();
    proxyPort = await freePort();
    const config = {
      product_name: 'test',
      coordinator_dir: 'coordinator',
      zk_session_timeout: 3000,
      dashboard_addr: `localhost:${await freePort()}`,
      proxy_id: 'proxy_1',
      proxy_addr: `127.0.0.1:${proxyPort}`,
      admin_addr: `127.0.0.1:${await freePort()}`,
      proxy_start: 'offline',
      workers: 1,
    };
    writeFileSync(
      join(dir, 'config.ini'),
      Object.entries(config)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  });

  afterAll(() => stopAll());

  async function type(line: string): Promise<string> {
    const typed = line.replace(/localhost:(\d+)/, (_, port: string) => `localhost:${servers[port]?.port}`);
    if (typed.endsWith(' &')) {
      const [program = '', ...args] = typed.slice(0, -2).split(' ');
      start(join(BIN, program), args, { cwd: dir, env, name: program });
      return '';
    }
    return (await promisify(execFile)('sh', ['-c', typed], { cwd: dir, env })).stdout;
  }

  test('from the dashboard to a migration and a rebalance that are done', async () => {
    await type('codis-config dashboard &');
    await eventually(() => type('codis-config slot init'), { what: 'the dashboard', timeoutMs: 20_000, everyMs: 200 });
    await type('codis-config server add 1 localhost:6379 master');
    await type('codis-config server add 1 localhost:6380 slave');
    await type('codis-config server add 2 localhost:6479 master');
    await type('codis-config slot range-set 0 511 1 online');
    await type('codis-config slot range-set 512 1023 2 online');
    await type('codis-proxy &');
    await eventually(async () => JSON.parse(await type('codis-config proxy list -o json')).proxies.length === 1, {
      what: 'the proxy to register',
    });
    await type('codis-config proxy online proxy_1');

    const client = new Redis({ port: proxyPort, host: '127.0.0.1', protocol: 2 });
    for (let number = 0; number < 200; number++) await client.set(`key:${number}`, String(number));
    await type('codis-config slot migrate 0 511 2 --delay=10');
    await eventually(async () => JSON.parse(await type('codis-config migration list -o json')).migrations[0].state === 'done', {
      what: 'the migration to be done',
      timeoutMs: 30_000,
      everyMs: 200,
    });
    const readAll = async () => {
      for (let number = 0; number < 200; number++) expect(await client.get(`key:${number}`)).toBe(String(number));
    };
    await readAll();
    expect(await servers['6379']?.client().dbsize()).toBe(0);
    expect(await servers['6479']?.client().dbsize()).toBe(200);
    expect(await servers['6380']?.client().role()).toContain('slave');

    await type('codis-config slot rebalance');
    await eventually(async () => JSON.parse(await type('codis-config migration list -o json')).migrations[1].state === 'done', {
      what: 'the rebalance to be done',
      timeoutMs: 30_000,
      everyMs: 200,
    });
    const { groups } = JSON.parse(await type('codis-config server list -o json')) as { groups: { slotsCount: number }[] };
    expect(groups.map(({ slotsCount }) => slotsCount)).toEqual([512, 512]);
    expect(await servers['6379']?.client().dbsize()).toBeGreaterThan(0);
    await readAll();
    client.disconnect();
  }, 90_000);
});
