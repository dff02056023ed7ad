// Sessions and servers that end, freeze, restart and come back empty. The numbers are the duties of a wrapper in DEPENDENCIES.

import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, freePort } from '../../../../test/harness/process.ts';
import type { Entry } from '../../src/coordinator/coordinator.ts';
import { openZookeeperCoordinator } from '../../src/coordinator/zookeeper/zookeeper.ts';
import { committed, create, createEphemeral, recordStates, refused, seen, sessionOf, set, Told } from './contract/environment.ts';
import { LOST, newProduct, open, reaches, UNKNOWN, ZookeeperBench } from './zookeeper-bench.ts';

const bench = new ZookeeperBench();

describe('sessions that end', () => {
  it('5, 24: a session that the server has expired is followed by a new one that works', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy({ sessionTimeoutMs: 600 });
    const session = sessionOf(coordinator);
    await committed(coordinator, createEphemeral('controller'));
    expect(await bench.knows(session)).toBe(true);
    const states = recordStates(coordinator);
    proxy.refuse();
    await eventually(async () => !(await bench.knows(session)), { what: 'the session to expire' });
    proxy.restore();
    await reaches(coordinator, 'connected');
    expect(states.map((state) => state.kind)).toEqual(['suspended', 'lost', 'connected']);
    expect(sessionOf(coordinator)).not.toBe(session);
    await committed(coordinator, createEphemeral('controller'));
    expect((await coordinator.read('controller'))?.owner).toBe(sessionOf(coordinator));
  });

  it('6: a session that nobody can tell the end of is lost by the clock; calls say so all along', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy({ sessionTimeoutMs: 400 });
    const states = recordStates(coordinator);
    proxy.refuse();
    await reaches(coordinator, 'lost');
    await expect(coordinator.read('topology')).rejects.toMatchObject(LOST);
    await expect(coordinator.ready(50)).rejects.toMatchObject(LOST);
    proxy.restore();
    await reaches(coordinator, 'connected');
    expect(states.map((state) => state.kind)).toEqual(['suspended', 'lost', 'connected']);
  });

  it('20: the ephemeral of a crashed process is another session’s, and goes with it', async () => {
    const product = newProduct();
    const [crashed, proxy] = await bench.connectThroughProxy({ product, sessionTimeoutMs: 600 });
    await committed(crashed, createEphemeral('live', 'old'));
    const old = sessionOf(crashed);
    proxy.refuse();
    const next = await bench.connect({ product });
    const told = new Told<Entry | null>();
    next.watch('live', told.listener);
    expect(await refused(next, createEphemeral('live', 'new'))).toMatchObject({ reason: 'exists' });
    expect((await next.read('live'))?.owner).toBe(old);
    await told.until('its end', (entry) => entry === null);
    await committed(next, createEphemeral('live', 'new'));
    expect((await next.read('live'))?.owner).toBe(sessionOf(next));
  });
});

describe('close', () => {
  it('13: at once after opening, and no connection is made after that', async () => {
    const proxy = await bench.proxy();
    const coordinator = openZookeeperCoordinator({ servers: [proxy.addr], product: newProduct(), sessionTimeoutMs: 2000 });
    await coordinator.close();
    expect(coordinator.state.kind).toBe('closed');
    await expect(coordinator.ready(1000)).rejects.toMatchObject(LOST);
    await open([proxy.addr]).ready(10_000);
    expect(proxy.acceptedCount).toBe(1);
  });

  it('13: of what never reached a server costs no wait', async () => {
    const servers = [`127.0.0.1:${await freePort()}`];
    for (let round = 0; round < 50; round++) {
      const coordinator = openZookeeperCoordinator({ servers, product: newProduct(), sessionTimeoutMs: 2000 });
      await expect(coordinator.ready(round % 5)).rejects.toMatchObject(LOST);
      await coordinator.close();
    }
  });

  it.each([0, 1, 2, 5, 10, 20])('13: %i ms after opening, whatever has been reached by then', async (ms) => {
    const coordinator = openZookeeperCoordinator({ servers: [bench.server.addr], product: newProduct(), sessionTimeoutMs: 2000 });
    await new Promise((done) => setTimeout(done, ms));
    await coordinator.close();
    expect(coordinator.state.kind).toBe('closed');
  });

  it('13: of a connection that is stalled ends all the same, and fails what is under way', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy({ sessionTimeoutMs: 4000 });
    proxy.stall();
    const commit = coordinator.commit([create('topology')]);
    const outcome = expect(commit).rejects.toMatchObject(UNKNOWN);
    await coordinator.close();
    await outcome;
  });

  it('13: of a session that is cut off for a moment still deletes its ephemerals', async () => {
    const product = newProduct();
    const [coordinator, proxy] = await bench.connectThroughProxy({ product, sessionTimeoutMs: 4000 });
    const other = await bench.connect({ product });
    await committed(coordinator, createEphemeral('controller'));
    proxy.refuse();
    await reaches(coordinator, 'suspended');
    const closing = coordinator.close();
    proxy.restore();
    await closing;
    expect(await other.read('controller')).toBeNull();
  });
});

describe('one server of several', () => {
  it('4: a server that takes connections and never answers does not keep a client from the others', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((done) => void silent.listen(0, '127.0.0.1', done));
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    for (let round = 0; round < 4; round++) {
      const coordinator = open([`127.0.0.1:${port}`, bench.server.addr], { sessionTimeoutMs: 600 });
      await coordinator.ready(10_000);
    }
  });

  it('a name that does not resolve is passed over, and told', async () => {
    const errors: Error[] = [];
    const coordinators = Array.from({ length: 4 }, () =>
      open(['no-such-host.invalid:2181', bench.server.addr], { onError: (error) => errors.push(error as Error) }),
    );
    for (const coordinator of coordinators) await coordinator.ready(10_000);
    const alone = open(['no-such-host.invalid:2181']);
    const why = { ...LOST, message: expect.stringContaining('no-such-host.invalid') };
    await eventually(
      () =>
        expect(alone.read('topology'))
          .rejects.toMatchObject(why)
          .then(() => true),
      { what: 'the first attempt' },
    );
  });
});

describe('a server that is not there', () => {
  it.each(['localhost', '127.0.0.1'])('is named in what ready and calls reject with: %s', async (host) => {
    const port = await freePort();
    const coordinator = open([`${host}:${port}`]);
    const why = { ...LOST, message: expect.stringMatching(new RegExp(`${host}:${port}: .*ECONNREFUSED`)) };
    await eventually(
      () =>
        expect(coordinator.read('topology'))
          .rejects.toMatchObject(why)
          .then(() => true),
      { what: 'the first attempt' },
    );
    await expect(coordinator.ready(50)).rejects.toMatchObject(why);
    await expect(coordinator.read('topology')).rejects.toMatchObject(why);
    await expect(coordinator.commit([create('topology')])).rejects.toMatchObject(why);
  });
});

describe('a server', () => {
  it('3: that is frozen is noticed within the session, which goes on when it thaws', async () => {
    const coordinator = await bench.connect({ sessionTimeoutMs: 4000 });
    await committed(coordinator, createEphemeral('controller'));
    const session = sessionOf(coordinator);
    await bench.server.freeze();
    try {
      const reads = Promise.all([1, 2, 3].map(() => expect(coordinator.read('controller')).rejects.toMatchObject(LOST)));
      await reaches(coordinator, 'suspended');
      await reads;
    } finally {
      bench.server.thaw();
    }
    await coordinator.ready(10_000);
    expect(sessionOf(coordinator)).toBe(session);
    expect((await coordinator.read('controller'))?.owner).toBe(session);
  });

  it('6: that is frozen for longer than the session costs the session, and nothing else', async () => {
    const coordinator = await bench.connect({ sessionTimeoutMs: 400 });
    await committed(coordinator, create('topology', 'v0'));
    const told = new Told<Entry | null>();
    coordinator.watch('topology', told.listener);
    const session = sessionOf(coordinator);
    await bench.server.freeze();
    try {
      await reaches(coordinator, 'lost');
    } finally {
      bench.server.thaw();
    }
    await reaches(coordinator, 'connected');
    expect(sessionOf(coordinator)).not.toBe(session);
    await committed(coordinator, set('topology', 'v1', 0));
    await told.until('v1', (entry) => seen(entry) === 'v1@1');
  });

  it('13: that is frozen can be closed', async () => {
    const coordinator = await bench.connect({ sessionTimeoutMs: 4000 });
    await bench.server.freeze();
    try {
      await coordinator.close();
    } finally {
      bench.server.thaw();
    }
    expect(coordinator.state.kind).toBe('closed');
  });

  it('that is killed and started again on its data has the same sessions', async () => {
    const coordinator = await bench.connect({ sessionTimeoutMs: 4000 });
    await committed(coordinator, create('topology', 'v0'), createEphemeral('controller'));
    const told = new Told<Entry | null>();
    coordinator.watch('topology', told.listener);
    const session = sessionOf(coordinator);
    await bench.server.restart();
    await coordinator.ready(10_000);
    expect(sessionOf(coordinator)).toBe(session);
    expect((await coordinator.read('controller'))?.owner).toBe(session);
    await committed(coordinator, set('topology', 'v1', 0));
    await told.until('v1', (entry) => seen(entry) === 'v1@1');
  });

  it('6: that comes back empty is taken as it is: a new session, watches told that all is gone, a root to begin again with', async () => {
    const coordinator = await bench.connect({ sessionTimeoutMs: 1000 });
    for (let round = 0; round < 20; round++) await committed(coordinator, create(`n${round}`, 'old'));
    const told = new Told<Entry | null>();
    const names = new Told<readonly string[]>();
    coordinator.watch('n3', told.listener);
    coordinator.watchChildren('', names.listener);
    await told.until('old', (entry) => seen(entry) === 'old@0');
    const session = sessionOf(coordinator);
    await bench.server.restart({ wipe: true });
    await eventually(() => coordinator.state.kind === 'connected' && coordinator.state.session !== session, { what: 'a new session' });
    await told.until('nothing', (entry) => entry === null);
    await names.until('nothing', (list) => list.length === 0);
    await committed(coordinator, create('n3', 'new'));
    await told.until('new', (entry) => seen(entry) === 'new@0');
  });
});
