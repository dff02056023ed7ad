// Goal: what a worker does with requests for slots in a move: holds them while locked, has keys handed over while migrating, and says "applied" only
// when nothing sent before is under way.
// Method: a worker in this process with two real servers; the test is its primary and moves every slot at once.

import { randomBytes } from 'node:crypto';
import { asEpoch, asMigrationId, fenceKey, type SlotState } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { A, B, betweenTwoServers, locked, migrating, online, raw, restart, route, source, target, worker } from './between-two.ts';

betweenTwoServers();

const handOvers = () => worker.report().handOvers;
const migratingBy = (migration: number) => (): SlotState => ({ kind: 'migrating', from: A, to: B, migration: asMigrationId(migration) });

/** How many scripts this server has run. */
async function scriptsAt(server: RedisServer): Promise<number> {
  return Number(/cmdstat_eval:calls=(\d+)/.exec(await server.client().info('commandstats'))?.[1] ?? 0);
}

const blockedAt = async (server: RedisServer) => Number(/blocked_clients:(\d+)/.exec(await server.client().info('clients'))?.[1]);

describe('a locked slot', () => {
  test('holds requests in their order until it is released', async () => {
    route(locked);
    const client = worker.client();
    const replies = Promise.all([client.rpush('k', 'a'), client.rpush('k', 'b'), client.mset('k2', '1', 'k3', '2'), client.ping()]);
    await eventually(() => worker.report().held >= 3, { what: 'requests to be held' });
    expect(await source.client().dbsize()).toBe(0);
    route(online(A));
    expect(await replies).toEqual([1, 2, 'OK', 'PONG']);
    expect(await client.lrange('k', 0, -1)).toEqual(['a', 'b']);
  });

  test('answers TRYAGAIN after slot_hold_timeout_ms, and the request was not done', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    route(locked);
    expect(await raw.ask(encodeRequest(['SET', 'k', '1']))).toEqual([expect.stringMatching(/^-TRYAGAIN /)]);
    route(online(A));
    expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$-1\r\n']);
  });

  test('is acknowledged only when what was sent before has been answered', async () => {
    await raw.ask(encodeRequest(['SET', 'k', '1']));
    source.child.signal('SIGSTOP');
    raw.socket.write(encodeRequest(['INCR', 'k']));
    await eventually(() => worker.report().requests === 2, { what: 'the request to be sent' });
    const epoch = route(locked);
    expect(worker.report().draining).toHaveLength(1);
    expect(worker.messages).not.toContainEqual({ type: 'applied', epoch });
    source.child.signal('SIGCONT');
    await eventually(() => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), { what: 'the ack' });
    expect(await source.client().get('k')).toBe('2');
  });
});

describe('a migrating slot', () => {
  test('has keys handed over before the first request for them, once', async () => {
    const client = worker.client();
    await client.set('k', 'v');
    route(migrating);
    expect(await client.append('k', 'w')).toBe(2);
    expect(await source.client().exists('k')).toBe(0);
    expect(await target.client().get('k')).toBe('vw');
    expect(handOvers()).toBe(1);
    await client.get('k');
    expect(handOvers()).toBe(1);
  });

  test('has all keys of a request handed over together, and parts of a split command one by one', async () => {
    const client = worker.client();
    await client.sadd('{t}a', 'x', 'y');
    await client.sadd('{t}b', 'y', 'z');
    await client.mset('k1', '1', 'k2', '2', 'k3', '3');
    route(migrating);
    expect(await client.sinterstore('{t}c', '{t}a', '{t}b', '{t}none')).toBe(0);
    expect(await client.sinterstore('{t}c', '{t}a', '{t}b')).toBe(1);
    expect(await client.mget('k1', 'none', 'k2', 'k3')).toEqual(['1', null, '2', '3']);
    expect(await client.del('k1', 'k2', 'k1')).toBe(2);
    expect(await source.client().dbsize()).toBe(0);
  });

  test('keeps a client’s order, also when a later request needs no hand-over', async () => {
    const client = worker.client();
    await client.set('{t}big', 'x'.repeat(5_000_000));
    route(migrating);
    await client.rpush('{t}small', '0');
    const replies = Promise.all([client.rename('{t}big', '{t}moved'), client.exists('{t}moved'), client.rpush('{t}small', '1')]);
    expect(await replies).toEqual(['OK', 1, 2]);
  });

  test('keeps databases apart', async () => {
    await Promise.all([source.client({ db: 3 }).set('k', 'three'), source.client({ db: 5 }).set('k', 'five')]);
    route(migrating);
    const replies = await raw.ask('SELECT 3\r\nGET k\r\nSELECT 5\r\nGET k\r\nSELECT 0\r\nGET k\r\n', 6);
    expect(replies).toEqual(['+OK\r\n', '$5\r\nthree\r\n', '+OK\r\n', '$4\r\nfive\r\n', '+OK\r\n', '$-1\r\n']);
    expect(await target.client({ db: 5 }).get('k')).toBe('five');
  });

  test('lets the target’s copy win over one that is back at the source', async () => {
    await Promise.all([source.client().set('k', 'old'), target.client().set('k', 'new')]);
    route(migrating);
    expect(await worker.client().get('k')).toBe('new');
    expect(await source.client().exists('k')).toBe(0);
  });

  test('forgets which keys have left when another migration moves the slot the same way', async () => {
    const client = worker.client();
    await client.set('k', 'v');
    route(migratingBy(1));
    await client.get('k');
    await target.client().del('k');
    await source.client().set('k', 'came back meanwhile');
    route(migratingBy(3));
    expect(await client.get('k')).toBe('came back meanwhile');
  });

  test('answers TRYAGAIN when a key can’t be handed over, and does nothing', async () => {
    await restart({ slot_hold_timeout_ms: 500 });
    await source.client().set('k', 'v');
    const nobody = { ...target, addr: '127.0.0.1:1' };
    worker.route([source, nobody], migrating);
    expect(await raw.ask(encodeRequest(['APPEND', 'k', 'w']))).toEqual([expect.stringMatching(/^-TRYAGAIN .*IOERR/)]);
    expect(await source.client().get('k')).toBe('v');
    route(migrating);
    expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual(['$1\r\nv\r\n']);
  });

  test('that a target does not answer for costs the source nothing, and the request waits until it does', async () => {
    await source.client().set('k', 'v');
    target.child.signal('SIGSTOP');
    try {
      route(migrating);
      const before = await scriptsAt(source);
      const reply = raw.ask(encodeRequest(['APPEND', 'k', 'w']));
      await eventually(() => worker.report().handOvers >= 3, { what: 'it to be tried again' });
      expect(await scriptsAt(source)).toBe(before);
      target.child.signal('SIGCONT');
      expect(await reply).toEqual([':2\r\n']);
    } finally {
      target.child.signal('SIGCONT');
    }
  });

  test('of a target that never answers says so before its time is over for good', async () => {
    await restart({ slot_hold_timeout_ms: 700 });
    await source.client().set('k', 'v');
    target.child.signal('SIGSTOP');
    try {
      route(migrating);
      expect(await raw.ask(encodeRequest(['GET', 'k']))).toEqual([expect.stringMatching(/^-TRYAGAIN .*does not answer/)]);
    } finally {
      target.child.signal('SIGCONT');
    }
    expect(await source.client().get('k')).toBe('v');
  });

  test('goes from a source that nobody else waits for longer than for two scripts', async () => {
    const keys = Array.from({ length: 50 }, (_, n) => `{t}${n}`);
    await source.client().mset(keys.flatMap((key) => [key, 'v']));
    route(migrating);
    const client = worker.client();
    const before = await scriptsAt(source);
    expect(await Promise.all(keys.map((key) => client.append(key, 'w')))).toEqual(keys.map(() => 2));
    expect(await source.client().dbsize()).toBe(0);
    expect((await scriptsAt(source)) - before).toBeLessThan(keys.length / 2);
  });

  test('many slots of one command are handed over in few scripts', async () => {
    const keys = Array.from({ length: 1000 }, (_, n) => `k${n}`);
    await source.client().mset(keys.flatMap((key) => [key, key]));
    route(migrating);
    const before = await scriptsAt(source);
    expect(await worker.client().mget(keys)).toEqual(keys);
    expect(await source.client().dbsize()).toBe(0);
    expect((await scriptsAt(source)) - before).toBeLessThan(50);
  });

  test('a key that can’t be handed over keeps none of those from it that would have gone together with it', async () => {
    await target.client().config('SET', 'proto-max-bulk-len', '1mb');
    try {
      const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
      await source.client().mset(keys.flatMap((key) => [key, key]));
      // Random, for what is compressed would be small on its way.
      await source.client().set('k9', randomBytes(2 * 1024 * 1024));
      route(migrating);
      const client = worker.client();
      const replies = await Promise.allSettled(keys.map((key) => client.get(key)));
      const refused = { status: 'rejected', reason: expect.objectContaining({ message: expect.stringMatching(/^TRYAGAIN /) }) };
      expect(replies).toEqual(keys.map((value) => (value === 'k9' ? refused : { status: 'fulfilled', value })));
      expect(await source.client().keys('*')).toEqual(['k9']);
    } finally {
      await target.client().config('SET', 'proto-max-bulk-len', '512mb');
    }
  });

  test('answers TRYAGAIN, and nothing of an unknown outcome, when the source is lost in the middle of a hand-over', async () => {
    const mortal = await startRedis();
    await restart({ slot_hold_timeout_ms: 1500 });
    worker.route([mortal, target], online(A));
    await raw.ask(encodeRequest(['GET', 'k']));
    mortal.child.signal('SIGSTOP');
    worker.route([mortal, target], migrating);
    const answer = raw.ask(encodeRequest(['GET', 'k']));
    await eventually(() => handOvers() === 1, { what: 'the hand-over to be asked for' });
    await mortal.stop();
    const [reply] = await answer;
    expect(reply).toMatch(/^-TRYAGAIN .*can't be reached/);
    expect(reply).not.toMatch(/unknown/);
  });

  test('refuses for now what names another database', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    await source.client().set('k', 'v');
    route(migrating);
    const replies = await raw.ask('MOVE k 1\r\nCOPY {k}a {k}b DB 2\r\n', 2);
    expect(replies).toEqual([expect.stringMatching(/^-TRYAGAIN /), expect.stringMatching(/^-TRYAGAIN /)]);
  });
});

describe('a durable move', () => {
  const durably = (): SlotState => ({ kind: 'migrating', from: A, to: B, migration: asMigrationId(1), durable: true });

  test.each([
    ['a replica', {}],
    ['a replica that answers no client', { replicaReads: false }],
  ] as const)('answers a request for a key when %s has it, and only then the source has given it up', async (_, reads) => {
    const replica = await startRedis({ replicaOf: target });
    await eventually(async () => /connected_slaves:1/.test(await target.client().info('replication')), { what: 'a replica' });
    await source.client().mset('k', 'v', 'other', 'x');
    replica.child.signal('SIGSTOP');
    worker.route([source, { ...target, replicas: [{ addr: replica.addr, ...reads }] }], durably);
    const reply = raw.ask(encodeRequest(['APPEND', 'k', 'w']));
    await eventually(async () => (await target.client().exists('k')) === 1, { what: 'the copy' });
    await eventually(async () => (await blockedAt(target)) === 1, { what: 'the replicas to be waited for' });
    expect(await source.client().get('k')).toBe('v');
    expect(await target.client().get('k')).toBe('v');

    replica.child.signal('SIGCONT');
    expect(await reply).toEqual([':2\r\n']);
    expect(await source.client().exists('k')).toBe(0);
    await eventually(async () => (await replica.client().get('k')) === 'vw', { what: 'the replica to have it' });
    await replica.stop();
  });

  test('goes on when its client has given up, so that the next one finds the key moved, and many wait at the replicas together', async () => {
    const replica = await startRedis({ replicaOf: target });
    await eventually(async () => /connected_slaves:1/.test(await target.client().info('replication')), { what: 'a replica' });
    await restart({ slot_hold_timeout_ms: 300 });
    const keys = Array.from({ length: 20 }, (_, n) => `{t}${n}`);
    await source.client().mset(keys.flatMap((key) => [key, 'v']));
    replica.child.signal('SIGSTOP');
    worker.route([source, { ...target, replicas: [replica] }], durably);
    const refused = await Promise.all(keys.map((key) => raw.ask(encodeRequest(['GET', key]))));
    expect(refused.flat().every((reply) => reply.startsWith('-TRYAGAIN'))).toBe(true);
    expect(await blockedAt(target)).toBe(1);
    expect(await source.client().dbsize()).toBe(20);
    replica.child.signal('SIGCONT');
    await eventually(async () => (await source.client().dbsize()) === 0, { what: 'the keys to have left' });
    expect((await raw.ask(encodeRequest(['GET', '{t}7'])))[0]).toBe('$1\r\nv\r\n');
    await replica.stop();
  });

  test('waits for the replicas that the target’s group has by now', async () => {
    const replica = await startRedis({ replicaOf: target });
    await eventually(async () => /connected_slaves:1/.test(await target.client().info('replication')), { what: 'a replica' });
    await source.client().set('k', 'v');
    worker.route([source, { ...target, replicas: [replica, { addr: '127.0.0.1:1' }] }], durably);
    const reply = raw.ask(encodeRequest(['GET', 'k']));
    await eventually(async () => (await blockedAt(target)) === 1, { what: 'the replicas to be waited for' });
    worker.route([source, { ...target, replicas: [replica] }], durably);
    expect(await reply).toEqual(['$1\r\nv\r\n']);
    await replica.stop();
  });

  test('is not acknowledged over while a key is on its way, also when nobody waits for it any more', async () => {
    const replica = await startRedis({ replicaOf: target });
    await eventually(async () => /connected_slaves:1/.test(await target.client().info('replication')), { what: 'a replica' });
    await source.client().set('k', 'v');
    replica.child.signal('SIGSTOP');
    worker.route([source, { ...target, replicas: [replica] }], durably);
    raw.socket.write(encodeRequest(['GET', 'k']));
    await eventually(async () => /blocked_clients:1/.test(await target.client().info('clients')), {
      what: 'the replicas to be waited for',
    });
    raw.socket.resetAndDestroy();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    const epoch = worker.route([source, target], locked);
    const drained = () => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch);
    expect(worker.report().draining.length > 0 || (await blockedAt(target)) === 0).toBe(true);
    await eventually(drained, { what: 'the ack' });
    expect(await blockedAt(target)).toBe(0);
    replica.child.signal('SIGCONT');
    await replica.stop();
  });
});

describe('tables and fences', () => {
  test('what waits for its key in one move is refused in the next, in which that may have come back', async () => {
    await source.client().set('k', 'v');
    route(migrating);
    target.child.signal('SIGSTOP');
    const reply = raw.ask(encodeRequest(['APPEND', 'k', 'w']));
    await eventually(() => handOvers() >= 1, { what: 'the request to wait' });
    route(migratingBy(2));
    expect(await reply).toEqual([expect.stringMatching(/^-TRYAGAIN .*moved on/)]);
    target.child.signal('SIGCONT');
    expect(await raw.ask(encodeRequest(['APPEND', 'k', 'w']))).toEqual([':2\r\n']);
  });

  test('what waits while its slot is locked again is not sent when a fence may have come in between', async () => {
    await source.client().set('k', 'v');
    route(migrating);
    await raw.ask(encodeRequest(['SET', 'other', 'x']));
    source.child.signal('SIGSTOP');
    const reply = raw.ask(encodeRequest(['APPEND', 'k', 'w']));
    await eventually(() => handOvers() >= 2, { what: 'the request to wait' });
    // Its session is lost, the move ends without it, and the next one fences it off.
    const client = target.client();
    await client.set('k', 'v');
    const epoch = route(online(B));
    route(() => ({ kind: 'locked', from: B, to: A, migration: asMigrationId(2), epoch: asEpoch(epoch + 1), leaseMs: 60_000 }));
    await client.set(fenceKey('demo'), String(epoch + 1));
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    source.child.signal('SIGCONT');
    expect(await reply).toEqual([expect.stringMatching(/^-.*not sent/)]);
    expect(await client.get('k')).toBe('v');
  });

  test('an older table changes nothing', async () => {
    const client = worker.client();
    await client.set('k', 'v');
    const epoch = route(migrating);
    await client.get('k');
    expect(worker.report().epoch).toBe(epoch);
    expect(worker.routeAt(epoch - 1, [source, target], online(A))).toBe(epoch);
    expect(await client.get('k')).toBe('v');
    expect(await target.client().get('k')).toBe('v');
  });

  test('the marker of a fence is no key of the clients’', async () => {
    const key = fenceKey('demo');
    const refused = expect.stringMatching(/^-ERR this key is reserved/);
    expect(await raw.ask(`SET ${key} 9\r\nDEL a ${key} b\r\nGET ${key}\r\nMSET a 1 ${key} 2\r\n`, 4)).toEqual([
      refused,
      refused,
      refused,
      refused,
    ]);
    expect(await source.client().dbsize()).toBe(0);
  });

  test('what was routed by a table that a fence is against is not sent by a newer one that came while the connection was opened', async () => {
    const epoch = worker.report().epoch;
    await source.client().set(fenceKey('demo'), String(epoch + 1));
    source.child.signal('SIGSTOP');
    const answer = raw.ask(encodeRequest(['SET', 'k', 'stale']));
    await eventually(() => worker.report().requests === 1, { what: 'the request to wait for the connection' });
    route(online(B));
    source.child.signal('SIGCONT');
    expect(await answer).toEqual([expect.stringMatching(/^-ERR .*slot table is behind.*not sent/)]);
    expect(await source.client().exists('k')).toBe(0);
  });

  test('a server that is fenced against this table is not used until the table is new enough', async () => {
    const epoch = worker.report().epoch;
    await source.client().set(fenceKey('demo'), String(epoch + 1));
    const [refused] = await raw.ask(encodeRequest(['GET', 'k']));
    expect(refused).toMatch(/^-ERR .*slot table is behind.*not sent/);
    expect(worker.messages).toContainEqual({ type: 'behind' });
    route(online(A));
    await eventually(async () => (await raw.ask(encodeRequest(['GET', 'k'])))[0] === '$-1\r\n', { what: 'the server to be used again' });
  });
});
