// Goal: MULTI EXEC DISCARD WATCH UNWATCH answer as one Redis does, whatever the slot goes through meanwhile.
// Method: a worker in this process with two real servers and a plain Redis beside them; the test is its primary and moves every slot at once.

import { describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { QUEUED_COMMANDS_MAX } from '../../src/worker/transaction.ts';
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
  source,
  target,
  worker,
} from './between-two.ts';

betweenTwoServers();

const watchers = async (server: RedisServer) =>
  String(await server.client().client('LIST'))
    .split('\n')
    .filter((line) => /name=codis/.test(line) && / cmd=watch /.test(line)).length;

describe('as one Redis', () => {
  test.each([
    [['MULTI', 'SET k 1', 'INCR k', 'GET k', 'EXEC', 'GET k']],
    [['MULTI', 'EXEC']],
    [['MULTI', 'PING', 'ECHO x', 'PING y', 'EXEC']],
    [['MULTI', 'MULTI', 'SET k 1', 'EXEC', 'GET k']],
    [['MULTI', 'WATCH k', 'SET k 1', 'EXEC', 'GET k']],
    [['MULTI', 'UNWATCH', 'EXEC']],
    [['EXEC', 'DISCARD', 'UNWATCH', 'MULTI 1', 'WATCH']],
    [['MULTI', 'SET k 1', 'DISCARD', 'EXEC', 'GET k']],
    [['MULTI', 'NONSENSE a b', 'SET k 1', 'EXEC', 'GET k']],
    [['MULTI', 'GET', 'SET k 1', 'EXEC', 'GET k']],
    [['MULTI', 'CLIENT NONSENSE', 'EXEC']],
    [['MULTI', 'SHUTDOWN', 'EXEC']],
    [['MULTI', 'EXEC 1', 'EXEC', 'MULTI', 'DISCARD 1', 'EXEC', 'MULTI', 'MULTI 1', 'EXEC', 'MULTI', 'WATCH', 'EXEC']],
    [['MULTI', 'SET k v', 'INCR k', 'LPUSH k 1', 'GET k', 'EXEC', 'GET k']],
    [['MULTI', 'MSET {k}1 a {k}2 b', 'MGET {k}2 {k}1', 'DEL {k}1 {k}3', 'EXEC']],
    [['MULTI', 'BLPOP k 0', 'BLMOVE {k}a {k}b LEFT RIGHT 0', 'XREAD BLOCK 0 STREAMS k $', 'WAIT 0 0', 'EXEC']],
    [['MULTI', 'EVAL "return redis.call(\'incr\',KEYS[1])" 1 k', 'EVAL "return 7" 0', 'EXEC']],
    [['WATCH k', 'MULTI', 'INCR k', 'EXEC', 'WATCH k', 'SET k 5', 'MULTI', 'INCR k', 'EXEC', 'GET k']],
    [['WATCH k', 'SET k 5', 'UNWATCH', 'MULTI', 'INCR k', 'EXEC']],
    [['WATCH k', 'MULTI', 'DISCARD', 'SET k 5', 'MULTI', 'INCR k', 'EXEC']],
    [['WATCH k', 'WATCH {k}2 {k}3', 'SET {k}3 1', 'MULTI', 'EXEC', 'MULTI', 'EXEC']],
    [['WATCH k', 'SET k 1', 'MULTI', 'NONSENSE', 'EXEC']],
    [['WATCH k', 'SET k 1', 'RESET', 'MULTI', 'GET k', 'EXEC']],
    [['MULTI', 'RESET', 'EXEC', 'SET k 1', 'GET k']],
    [['HELLO 3', 'WATCH k', 'SET k 1', 'MULTI', 'EXEC', 'MULTI', 'HSET {k}h f v', 'HGETALL {k}h', 'EXEC']],
    [['SELECT 3', 'MULTI', 'SET k 1', 'EXEC', 'GET k', 'SELECT 0', 'GET k']],
    [['SET k 1', 'MULTI', 'INCR k', 'EXEC', 'INCR k', 'MULTI', 'INCR k', 'INCR k', 'EXEC', 'GET k']],
  ])('%j', async (commands) => {
    const expected = await askPlain(...commands);
    const replies = await ask(...commands);
    const isHello = (at: number) => commands[at]?.startsWith('HELLO');
    expect(replies.map((reply, at) => (isHello(at) ? '' : reply))).toEqual(expected.map((reply, at) => (isHello(at) ? '' : reply)));
  });

  test('QUIT after MULTI closes', async () => {
    raw.socket.write(lines('MULTI', 'SET k 1', 'QUIT'));
    await eventually(() => raw.closed, { what: 'the connection to be closed' });
    expect(raw.replies).toEqual(['+OK\r\n', '+QUEUED\r\n', '+OK\r\n']);
    expect(await source.client().get('k')).toBeNull();
  });

  test('what the server would not queue makes EXEC say EXECABORT, and nothing is done', async () => {
    const admin = source.client();
    await admin.config('SET', 'maxmemory', '1');
    try {
      expect(await ask('MULTI', 'DEL k', 'SET k 1', 'EXEC')).toEqual([
        '+OK\r\n',
        '+QUEUED\r\n',
        '+QUEUED\r\n',
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
      ]);
    } finally {
      await admin.config('SET', 'maxmemory', '0');
    }
    expect(await ask('GET k', 'MULTI', 'SET k 1', 'EXEC')).toEqual(['$-1\r\n', '+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n']);
  });
});

describe('what is the proxy’s own to say', () => {
  test('keys of two slots are CROSSSLOT, and EXEC is refused', async () => {
    const crossslot = expect.stringMatching(/^-CROSSSLOT /);
    expect((await ask('MULTI', 'SET a 1', 'SET b 1', 'EXEC')).slice(2)).toEqual([crossslot, expect.stringMatching(/^-EXECABORT /)]);
    expect(await ask('WATCH a', 'WATCH b', 'WATCH a b')).toEqual(['+OK\r\n', crossslot, crossslot]);
    expect((await ask('MULTI', 'GET b', 'EXEC')).slice(1)).toEqual([crossslot, expect.stringMatching(/^-EXECABORT /)]);
  });

  test.each(['DBSIZE', 'SELECT 1', 'CLIENT ID', 'HELLO 3', 'SUBSCRIBE a', 'SORT k BY w_*', 'INFO', 'DEBUG SLEEP 0'])(
    '%s is not queued',
    async (command) => {
      expect((await ask('MULTI', command, 'EXEC')).slice(1)).toEqual([
        expect.stringMatching(/^-ERR /),
        expect.stringMatching(/^-EXECABORT /),
      ]);
    },
  );

  test('a transaction of too many commands is refused', async () => {
    const replies = await raw.ask(`MULTI\r\n${'PING\r\n'.repeat(QUEUED_COMMANDS_MAX + 1)}EXEC\r\n`, QUEUED_COMMANDS_MAX + 3);
    expect(replies.slice(-3)).toEqual([
      '+QUEUED\r\n',
      expect.stringMatching(/^-ERR a transaction through the proxy has at most/),
      expect.stringMatching(/^-EXECABORT /),
    ]);
  });

  test('a transaction of too many bytes is refused, and one of fewer is not', async () => {
    await restart({ session_max_bufsize: 65_536 });
    const large = `SET k ${'x'.repeat(30_000)}`;
    expect((await ask('MULTI', large, large, 'EXEC')).at(-1)).toBe('*2\r\n+OK\r\n+OK\r\n');
    expect((await ask('MULTI', large, large, large, 'EXEC')).slice(3)).toEqual([
      expect.stringMatching(/^-ERR a transaction through the proxy has at most/),
      expect.stringMatching(/^-EXECABORT /),
    ]);
  });

  test('SELECT or HELLO between WATCH and EXEC is refused', async () => {
    expect((await ask('WATCH k', 'SELECT 1', 'MULTI', 'EXEC')).at(-1)).toMatch(/^-ERR keys are watched in another database/);
    expect(await ask('MULTI', 'EXEC')).toEqual(['+OK\r\n', '*0\r\n']);
  });

  test('a connection that is lost during EXEC is an outcome that is unknown', async () => {
    const dying = await startRedis();
    worker.route([dying], online(A));
    await ask('MULTI', 'INCR k', 'EXEC', 'MULTI', 'INCR k');
    dying.child.signal('SIGSTOP');
    const lost = ask('EXEC');
    await eventually(() => worker.report().requests >= 6, { what: 'EXEC to be sent' });
    await dying.stop();
    expect(await lost).toEqual([expect.stringMatching(/^-ERR server .* whether the command was carried out is unknown/)]);
    expect(await ask('MULTI', 'INCR k', 'EXEC')).toEqual([
      '+OK\r\n',
      '+QUEUED\r\n',
      expect.stringMatching(/not sent; the transaction was discarded|so the command was not sent/),
    ]);
  });
});

describe('WATCH', () => {
  test('is let go at the server when its client leaves', async () => {
    await ask('WATCH k');
    expect(await watchers(source)).toBe(1);
    raw.close();
    await eventually(async () => (await watchers(source)) === 0, { what: 'the server to watch nothing' });
  });

  test('costs no lock its acknowledgement, and EXEC answers nil then', async () => {
    await ask('SET k 1', 'WATCH k');
    const epoch = route(locked);
    expect(worker.messages).toContainEqual({ type: 'applied', epoch });
    expect(await ask('MULTI', 'INCR k', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*-1\r\n']);
    route(online(A));
    expect(await ask('GET k')).toEqual(['$1\r\n1\r\n']);
  });

  test('is broken by a lock that was rolled back, by a migration, and by another home', async () => {
    for (const steps of [[locked, online(A)], [migrating], [online(B)], [locked, migrating, online(B)]]) {
      route(online(A));
      await ask('WATCH k');
      for (const step of steps) route(step);
      expect(await ask('MULTI', 'INCR {k}never', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*-1\r\n']);
      expect(await ask('MULTI', 'PING', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*1\r\n+PONG\r\n']);
    }
    expect(await ask('EXISTS {k}never')).toEqual([':0\r\n']);
  });

  test('is broken when its connection is lost', async () => {
    await ask('WATCH k');
    await source.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect(await ask('MULTI', 'INCR k', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*-1\r\n']);
  });

  test('of a migrating slot has its keys handed over, and holds through the end of the migration', async () => {
    await ask('SET k 1');
    route(migrating);
    await ask('WATCH k');
    expect(await target.client().get('k')).toBe('1');
    route(online(B));
    expect(await ask('MULTI', 'INCR k', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*1\r\n:2\r\n']);
    await ask('WATCH k');
    await target.client().set('k', 'touched');
    expect((await ask('MULTI', 'INCR k', 'EXEC')).at(-1)).toBe('*-1\r\n');
  });

  test('waits while its slot is locked', async () => {
    route(locked);
    const replies = ask('WATCH k', 'MULTI', 'INCR k', 'EXEC');
    await eventually(() => worker.report().held >= 1, { what: 'WATCH to be held' });
    route(online(A));
    expect((await replies).at(-1)).toBe('*1\r\n:1\r\n');
  });

  test('that could not be done says so, and watches nothing', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    route(locked);
    expect(await ask('WATCH k')).toEqual([expect.stringMatching(/^-TRYAGAIN /)]);
    route(online(A));
    expect(await ask('MULTI', 'SET other 1', 'EXEC')).toEqual(['+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n']);
  });
});

describe('EXEC', () => {
  test('waits while the slot is locked, and is counted in flight once', async () => {
    await ask('MULTI', 'INCR k', 'INCR k');
    route(locked);
    const reply = ask('EXEC');
    await eventually(() => worker.report().held >= 1, { what: 'EXEC to be held' });
    route(online(A));
    expect(await reply).toEqual(['*2\r\n:1\r\n:2\r\n']);
    const epoch = route(locked);
    expect(worker.messages).toContainEqual({ type: 'applied', epoch });
  });

  test('that waited too long is discarded, and says so', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    await ask('MULTI', 'INCR k');
    route(locked);
    expect(await ask('EXEC')).toEqual([expect.stringMatching(/^-TRYAGAIN .*the transaction was discarded/)]);
    route(online(A));
    expect(await ask('EXEC', 'GET k')).toEqual(['-ERR EXEC without MULTI\r\n', '$-1\r\n']);
  });

  test('has all keys handed over first, at once', async () => {
    await ask('MSET {t}a 1 {t}b 2 {t}c 3');
    await ask('MULTI', 'INCR {t}a', 'MGET {t}b {t}c', 'DEL {t}b');
    route(migrating);
    expect(await ask('EXEC', 'GET {t}a')).toEqual(['*3\r\n:2\r\n*2\r\n$1\r\n2\r\n$1\r\n3\r\n:1\r\n', '$1\r\n2\r\n']);
    expect(worker.report().handOvers).toBe(1);
    expect(await source.client().dbsize()).toBe(0);
  });

  test('with MOVE or COPY … DB is refused for now while the slot is migrating', async () => {
    await restart({ slot_hold_timeout_ms: 300 });
    await ask('SET k 1', 'MULTI', 'MOVE k 1');
    route(migrating);
    expect(await ask('EXEC')).toEqual([expect.stringMatching(/^-TRYAGAIN .*the transaction was discarded/)]);
    expect(await ask('GET k')).toEqual(['$1\r\n1\r\n']);
  });

  test('is in flight until it is answered', async () => {
    await ask('GET k', 'MULTI', 'INCR k', 'EXEC', 'MULTI', 'INCR k');
    source.child.signal('SIGSTOP');
    const reply = ask('EXEC');
    await eventually(() => worker.report().requests >= 7, { what: 'EXEC to be sent' });
    const epoch = route(locked);
    expect(worker.messages).not.toContainEqual({ type: 'applied', epoch });
    source.child.signal('SIGCONT');
    expect(await reply).toEqual(['*1\r\n:2\r\n']);
    await eventually(() => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), { what: 'the ack' });
  });

  test('whose client left is carried out or not, and leaves nothing in flight', async () => {
    await restart({ slot_hold_timeout_ms: 500 });
    await ask('MULTI', 'INCR k');
    route(locked);
    raw.socket.write(lines('EXEC'));
    await eventually(() => worker.report().held >= 1, { what: 'EXEC to be held' });
    raw.close();
    await eventually(() => worker.report().clients === 0, { what: 'the client to be gone' });
    route(migrating);
    const epoch = route(locked);
    await eventually(() => worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), { what: 'the ack' });
    expect(await source.client().get('k')).toBeNull();
  });

  test('streams a reply that is larger than what may wait for a client', async () => {
    await restart({ session_max_bufsize: 65_536 });
    await source.client().set('k', 'x'.repeat(1_000_000));
    const replies = await ask('MULTI', 'GET k', 'GET k', 'GET k', 'EXEC', 'PING');
    expect(replies.at(-2)?.length).toBeGreaterThan(3_000_000);
    expect(replies.at(-1)).toBe('+PONG\r\n');
  });

  test('gives its connection back', async () => {
    for (let round = 0; round < 20; round++)
      await ask('MULTI', 'INCR k', 'EXEC', 'WATCH k', 'MULTI', 'INCR k', 'EXEC', 'WATCH k', 'UNWATCH');
    expect(worker.report().backendConnections).toBeLessThanOrEqual(3);
  });
});
