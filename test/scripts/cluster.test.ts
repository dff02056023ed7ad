// The parts of `npm start` that are easier to corner one by one; the whole is test/start.test.ts.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TopologyView } from '@codis/config/api';
import { afterAll, describe, expect, test } from 'vitest';
import { DataDir } from '../../scripts/src/cluster/data-dir.ts';
import { layoutAt, listenersOf, PORT_OFFSET_MAX } from '../../scripts/src/cluster/layout.ts';
import { isFree, redisAnswers } from '../../scripts/src/cluster/net.ts';
import { identityOf } from '../../scripts/src/cluster/process-id.ts';
import { renderRedisConf } from '../../scripts/src/cluster/redis-conf.ts';
import { missingSteps } from '../../scripts/src/cluster/set-up.ts';
import { eventually, freePort, scratchDir, start, stopAll } from '../harness/process.ts';
import { startRedis } from '../harness/redis.ts';

afterAll(stopAll);

describe('the layout', () => {
  test('has the documented ports, and moves them all', () => {
    const ports = (offset: number) => listenersOf(layoutAt(offset)).map(({ addr }) => Number(addr.split(':')[1]));
    expect(ports(0)).toEqual([18087, 19000, 11080, 19001, 11081, 16379, 16380, 16479, 16480]);
    expect(ports(7)).toEqual(ports(0).map((port) => port + 7));
    expect(Math.max(...ports(PORT_OFFSET_MAX))).toBe(65_535);
  });
});

describe('the data directory', () => {
  test('belongs to one starter at a time', () => {
    const dir = join(scratchDir('data'), 'data');
    const first = DataDir.open(dir);
    expect(() => DataDir.open(dir)).toThrow(`A cluster runs on ${dir} already (process ${process.pid})`);
    first.close();
    DataDir.open(dir).close();
  });

  test.each([
    ['a process that is gone', '999999999 1'],
    ['another process with the same pid', `${process.pid} 1`],
    ['nobody', ''],
  ])('is taken over from %s', (_who, holder) => {
    const dir = scratchDir('data');
    writeFileSync(join(dir, 'cluster.pid'), holder);
    const data = DataDir.open(dir);
    expect(data.tookOver).toBe(true);
    expect(readFileSync(join(dir, 'cluster.pid'), 'utf8').trim()).toBe(identityOf(process.pid));
    data.close();
    expect(existsSync(join(dir, 'cluster.pid'))).toBe(false);
  });

  test('is cleared of what is ours only', () => {
    const dir = scratchDir('data');
    const data = DataDir.open(dir);
    data.writeMark({ portOffset: 3, setUp: true });
    expect(data.readMark()).toEqual({ portOffset: 3, setUp: true });
    for (const name of ['coordinator', 'redis/redis-1a', 'logs', 'mine']) data.directory(name);
    data.clear();
    expect(data.readMark()).toBeNull();
    expect(existsSync(join(dir, 'mine'))).toBe(true);
    for (const name of ['coordinator', 'redis', 'logs']) expect(existsSync(join(dir, name)), name).toBe(false);
    data.close();
  });

  test.each(['', '{', '{}', '[]', '{"portOffset":"0","setUp":true}'])('with the mark %j is not guessed at', (mark) => {
    const dir = scratchDir('data');
    writeFileSync(join(dir, 'cluster.json'), mark);
    const data = DataDir.open(dir);
    expect(() => data.readMark()).toThrow(/cluster.json can't be understood; npm start -- --fresh begins anew/);
    data.close();
  });
});

describe('who a process is', () => {
  test('is told by pid and start time, and nobody once it has ended', async () => {
    const child = start('sleep', ['600']);
    const identity = identityOf(child.pid);
    expect(identity).toMatch(new RegExp(`^${child.pid} `));
    expect(identityOf(child.pid)).toBe(identity);
    await child.stop();
    expect(identityOf(child.pid)).toBeNull();
  });
});

describe('the set-up', () => {
  const layout = layoutAt(0);
  const all = [
    ['slot', 'init'],
    ['server', 'add', '1', '127.0.0.1:16379', 'master'],
    ['server', 'add', '1', '127.0.0.1:16380', 'replica'],
    ['server', 'add', '2', '127.0.0.1:16479', 'master'],
    ['server', 'add', '2', '127.0.0.1:16480', 'replica'],
    ['slot', 'range-set', '0', '511', '1', 'online'],
    ['slot', 'range-set', '512', '1023', '2', 'online'],
  ];
  const run = (first: number, last: number, group: number | null) =>
    ({ first, last, state: group === null ? 'offline' : 'online', group, to: null, migration: null }) as const;
  const view = (slots: TopologyView['slots'], ...groups: [number, ...string[]][]): TopologyView => ({
    epoch: 1,
    slots,
    groups: groups.map(([id, ...addrs]) => ({
      id,
      slotsCount: 0,
      servers: addrs.map((addr, index) => ({ addr, role: index === 0 ? 'master' : 'replica', zone: null, replicaReads: true })),
    })),
  });
  const groups: [number, ...string[]][] = [
    [1, '127.0.0.1:16379', '127.0.0.1:16380'],
    [2, '127.0.0.1:16479', '127.0.0.1:16480'],
  ];

  test('types what an operator would', () => {
    expect(missingSteps(layout, null)).toEqual(all);
  });

  test('goes on where it was cut short', () => {
    expect(missingSteps(layout, view([run(0, 1023, null)]))).toEqual(all.slice(1));
    expect(missingSteps(layout, view([run(0, 1023, null)], [1, '127.0.0.1:16379']))).toEqual(all.slice(2));
    expect(missingSteps(layout, view([run(0, 1023, null)], ...groups))).toEqual(all.slice(5));
    expect(missingSteps(layout, view([run(0, 511, 1), run(512, 1023, null)], ...groups))).toEqual(all.slice(6));
    expect(missingSteps(layout, view([run(0, 511, 1), run(512, 1023, 2)], ...groups))).toEqual([]);
  });
});

describe("a started server's redis.conf", () => {
  test('is understood by Redis whatever the password and the directory are called', async () => {
    const password = 'a "b" \\ # é\u00ff';
    const dir = join(scratchDir('conf'), 'with space "and" quote');
    mkdirSync(dir);
    const port = await freePort();
    const conf = join(dir, 'redis.conf');
    writeFileSync(conf, renderRedisConf({ addr: `127.0.0.1:${port}`, dir, masterAddr: '127.0.0.1:1', password }));
    const child = start('redis-server', [conf]);
    await eventually(() => redisAnswers(`127.0.0.1:${port}`), { what: `redis-server: ${child.output()}` });
    const cli = start('redis-cli', ['-p', String(port), '-a', password, '--no-auth-warning', 'config', 'get', '*']);
    expect(await cli.exited()).toBe(0);
    const lines = cli.output().split('\n');
    const setTo = (key: string) => lines[lines.indexOf(key) + 1];
    expect([setTo('dir'), setTo('appendonly'), setTo('replicaof')]).toEqual([dir, 'yes', '127.0.0.1 1']);
  });
});

describe('a port', () => {
  test('is free, or is not', async () => {
    const addr = `127.0.0.1:${await freePort()}`;
    expect(await isFree(addr)).toBe(true);
    const server = createServer().listen(Number(addr.split(':')[1]), '127.0.0.1');
    await eventually(async () => !(await isFree(addr)), { what: 'the port to be taken' });
    server.close();
  });

  test('answers as Redis only when a Redis answers', async () => {
    const redis = await startRedis({ config: { requirepass: 'secret' } });
    expect(await redisAnswers(redis.addr)).toBe(true);
    await redis.stop();
    expect(await redisAnswers(redis.addr)).toBe(false);
    const other = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await eventually(() => other.listening, { what: 'the other server' });
    const address = other.address();
    expect(await redisAnswers(`127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`)).toBe(false);
    other.close();
  });
});
