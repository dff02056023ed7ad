// Promotion, on real servers: no acknowledged write is lost while the old master lives, and a server that would lose some is refused.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually, freePort, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { proxyLivePath, proxyPath } from '../../src/coordinator/index.ts';
import {
  asEpoch,
  asProxyId,
  asServerAddr,
  encodeProxyLive,
  encodeProxyRegistration,
  masterOf,
  requireGroup,
} from '../../src/model/index.ts';
import { addServer, type Caller, probeServer, promoteServer, promotionCandidates, readTopology } from '../../src/operations/index.ts';
import { G1, G2, newProduct, refusal } from './support.ts';

afterAll(stopAll);

const promote = (caller: Caller, redis: RedisServer, force = false) =>
  promoteServer(caller, { group: G1, addr: asServerAddr(redis.addr), force });
const infoOf = (redis: RedisServer) => probeServer(asServerAddr(redis.addr), { password: '', product: 'test' });

async function groupOf(count: number): Promise<{ caller: Caller; servers: RedisServer[] }> {
  const [caller, ...servers] = await Promise.all([newProduct(), ...Array.from({ length: count }, () => startRedis())]);
  for (const [index, { addr }] of servers.entries()) {
    await addServer(caller, { group: G1, addr: asServerAddr(addr), role: index === 0 ? 'master' : 'replica', force: false });
  }
  for (const replica of servers.slice(1)) await linked(replica);
  return { caller, servers };
}

const linked = (replica: RedisServer) =>
  eventually(async () => (await infoOf(replica)).master?.linkUp, { what: `${replica.addr} to be linked` });

const masterInTopology = async (caller: Caller) => masterOf(requireGroup((await readTopology(caller)).topology, G1));

describe('promoting a replica', () => {
  test('of a living master loses no acknowledged write, and turns the others round', async () => {
    const { caller, servers } = await groupOf(3);
    const [old, next, third] = servers as [RedisServer, RedisServer, RedisServer];
    const writer = writeTo(old);
    await eventually(() => writer.acknowledged() > 50, { what: 'some writes' });
    const { notes } = await promote(caller, next);
    await eventually(() => writer.refused(), { what: 'the old master to refuse writes' });
    await writer.stop();
    expect(await next.client().dbsize()).toBe(writer.acknowledged());
    expect(await masterInTopology(caller)).toBe(next.addr);
    expect(await infoOf(next)).toMatchObject({ role: 'master' });
    for (const follower of [old, third]) {
      await linked(follower);
      expect((await infoOf(follower)).master?.addr).toBe(next.addr);
    }
    expect(notes.filter((note) => !note.includes('redis.conf'))).toEqual([]);
  });

  test('of a master that is gone works, and says whom it could not tell', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, next] = servers as [RedisServer, RedisServer];
    await old.client().set('key', 'value');
    await eventually(() => next.client().get('key'), { what: 'the copy' });
    await old.stop();
    const { notes } = await promote(caller, next);
    expect(notes.join()).toContain(`${old.addr} could not be made a replica`);
    expect(await next.client().set('key', 'newer')).toBe('OK');
    expect(await masterInTopology(caller)).toBe(next.addr);
  });

  test('waits for no proxy: neither for one that is gone, nor for one that is behind', async () => {
    const { caller, servers } = await groupOf(2);
    const [, next] = servers as [RedisServer, RedisServer];
    for (const name of ['gone', 'behind']) {
      const id = asProxyId(name);
      const data = encodeProxyRegistration({ id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:2', wanted: 'online' });
      await caller.coordinator.commit([{ op: 'create', path: proxyPath(id), data }]);
    }
    const live = encodeProxyLive({ epoch: asEpoch(1), pid: 1, startedAt: '2026-01-01T00:00:00.000Z' });
    await caller.coordinator.commit([{ op: 'create', path: proxyLivePath(asProxyId('behind')), data: live, ephemeral: true }]);
    expect((await promotionCandidates(caller, { group: G1 })).proxiesBehind.toSorted()).toEqual(['behind', 'gone']);
    await promote(caller, next);
    expect(await masterInTopology(caller)).toBe(next.addr);
    expect(await infoOf(next)).toMatchObject({ role: 'master' });
  });

  test('again finishes what could not be done before', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, next] = servers as [RedisServer, RedisServer];
    await old.client().set('key', 'value');
    await eventually(() => next.client().get('key'), { what: 'the copy' });
    await old.stop();
    await promote(caller, next);
    const back = await startRedis({ port: old.port });
    await promote(caller, next);
    await linked(back);
    expect(await back.client().get('key')).toBe('value');
  });

  test('that was promoted by somebody else makes the topology follow', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, next] = servers as [RedisServer, RedisServer];
    await next.client().replicaof('NO', 'ONE');
    await old.client().replicaof('127.0.0.1', next.port);
    await linked(old);
    await promote(caller, next);
    expect(await masterInTopology(caller)).toBe(next.addr);
    expect(await infoOf(next)).toMatchObject({ role: 'master' });
  });
});

describe('promotion is refused, and nothing changes,', () => {
  test('for a server that is not in the group, or a group that is not there', async () => {
    const { caller, servers } = await groupOf(1);
    const stranger = await startRedis();
    expect(await refusal(caller, () => promote(caller, stranger))).toBe('CODIS_E_UNKNOWN_SERVER');
    const elsewhere = { group: G2, addr: asServerAddr(servers[0]!.addr), force: false };
    expect(await refusal(caller, () => promoteServer(caller, elsewhere))).toBe('CODIS_E_UNKNOWN_GROUP');
  });

  test('for a replica that is down', async () => {
    const { caller, servers } = await groupOf(2);
    await servers[1]!.stop();
    expect(await refusal(caller, () => promote(caller, servers[1]!))).toBe('CODIS_E_SERVER_UNREACHABLE');
    expect(await infoOf(servers[0]!)).toMatchObject({ role: 'master' });
  });

  test('for one that does not replicate the living master; force does it all the same', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, next] = servers as [RedisServer, RedisServer];
    await next.client().replicaof('NO', 'ONE');
    await old.client().set('key', 'would be lost');
    expect(await refusal(caller, () => promote(caller, next))).toBe('CODIS_E_SERVER_WRONG_ROLE');
    expect(await infoOf(old)).toMatchObject({ role: 'master', keysCount: 1 });
    await promote(caller, next, true);
    expect(await masterInTopology(caller)).toBe(next.addr);
    await linked(old);
  });

  test('for one that came back empty while the master is gone', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, next] = servers as [RedisServer, RedisServer];
    await old.client().set('key', 'value');
    await old.stop();
    await next.stop();
    const empty = await startRedis({ port: next.port });
    expect(await refusal(caller, () => promote(caller, empty))).toBe('CODIS_E_SERVER_WRONG_ROLE');
  });

  test('for the one that has read less, when the master is gone', async () => {
    const { caller, servers } = await groupOf(2);
    const [old, ahead] = servers as [RedisServer, RedisServer];
    const { replica: behind, relay } = await laggingReplica(caller, old);
    relay.freeze();
    await old.client().set('key', 'value');
    await eventually(() => ahead.client().get('key'), { what: 'the copy' });
    await old.stop();
    expect(await refusal(caller, () => promote(caller, behind))).toBe('CODIS_E_SERVER_WRONG_ROLE');
    await promote(caller, ahead);
    expect(await masterInTopology(caller)).toBe(ahead.addr);
  });

  test('for one that does not catch up in time, and the old master takes writes again', async () => {
    const { caller, servers } = await groupOf(1);
    const [old] = servers as [RedisServer];
    const { replica, relay } = await laggingReplica(caller, old);
    relay.freeze();
    await old.client().set('key', 'value');
    expect(await refusal(caller, () => promote(caller, replica))).toBe('CODIS_E_TIMEOUT');
    const write = { done: false };
    const pending = old
      .client()
      .set('key', 'newer')
      .then(() => {
        write.done = true;
      });
    await eventually(() => write.done, { what: 'the write, long before the pause ends by itself', timeoutMs: 4000 });
    await pending;
    expect(await infoOf(replica)).toMatchObject({ role: 'replica' });
  });
});

/** A replica of the group that reads from its master through a relay. */
async function laggingReplica(caller: Caller, master: RedisServer): Promise<{ replica: RedisServer; relay: Relay }> {
  const relay = await startRelay(master.port);
  const replica = await startRedis();
  await replica.client().replicaof('127.0.0.1', relay.port);
  await linked(replica);
  await addServer(caller, { group: G1, addr: asServerAddr(replica.addr), role: 'replica', force: false });
  return { replica, relay };
}

interface Relay {
  readonly port: number;
  /** Passes nothing on any more, and cuts nothing. */
  freeze(): void;
}

async function startRelay(to: number): Promise<Relay> {
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    for (const socket of [client, upstream]) sockets.push(socket.on('error', () => undefined));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  const port = await freePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port,
    freeze: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
  };
}

/** One write after the other, counting those the server confirmed, until it refuses or is told to stop. */
function writeTo(redis: RedisServer): { acknowledged(): number; refused(): boolean; stop(): Promise<void> } {
  const client = redis.client();
  let [acknowledged, refused, stopped] = [0, false, false];
  const done = (async () => {
    for (let number = 0; !stopped && !refused; number++) {
      await client.set(`key:${number}`, 'value').then(
        () => acknowledged++,
        () => {
          refused = true;
        },
      );
    }
  })();
  return {
    acknowledged: () => acknowledged,
    refused: () => refused,
    stop: () => {
      stopped = true;
      return done;
    },
  };
}
