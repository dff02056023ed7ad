// Adding and removing servers, against real ones: what a Redis says of itself decides, and a refusal leaves topology and Redis as they were.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually, freePort, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { asGroupId, asServerAddr, type ErrorCode, fenceKey } from '../../src/model/index.ts';
import { addServer, type Caller, DryRunDone, probeServer, readTopology, removeServer, setServer } from '../../src/operations/index.ts';
import { G1, G2, newCluster, newProduct, refusal, snapshot, withCommit } from './support.ts';

afterAll(stopAll);

const add = (caller: Caller, group: number, addr: string, role: 'master' | 'replica', force = false) =>
  addServer(caller, { group: asGroupId(group), addr: asServerAddr(addr), role, force });
const infoOf = (redis: RedisServer) => probeServer(asServerAddr(redis.addr), { password: '', product: 'test' });

describe('a master', () => {
  test('is added with its group', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    await add(caller, 1, redis.addr, 'master');
    expect((await readTopology(caller)).topology.groups).toEqual([{ id: 1, servers: [{ addr: redis.addr, role: 'master' }] }]);
  });

  test('is added once: not again, not in another group, not under another name of the same Redis', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    await add(caller, 1, redis.addr, 'master');
    expect(await refusal(caller, () => add(caller, 1, redis.addr, 'master'))).toBe('CODIS_E_SERVER_EXISTS');
    expect(await refusal(caller, () => add(caller, 2, redis.addr, 'master'))).toBe('CODIS_E_SERVER_EXISTS');
    expect(await refusal(caller, () => add(caller, 2, `localhost:${redis.port}`, 'master'))).toBe('CODIS_E_SERVER_EXISTS');
    expect(await refusal(caller, () => add(caller, 1, `localhost:${redis.port}`, 'replica'))).toBe('CODIS_E_SERVER_EXISTS');
  });

  test('that holds nothing but the marker of a fence is empty', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    await redis.client().set(fenceKey(caller.product), '7');
    expect((await infoOf(redis)).keysCount).toBe(0);
    await add(caller, 1, redis.addr, 'master');
    await redis.client().set('k', 'v');
    expect((await infoOf(redis)).databases).toEqual([{ db: 0, keysCount: 1 }]);
  });

  test('beside another master is refused', async () => {
    const [caller, one, two] = await Promise.all([newProduct(), startRedis(), startRedis()]);
    await add(caller, 1, one.addr, 'master');
    expect(await refusal(caller, () => add(caller, 1, two.addr, 'master'))).toBe('CODIS_E_MASTER_EXISTS');
  });

  test('that is a replica is refused, also by force', async () => {
    const [caller, master] = await Promise.all([newProduct(), startRedis()]);
    const replica = await startRedis({ replicaOf: master });
    expect(await refusal(caller, () => add(caller, 1, replica.addr, 'master'))).toBe('CODIS_E_SERVER_WRONG_ROLE');
    expect(await refusal(caller, () => add(caller, 1, replica.addr, 'master', true))).toBe('CODIS_E_SERVER_WRONG_ROLE');
  });

  test('that holds keys, in whatever database, is taken only by force, and keeps them', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    await redis.client({ db: 7 }).set('old', 'data');
    expect(await refusal(caller, () => add(caller, 1, redis.addr, 'master'))).toBe('CODIS_E_SERVER_NOT_EMPTY');
    const { notes } = await add(caller, 1, redis.addr, 'master', true);
    expect(notes.join()).toContain('1 keys');
    expect(await infoOf(redis)).toMatchObject({ keysCount: 1, databases: [{ db: 7, keysCount: 1 }] });
  });

  test('with slots or replicas can’t be removed; without them it can, and is left as it is', async () => {
    const [caller, master, replica] = await Promise.all([newProduct(), startRedis(), startRedis()]);
    await add(caller, 1, master.addr, 'master');
    await add(caller, 1, replica.addr, 'replica');
    const remove = (addr: string) => removeServer(caller, { group: G1, addr: asServerAddr(addr) });
    expect(await refusal(caller, () => remove(master.addr))).toBe('CODIS_E_SERVER_IN_USE');
    expect(await refusal(caller, () => removeServer(caller, { group: G2, addr: asServerAddr(replica.addr) }))).toBe(
      'CODIS_E_UNKNOWN_GROUP',
    );
    await remove(replica.addr);
    expect(await refusal(caller, () => remove(replica.addr))).toBe('CODIS_E_UNKNOWN_SERVER');
    await remove(master.addr);
    expect(await infoOf(replica)).toMatchObject({ role: 'replica' });
  });
});

describe('a replica', () => {
  test('is made one, and copies what its master has', async () => {
    const [caller, master, replica] = await Promise.all([newProduct(), startRedis(), startRedis()]);
    await add(caller, 1, master.addr, 'master');
    await master.client().set('key', 'value');
    const { notes } = await add(caller, 1, replica.addr, 'replica');
    expect(notes.join()).toContain('redis.conf');
    expect(await eventually(() => replica.client().get('key'), { what: 'the copy' })).toBe('value');
  });

  test('that replicates the master already is taken as it is, whatever it calls it', async () => {
    const [caller, master] = await Promise.all([newProduct(), startRedis()]);
    await master.client().set('key', 'value');
    const replica = await startRedis({ replicaOf: master });
    await add(caller, 1, `localhost:${master.port}`, 'master', true);
    await eventually(async () => (await infoOf(replica)).master?.linkUp, { what: 'the link' });
    await add(caller, 1, replica.addr, 'replica');
    expect((await infoOf(replica)).master?.addr).toBe(master.addr);
  });

  test('with keys of its own would lose them: only by force', async () => {
    const [caller, master, replica] = await Promise.all([newProduct(), startRedis(), startRedis()]);
    await add(caller, 1, master.addr, 'master');
    await replica.client().set('mine', '1');
    expect(await refusal(caller, () => add(caller, 1, replica.addr, 'replica'))).toBe('CODIS_E_SERVER_NOT_EMPTY');
    expect(await infoOf(replica)).toMatchObject({ role: 'master', keysCount: 1 });
    await add(caller, 1, replica.addr, 'replica', true);
    await eventually(async () => (await infoOf(replica)).keysCount === 0, { what: 'the empty copy' });
  });

  test('of a group without a master is refused', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    expect(await refusal(caller, () => add(caller, 1, redis.addr, 'replica'))).toBe('CODIS_E_NO_MASTER');
  });

  test('of a master that is down, or that is a replica itself, is refused and left alone', async () => {
    const [caller, master, other, replica] = await Promise.all([newProduct(), startRedis(), startRedis(), startRedis()]);
    await add(caller, 1, master.addr, 'master');
    await master.client().replicaof('127.0.0.1', other.port);
    expect(await refusal(caller, () => add(caller, 1, replica.addr, 'replica'))).toBe('CODIS_E_SERVER_WRONG_ROLE');
    await master.stop();
    expect(await refusal(caller, () => add(caller, 1, replica.addr, 'replica'))).toBe('CODIS_E_SERVER_UNREACHABLE');
    expect(await infoOf(replica)).toMatchObject({ role: 'master' });
  });

  test('of a master with a password is given that password', async () => {
    const config = { requirepass: 'secret' };
    const [open, master, replica] = await Promise.all([newProduct(), startRedis({ config }), startRedis({ config })]);
    expect(await refusal(open, () => add(open, 1, master.addr, 'master'))).toBe('CODIS_E_NOT_REDIS');
    const caller = { ...open, password: 'secret' };
    await add(caller, 1, master.addr, 'master');
    await add(caller, 1, replica.addr, 'replica');
    const probe = () => probeServer(asServerAddr(replica.addr), caller);
    await eventually(async () => (await probe()).master?.linkUp, { what: 'the link' });
  });
});

describe('an address', () => {
  test('where nothing listens is unreachable', async () => {
    const caller = await newProduct();
    expect(await refusal(caller, async () => add(caller, 1, `127.0.0.1:${await freePort()}`, 'master'))).toBe('CODIS_E_SERVER_UNREACHABLE');
  });

  test('whose name is unknown is unreachable', async () => {
    const caller = await newProduct();
    expect(await refusal(caller, () => add(caller, 1, 'no-such-host.invalid:6379', 'master'))).toBe('CODIS_E_SERVER_UNREACHABLE');
  });

  const impostors: [string, () => Server][] = [
    ['a web server', () => createHttpServer((_, response) => response.end('hello'))],
    ['something silent', () => createServer(() => undefined)],
    ['something that greets', () => createServer((socket) => socket.write('220 mail.example ESMTP\r\n'))],
    [
      'a proxy',
      () => createServer((socket) => answerAs(socket, 'redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nproxy_id:p1\r\n')),
    ],
    [
      'a sentinel',
      () => createServer((socket) => answerAs(socket, 'redis_version:7.0.15\r\nrun_id:1\r\nrole:master\r\nredis_mode:sentinel\r\n')),
    ],
    ['something with another INFO', () => createServer((socket) => answerAs(socket, '# Proxy\r\nVersion:1.0.5\r\n'))],
  ];
  test.each(impostors)('of %s is not Redis', async (_, make) => {
    const [caller, server] = [await newProduct(), make()];
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    const port = await freePort();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const code = await refusal(caller, () => add(caller, 1, `127.0.0.1:${port}`, 'master'));
    for (const socket of sockets) socket.destroy();
    server.close();
    expect(code).toBe('CODIS_E_NOT_REDIS' satisfies ErrorCode);
  });

  test('of a Redis in cluster mode is not usable', async () => {
    const cluster = { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) };
    const [caller, redis] = await Promise.all([newProduct(), startRedis({ config: cluster })]);
    expect(await refusal(caller, () => add(caller, 1, redis.addr, 'master'))).toBe('CODIS_E_NOT_REDIS');
  });

  test('of a Redis that is frozen is not usable now', async () => {
    const [caller, redis] = await Promise.all([newProduct(), startRedis()]);
    redis.child.signal('SIGSTOP');
    expect(await refusal(caller, () => add(caller, 1, redis.addr, 'master'))).toBe('CODIS_E_NOT_REDIS');
  });
});

/** Just enough of a server that speaks RESP and is none: PONG to PING, this text to anything else. */
function answerAs(socket: Socket, info: string): void {
  socket.on('data', (data) => {
    const pings = data.toString().toUpperCase().includes('PING');
    socket.write(pings ? '+PONG\r\n' : `$${info.length}\r\n${info}\r\n`);
  });
}

describe('what is said of a server', () => {
  test('and is so already makes no event and no epoch, in a dry run neither', async () => {
    const { caller, a } = await newCluster();
    const set = (by: Caller, settings: Parameters<typeof setServer>[1]['settings']) =>
      setServer(by, { group: G1, addr: asServerAddr(a.addr), settings });
    expect((await set(caller, { zone: 'az1', replicaReads: false })).notes).toEqual([]);
    const before = await snapshot(caller);
    for (const by of [caller, { ...caller, dryRun: true }]) {
      for (const settings of [{ zone: 'az1' }, { replicaReads: false }, { zone: 'az1', replicaReads: false }]) {
        const { epoch, notes } = await set(by, settings);
        expect({ epoch, notes }).toEqual({
          epoch: (await readTopology(caller)).epoch,
          notes: [`nothing was changed: ${a.addr} has zone az1, replica reads off already`],
        });
      }
    }
    expect(await snapshot(caller)).toEqual(before);
    await expect(set({ ...caller, dryRun: true }, { zone: null })).rejects.toBeInstanceOf(DryRunDone);
    expect((await set(caller, { zone: null })).epoch).toBe((await readTopology(caller)).epoch);
    expect((await snapshot(caller)).events).toBe(before.events + 1);
  });

  test('is looked at again when it changes meanwhile: what is no more so is made so', async () => {
    const { caller, a } = await newCluster();
    const request = { group: G1, addr: asServerAddr(a.addr) };
    await setServer(caller, { ...request, settings: { zone: 'az1' } });
    let isOvertaken = false;
    const overtaken = withCommit(caller.coordinator, async (ops) => {
      if (!isOvertaken) await setServer(caller, { ...request, settings: { zone: 'az2' } });
      isOvertaken = true;
      return caller.coordinator.commit(ops);
    });
    expect((await setServer({ ...caller, coordinator: overtaken }, { ...request, settings: { zone: 'az1' } })).notes).toEqual([]);
    expect((await readTopology(caller)).topology.groups[0]?.servers[0]?.zone).toBe('az1');
  });
});
