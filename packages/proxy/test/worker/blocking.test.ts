// Goal: commands that block answer as one Redis does, cost nobody else anything, go along when their slot moves, and lose no element.
// Method: a worker in this process with two real servers and a plain Redis beside them; the test is its primary and moves every slot at once.

import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import {
  A,
  ask,
  askPlain,
  B,
  betweenTwoServers,
  lines,
  locked,
  migrating,
  online,
  raw,
  restart,
  route,
  say,
  source,
  target,
  worker,
} from './between-two.ts';

betweenTwoServers();

const bulk = (text: string) => `$${text.length}\r\n${text}\r\n`;
const popped = (key: string, value: string) => `*2\r\n${bulk(key)}${bulk(value)}`;

/** Clients that are blocked at `server`. */
async function blockedAt(server: RedisServer): Promise<number> {
  return Number(/blocked_clients:(\d+)/.exec(await server.client().info('clients'))?.[1]);
}

async function blocks(server: RedisServer, count = 1): Promise<void> {
  await eventually(async () => (await blockedAt(server)) === count, { what: `${count} clients to be blocked at ${server.addr}` });
}

async function acked(epoch: number): Promise<void> {
  await eventually(() => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), {
    what: `the ack of ${epoch}`,
  });
}

describe('as one Redis', () => {
  test.each([
    [['RPUSH k a b c', 'BLPOP k 0', 'BRPOP none{k} k 0', 'LLEN k']],
    [['RPUSH k a b', 'BLMOVE k {k}2 LEFT RIGHT 0', 'BRPOPLPUSH k {k}2 0', 'LRANGE {k}2 0 -1']],
    [['RPUSH k a b c', 'BLMPOP 0 2 {k}0 k LEFT COUNT 2', 'LLEN k']],
    [['ZADD k 1 a 2 b 3 c', 'BZPOPMIN k 0', 'BZPOPMAX k 0', 'BZMPOP 0 1 k MIN', 'ZCARD k']],
    [['BLPOP k 0.01', 'BRPOP k 0.01', 'BLMOVE k {k}2 LEFT RIGHT 0.01', 'BRPOPLPUSH k {k}2 0.01', 'BLMPOP 0.01 1 k LEFT']],
    [['BZPOPMIN k 0.01', 'BZPOPMAX k 0.01', 'BZMPOP 0.01 1 k MIN', 'XREAD BLOCK 10 STREAMS k $', 'PING']],
    [['XADD k 1-1 f v', 'XREAD BLOCK 0 STREAMS k 0', 'XREAD BLOCK 10 STREAMS k $', 'XREAD COUNT 1 BLOCK 10 STREAMS {k}2 k $ 0']],
    [
      [
        'XADD k 1-1 f v',
        'XGROUP CREATE k g 0',
        'XREADGROUP GROUP g c BLOCK 0 STREAMS k >',
        'XREADGROUP GROUP g c BLOCK 10 NOACK STREAMS k >',
      ],
    ],
    [['SET k v', 'BLPOP k 0', 'BLMOVE k {k}2 LEFT RIGHT 0', 'BZPOPMIN k 0', 'XREAD BLOCK 0 STREAMS k $', 'XREAD BLOCK 0 STREAMS k 0']],
    [['BLPOP k x', 'BLPOP k -1', 'BLPOP k 1e1000', 'XREAD BLOCK -1 STREAMS k $', 'XREAD BLOCK x STREAMS k $', 'BLMPOP x 1 k LEFT']],
    [['XREADGROUP GROUP none c BLOCK 0 STREAMS k >', 'BLPOP k', 'BLMPOP 0 0 k LEFT', 'XREAD BLOCK 0 STREAMS k']],
    [
      [
        'HELLO 3',
        'BLPOP k 0.01',
        'BLMOVE k {k}2 LEFT RIGHT 0.01',
        'ZADD k 1.5 a',
        'BZPOPMIN k 0',
        'XADD {k}s 1-1 f v',
        'XREAD BLOCK 0 STREAMS {k}s 0',
      ],
    ],
    [['SELECT 3', 'LPUSH k three', 'BLPOP k 0', 'SELECT 0', 'BLPOP k 0.01']],
    [['LPUSH k 1', 'BLPOP k 0', 'GET {k}y', 'SET {k}y 1', 'BRPOP k 0.01', 'GET {k}y', 'LPUSH k 2', 'BLPOP k 0']],
    [['WAIT 0 0', 'WAIT 1 10', 'WAIT x 1', 'WAIT 0 -1', 'WAIT 0 x', 'WAITAOF 0 0 0']],
  ])('%j', async (commands) => {
    const expected = await askPlain(...commands);
    const replies = await ask(...commands);
    const isHello = (at: number) => commands[at]?.startsWith('HELLO');
    expect(replies.map((reply, at) => (isHello(at) ? '' : reply))).toEqual(expected.map((reply, at) => (isHello(at) ? '' : reply)));
  });

  test('what was pushed goes to the client that waits, and what it sent behind is answered then', async () => {
    const replies = ask('BLPOP k 0', 'SET {k}y 1', 'GET {k}y');
    await blocks(source);
    expect(await say('GET {k}y', 'LPUSH k 1', 'GET k')).toEqual(['$-1\r\n', ':1\r\n', '$-1\r\n']);
    expect(await replies).toEqual([popped('k', '1'), '+OK\r\n', '$1\r\n1\r\n']);
  });

  test('keys of two slots are CROSSSLOT', async () => {
    expect(await ask('BLPOP a b 0', 'XREAD BLOCK 0 STREAMS a b 0 0')).toEqual([
      expect.stringMatching(/^-CROSSSLOT /),
      expect.stringMatching(/^-CROSSSLOT /),
    ]);
  });

  test('a large reply streams', async () => {
    await restart({ session_max_bufsize: 65_536 });
    const reply = ask('BLPOP k 0', 'PING');
    await blocks(source);
    await source.client().rpush('k', 'x'.repeat(1_000_000));
    expect((await reply).map((text) => text.length)).toEqual([popped('k', 'x'.repeat(1_000_000)).length, 7]);
  });
});

describe('a client that is blocked', () => {
  test('has its wait ended at the server when it leaves, and takes nothing with it', async () => {
    raw.socket.write(lines('BLPOP k 0'));
    await blocks(source);
    raw.close();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    await say('RPUSH k 1');
    expect(await say('LLEN k')).toEqual([':1\r\n']);
    expect(await blockedAt(source)).toBe(0);
  });

  test('that only closes its half is gone too', async () => {
    raw.socket.write(lines('BLPOP k 0'));
    await blocks(source);
    raw.socket.end();
    await blocks(source, 0);
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
  });

  test('behind a request that was answered later is seen to leave', async () => {
    raw.socket.write(lines('SET k 1', 'GET k', 'BLPOP {k}list 0'));
    await blocks(source);
    raw.close();
    await blocks(source, 0);
  });

  test('leaves its connection for the next one', async () => {
    for (let round = 0; round < 10; round++) await ask('RPUSH k 1', 'BLPOP k 0');
    expect(worker.report().backendConnections).toBeLessThanOrEqual(2);
  });

  test('is not given up after backend_recv_timeout', async () => {
    await restart({ backend_recv_timeout: 1 });
    expect(await ask('BLPOP k 2.5')).toEqual(['*-1\r\n']);
  });

  test('hears of a server that is lost', async () => {
    const dying = await startRedis();
    worker.route([dying], online(A));
    const reply = ask('BLPOP k 0', 'PING');
    await blocks(dying);
    await dying.stop();
    expect(await reply).toEqual([expect.stringMatching(/^-ERR server .* whether the command was carried out is unknown/), '+PONG\r\n']);
  });
});

describe('a wait without a reply, and one that the proxy’s end meets', () => {
  test('says nothing to a client that wants no replies', async () => {
    raw.socket.write(lines('CLIENT REPLY OFF', 'BLPOP k 0'));
    await blocks(source);
    await say('LPUSH k 1');
    await blocks(source, 0);
    expect(await ask('CLIENT REPLY ON')).toEqual(['+OK\r\n']);
  });

  test('is ended when the proxy stops, and its client told', async () => {
    const reply = ask('BLPOP k 0');
    await blocks(source);
    worker.drain();
    expect(await reply).toEqual([expect.stringMatching(/^-UNBLOCKED /)]);
    await eventually(() => raw.closed, { what: 'the connection to be closed' });
  });
});

describe('a slot in a move', () => {
  test('is acknowledged when its waits have ended at the source, and they go on at the target', async () => {
    const replies = ask('BLPOP k 0', 'PING');
    await blocks(source);
    const epoch = route(locked);
    expect(worker.messages).not.toContainEqual({ type: 'applied', epoch });
    await acked(epoch);
    expect(await blockedAt(source)).toBe(0);
    await source.client().rpush('k', 'came before the move ended');
    route(migrating);
    expect(await replies).toEqual([popped('k', 'came before the move ended'), '+PONG\r\n']);
    expect(await source.client().dbsize()).toBe(0);
  });

  test('waits at the target for what is pushed there, in every state', async () => {
    for (const command of ['BLPOP k 0', 'BLMPOP 0 1 k LEFT', 'BLPOP k 100', 'BLMPOP 100 1 k LEFT', 'BLMOVE k {k}2 LEFT LEFT 100']) {
      route(online(A));
      const reply = ask(command);
      await blocks(source);
      await acked(route(locked));
      route(migrating);
      await blocks(target);
      route(online(B));
      await say('LPUSH k x');
      expect((await reply)[0]).toContain('$1\r\nx\r\n');
    }
  });

  test('that is locked for longer than slot_hold_timeout_ms refuses no wait, and its time goes on', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    const forever = ask('BLPOP k 0');
    const bounded = say('BLPOP k 1');
    await blocks(source, 2);
    await acked(route(locked));
    expect(await bounded).toEqual(['*-1\r\n']);
    route(online(A));
    await blocks(source);
    await source.client().rpush('k', '1');
    expect(await forever).toEqual([popped('k', '1')]);
  });

  test('leaves a wait the time that was left', async () => {
    const from = performance.now();
    const reply = ask('BLPOP k 1.5');
    await blocks(source);
    await acked(route(locked));
    route(online(B));
    await blocks(target);
    expect(await reply).toEqual(['*-1\r\n']);
    expect(performance.now() - from).toBeGreaterThan(1400);
  });

  test('holds a new BLPOP for at most slot_hold_timeout_ms', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    route(locked);
    expect(await ask('BLPOP k 0', 'PING')).toEqual([expect.stringMatching(/^-TRYAGAIN /), '+PONG\r\n']);
  });

  test('holds a new BLPOP, which then waits at the target', async () => {
    route(locked);
    const reply = ask('BLPOP k 0');
    await eventually(() => worker.report().held >= 1, { what: 'it to be held' });
    route(migrating);
    await blocks(target);
    await target.client().rpush('k', '1');
    expect(await reply).toEqual([popped('k', '1')]);
  });

  test('lets a client leave that waits for it to be unlocked', async () => {
    raw.socket.write(lines('BLPOP k 0'));
    await blocks(source);
    await acked(route(locked));
    raw.close();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    route(online(A));
    await say('RPUSH k 1');
    expect(await say('LLEN k')).toEqual([':1\r\n']);
  });

  test('is not acknowledged before the server has ended the wait of a client that left', async () => {
    raw.socket.write(lines('BLPOP k 0'));
    await blocks(source);
    source.child.signal('SIGSTOP');
    raw.close();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    const epoch = route(locked);
    expect(worker.report().draining).toHaveLength(1);
    source.child.signal('SIGCONT');
    await acked(epoch);
  });

  test('whose home is another server now, without a lock, takes its waits along', async () => {
    const reply = ask('BLPOP k 0');
    await blocks(source);
    route(online(B));
    await blocks(target);
    await target.client().rpush('k', '1');
    expect(await reply).toEqual([popped('k', '1')]);
  });

  test('a master that becomes a replica ends its waits, and they go on when there is a master', async () => {
    const old = await startRedis();
    worker.route([old, target], online(A));
    const reply = ask('BLPOP k 0');
    await blocks(old);
    await old.client().replicaof('127.0.0.1', target.port);
    worker.route([old, target], online(B));
    await blocks(target);
    await target.client().rpush('k', '1');
    expect(await reply).toEqual([popped('k', '1')]);
    await old.stop();
  });

  test('a connection that is just being opened sends nothing to the source', async () => {
    source.child.signal('SIGSTOP');
    const reply = ask('BLPOP k 0');
    await eventually(() => worker.report().backendConnections === 1, { what: 'a connection' });
    const epoch = route(locked);
    await acked(epoch);
    route(online(B));
    await blocks(target);
    await target.client().rpush('k', '1');
    expect(await reply).toEqual([popped('k', '1')]);
    source.child.signal('SIGCONT');
    expect(await blockedAt(source)).toBe(0);
  });
});

describe('XREAD from $', () => {
  test('misses nothing when its slot moves while it waits', async () => {
    await say('XADD k 1-1 f before');
    const reply = ask('XREAD BLOCK 0 STREAMS k $');
    await blocks(source);
    await acked(route(locked));
    await source.client().xadd('k', '2-1', 'f', 'meanwhile');
    route(migrating);
    expect((await reply)[0]).toContain('meanwhile');
  });

  test('of a stream that is not there yet begins at its first entry', async () => {
    const reply = ask('XREAD BLOCK 0 STREAMS k {k}2 $ $');
    await blocks(source);
    await acked(route(locked));
    await source.client().xadd('{k}2', '1-1', 'f', 'first');
    route(migrating);
    expect((await reply)[0]).toContain('first');
  });

  test('goes along while the ends are being asked for', async () => {
    await ask('BLPOP k 0.01');
    source.child.signal('SIGSTOP');
    const reply = ask('XREAD BLOCK 0 STREAMS k $');
    await eventually(() => worker.report().requests >= 2, { what: 'XREAD to be sent' });
    const epoch = route(locked);
    source.child.signal('SIGCONT');
    await acked(epoch);
    route(online(B));
    await blocks(target);
    await target.client().xadd('k', '1-1', 'f', 'x');
    expect((await reply)[0]).toContain('1-1');
  });
});

describe('CLIENT UNBLOCK', () => {
  test.each([
    ['', '*-1\r\n'],
    ['TIMEOUT', '*-1\r\n'],
    ['ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
  ])('%s ends a wait at its server, and one for a slot that is locked', async (kind, expected) => {
    const [id] = await ask('CLIENT ID');
    const unblock = `CLIENT UNBLOCK ${id?.slice(1).trim()} ${kind}`;
    expect(await say(unblock)).toEqual([':0\r\n']);
    const reply = ask('BLPOP k 0', 'PING');
    await blocks(source);
    expect(await say(unblock)).toEqual([':1\r\n']);
    expect(await reply).toEqual([expected, '+PONG\r\n']);
    const parked = ask('BLPOP k 0', 'PING');
    await blocks(source);
    await acked(route(locked));
    expect(await say(unblock)).toEqual([':1\r\n']);
    expect(await parked).toEqual([expected, '+PONG\r\n']);
  });

  test('ends WAIT', async () => {
    const [id] = await ask('CLIENT ID');
    const reply = ask('WAIT 1 0', 'PING');
    await blocks(target);
    await blocks(source);
    expect(await say(`CLIENT UNBLOCK ${id?.slice(1).trim()}`)).toEqual([':1\r\n']);
    expect(await reply).toEqual([':0\r\n', '+PONG\r\n']);
  });
});

describe('WAIT', () => {
  test('waits for the replicas of every master, and answers the least', async () => {
    const replica = await startRedis({ replicaOf: source });
    const two = await startRedis({ replicaOf: source });
    const last = await startRedis({ replicaOf: target });
    await eventually(async () => /connected_slaves:2/.test(await source.client().info('replication')), { what: 'two replicas' });
    await eventually(async () => /connected_slaves:1/.test(await target.client().info('replication')), { what: 'a replica' });
    expect(await ask('SET k 1', 'WAIT 1 5000')).toEqual(['+OK\r\n', ':1\r\n']);
    expect(await Promise.all([replica, two].map((server) => server.client().get('k')))).toContain('1');
    await Promise.all([replica.stop(), two.stop(), last.stop()]);
  });

  test('of a client that leaves is ended', async () => {
    raw.socket.write(lines('WAIT 1 0'));
    await blocks(source);
    await blocks(target);
    raw.close();
    await blocks(source, 0);
    await blocks(target, 0);
    expect(await say('SET k 1')).toEqual(['+OK\r\n']);
  });
});
