// Connections to a real ZooKeeper that break, and the watches on them. The numbers are the duties of a wrapper in DEPENDENCIES.

import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { Entry } from '../../src/coordinator/coordinator.ts';
import { Link } from '../../src/coordinator/zookeeper/link.ts';
import { CODES } from '../../src/coordinator/zookeeper/replies.ts';
import {
  check,
  committed,
  create,
  createEphemeral,
  recordStates,
  refused,
  remove,
  seen,
  sessionOf,
  set,
  Told,
} from './contract/environment.ts';
import { insideOf, LOST, newProduct, reaches, UNKNOWN, ZookeeperBench } from './zookeeper-bench.ts';

const bench = new ZookeeperBench();

describe('connections that break', () => {
  it('2: a connection cut anywhere in a reply is replaced, and the next read is whole', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const session = sessionOf(coordinator);
    await committed(coordinator, create('topology', 'x'.repeat(100)));
    for (const bytes of [1, 2, 3, 4, 5, 8, 19, 20, 21, 24, 80, 150, 191]) {
      proxy.cutAfter('toClient', bytes);
      await expect(coordinator.read('topology')).rejects.toMatchObject(LOST);
      await coordinator.ready(5000);
      expect(seen(await coordinator.read('topology'))).toBe(`${'x'.repeat(100)}@0`);
    }
    expect(sessionOf(coordinator)).toBe(session);
  });

  it('2: a connection cut anywhere in the handshake is replaced', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const session = sessionOf(coordinator);
    for (const bytes of [1, 3, 4, 5, 20, 40]) {
      proxy.cutAfter('toClient', bytes);
      const before = proxy.acceptedCount;
      proxy.cut();
      await eventually(() => proxy.acceptedCount >= before + 2, { what: 'the connection after the one cut in its handshake' });
      await coordinator.ready(5000);
    }
    expect(await coordinator.read('topology')).toBeNull();
    expect(sessionOf(coordinator)).toBe(session);
  });

  it('2: a value of many packets, cut in its middle, comes whole the next time', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const data = Buffer.alloc(900_000, 'v');
    await committed(coordinator, { op: 'create', path: 'topology', data });
    proxy.cutAfter('toClient', 500_000);
    await expect(coordinator.read('topology')).rejects.toMatchObject(LOST);
    await coordinator.ready(5000);
    expect((await coordinator.read('topology'))?.data.equals(data)).toBe(true);
  });

  it('10, 11: a commit whose answer is lost is unknown, though it was made, and is not sent again', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    await committed(coordinator, create('topology', 'v0'));
    proxy.cutAfter('toClient', 0);
    await expect(coordinator.commit([set('topology', 'v1', 0), create('other')])).rejects.toMatchObject(UNKNOWN);
    await coordinator.ready(5000);
    expect(seen(await coordinator.read('topology'))).toBe('v1@1');
    expect(seen(await coordinator.read('other'))).toBe('@0');
  });

  it('10: a commit that is cut on its way out is unknown, though it was not made', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    await committed(coordinator, create('topology', 'v0'));
    proxy.cutAfter('toServer', 10);
    await expect(coordinator.commit([set('topology', 'v1', 0)])).rejects.toMatchObject(UNKNOWN);
    await coordinator.ready(5000);
    expect(seen(await coordinator.read('topology'))).toBe('v0@0');
  });

  it('7, 25: calls while cut off fail at once and are never sent; the state says since when', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const before = Date.now();
    proxy.refuse();
    await reaches(coordinator, 'suspended');
    expect(coordinator.state).toMatchObject({ since: expect.any(Number) });
    const { since } = coordinator.state as { since: number };
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
    const commits = Array.from({ length: 1000 }, (_, index) => coordinator.commit([create(`n${index}`)]));
    for (const commit of commits) await expect(commit).rejects.toMatchObject(LOST);
    expect(coordinator.state.kind).toBe('suspended');
    proxy.restore();
    await coordinator.ready(5000);
    expect(await coordinator.list('')).toEqual([]);
  });

  it('23: attempts that fail are no changes of state', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const states = recordStates(coordinator);
    const before = proxy.acceptedCount;
    proxy.refuse();
    await eventually(() => proxy.acceptedCount > before + 3, { what: 'some attempts' });
    proxy.restore();
    await coordinator.ready(5000);
    expect(states.map((state) => state.kind)).toEqual(['suspended', 'connected']);
  });

  it('3: a connection over which nothing comes is given up within the session, which goes on over another', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy({ sessionTimeoutMs: 4000 });
    const session = sessionOf(coordinator);
    await committed(coordinator, createEphemeral('controller'));
    proxy.stall();
    const read = coordinator.read('controller');
    await expect(read).rejects.toMatchObject(LOST);
    proxy.restore();
    await coordinator.ready(5000);
    expect((await coordinator.read('controller'))?.owner).toBe(session);
    expect(sessionOf(coordinator)).toBe(session);
  });

  it('an idle connection is kept alive and stays the same', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy({ sessionTimeoutMs: 1500 });
    const states = recordStates(coordinator);
    const idleSince = performance.now();
    await eventually(() => performance.now() - idleSince > 3500, { what: 'more than two session timeouts to pass' });
    expect(states).toEqual([]);
    expect(proxy.acceptedCount).toBe(1);
  });
});

describe('version 0', () => {
  it('1: guards a set, a delete and a check as any other version does, and its absence guards nothing', async () => {
    const coordinator = await bench.connect();
    await committed(coordinator, create('topology', 'v0'), create('spare'));
    await committed(coordinator, check('topology', 0), set('topology', 'v1', 0), remove('spare', 0));
    for (const op of [set('topology', 'again', 0), remove('topology', 0), check('topology', 0)]) {
      expect(await refused(coordinator, op)).toEqual({ index: 0, path: 'topology', reason: 'version' });
    }
    expect(await committed(coordinator, set('topology', 'v2'))).toEqual([2]);
    await committed(coordinator, remove('topology'));
  });
});

describe('watches', () => {
  it('15, 18: 1200 watches are armed again, though their paths together are larger than a packet', { timeout: 60_000 }, async () => {
    const product = newProduct();
    const [coordinator, proxy] = await bench.connectThroughProxy({ product });
    const writer = await bench.connect({ product });
    const names = Array.from({ length: 1200 }, (_, index) => `${index}-`.padEnd(900, 'w'));
    const halves = [names.slice(0, 600), names.slice(600)];
    for (const half of halves) await committed(writer, ...half.map((name) => create(name, 'v0')));
    const told = new Map<string, string | null>();
    for (const name of names) coordinator.watch(name, (entry) => told.set(name, seen(entry)));
    const all = (value: string) =>
      eventually(() => names.every((name) => told.get(name) === value), { what: `1200 times ${value}`, timeoutMs: 30_000 });
    await all('v0@0');
    for (const round of [1, 2]) {
      proxy.refuse();
      await reaches(coordinator, 'suspended');
      for (const half of halves) await committed(writer, ...half.map((name) => set(name, `v${round}`)));
      proxy.restore();
      await all(`v${round}@${round}`);
    }
  });

  it('18: a thousand listeners that come and go leave one watch, and no warning', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const product = newProduct();
    const coordinator = await bench.connect({ product });
    const before = await bench.watchesCount();
    for (let round = 0; round < 1000; round++) coordinator.watch('never/created', () => undefined)();
    const told = new Told<Entry | null>();
    coordinator.watch('never/created', told.listener);
    await told.until('null', (entry) => entry === null);
    expect(await bench.watchesCount()).toBe(before + 1);
    await committed(coordinator, create('never'), create('never/created', 'now'));
    await told.until('the node', (entry) => seen(entry) === 'now@0');
    expect(told.values).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  it('18: a watch that nobody listens to any more ends with its connection', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const before = await bench.watchesCount();
    const stop = coordinator.watch('gone', () => undefined);
    const told = new Told<Entry | null>();
    coordinator.watch('kept', told.listener);
    await told.until('null', (entry) => entry === null);
    expect(await bench.watchesCount()).toBe(before + 2);
    stop();
    proxy.refuse();
    await reaches(coordinator, 'suspended');
    proxy.restore();
    await reaches(coordinator, 'connected');
    await eventually(async () => (await bench.watchesCount()) === before + 1, { what: 'one watch' });
    const again = new Told<Entry | null>();
    coordinator.watch('gone', again.listener);
    await again.until('null', (entry) => entry === null);
    await committed(coordinator, create('gone', 'back'));
    await again.until('the node', (entry) => seen(entry) === 'back@0');
  });

  it('19: a listener that throws leaves the session as it was', async () => {
    const [coordinator, proxy] = await bench.connectThroughProxy();
    const before = process.listeners('uncaughtException');
    const caught: unknown[] = [];
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => caught.push(error));
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    });
    coordinator.watch('topology', () => {
      throw new Error('from a listener');
    });
    await eventually(() => caught.length === 1, { what: 'the error to surface' });
    await committed(coordinator, create('topology'));
    await eventually(() => caught.length === 2, { what: 'the next one' });
    expect(proxy.acceptedCount).toBe(1);
  });
});

describe('leaks', () => {
  it('7, 8: broken connections and failed attempts leave nothing queued, armed or listening in the library', async () => {
    const proxy = await bench.proxy();
    let upCount = 0;
    let failedCount = 0;
    const link = new Link({
      servers: proxy.addr,
      sessionTimeoutMs: 4000,
      events: { up: () => upCount++, down: () => undefined, expired: () => undefined, failed: () => failedCount++ },
    });
    onTestFinished(() => link.destroy());
    const library = insideOf(link);
    const manager = library.connectionManager;
    await eventually(() => upCount === 1, { what: 'the first connection' });
    for (let round = 1; round <= 30; round++) {
      for (const path of ['/', '/none'])
        library.exists(
          path,
          () => undefined,
          () => undefined,
        );
      proxy.cut();
      await eventually(() => upCount === round + 1, { what: 'the next connection' });
    }
    proxy.refuse();
    await eventually(() => failedCount >= 36, { what: 'some attempts that fail' });
    const whileDown = await new Promise((done) => library.exists('/', () => undefined, done));
    expect(whileDown).toMatchObject({ code: CODES.NOT_SENT });
    expect(manager.packetQueue.queue).toEqual([]);
    expect(manager.pendingQueue).toEqual([]);
    expect(manager.pendingBuffer).toBeNull();
    expect([manager.watcherManager.dataWatchers, manager.watcherManager.existenceWatchers]).toEqual([{}, {}]);
    expect(manager.listenerCount('state')).toBe(2);
    proxy.restore();
    await eventually(() => upCount === 32, { what: 'the last connection' });
    expect(proxy.connectionsCount).toBe(1);
  });

  it('14: request numbers begin again before they outgrow 32 bits', async () => {
    let isUp = false;
    const link = new Link({
      servers: bench.server.addr,
      sessionTimeoutMs: 1000,
      events: { up: () => (isUp = true), down: () => undefined, expired: () => undefined, failed: () => undefined },
    });
    onTestFinished(() => link.destroy());
    await eventually(() => isUp, { what: 'the connection' });
    const library = insideOf(link);
    library.connectionManager.xid = 2_000_000_001;
    const exists = () => new Promise((done) => library.exists('/', () => undefined, done));
    const answer = exists();
    link.numberRequest();
    await Promise.all([answer, exists()]);
    expect(library.connectionManager.xid).toBe(2);
  });

  it('sixty reconnects and six sessions leave the server one session, one connection and one watch', async () => {
    const product = newProduct();
    const [coordinator, proxy] = await bench.connectThroughProxy({ product, sessionTimeoutMs: 400 });
    const told = new Told<Entry | null>();
    coordinator.watch('topology', told.listener);
    await told.until('null', (entry) => entry === null);
    const watches = await bench.watchesCount();
    const states = recordStates(coordinator);
    const connectedCount = () => states.filter((state) => state.kind === 'connected').length;
    for (let round = 1; round <= 60; round++) {
      proxy.cut();
      await eventually(() => connectedCount() === round, { what: 'the next connection' });
    }
    for (let round = 1; round <= 6; round++) {
      proxy.refuse();
      await reaches(coordinator, 'lost');
      proxy.restore();
      await reaches(coordinator, 'connected');
    }
    await eventually(async () => (await bench.watchesCount()) === watches, { what: 'as many watches as before' });
    expect(proxy.connectionsCount).toBe(1);
    await committed(coordinator, create('topology', 'v0'));
    await told.until('v0', (entry) => seen(entry) === 'v0@0');
    expect(told.values).toHaveLength(2);
    const session = sessionOf(coordinator);
    await coordinator.close();
    expect(await bench.knows(session)).toBe(false);
    await eventually(() => proxy.connectionsCount === 0, { what: 'the connection to be closed' });
  });
});

describe('what other tools wrote', () => {
  it('16, 17: a node without a value reads as empty, and the root was made without one', async () => {
    const product = newProduct();
    const coordinator = await bench.connect({ product });
    await committed(coordinator, create('node', 'x'));
    let isUp = false;
    const link = new Link({
      servers: bench.server.addr,
      sessionTimeoutMs: 1000,
      events: { up: () => (isUp = true), down: () => undefined, expired: () => undefined, failed: () => undefined },
    });
    onTestFinished(() => link.destroy());
    await eventually(() => isUp, { what: 'the other tool to connect' });
    const library = insideOf(link);
    const dataOf = (path: string) => new Promise((done) => library.getData(path, undefined, (_, data) => done(data)));
    for (const root of ['/codis', `/codis/${product}`]) expect(await dataOf(root)).toEqual(Buffer.alloc(0));
    const node = `/codis/${product}/node`;
    await new Promise<void>((done) =>
      library
        .transaction()
        .setData(node, null)
        .commit(() => done()),
    );
    expect(await dataOf(node)).toBeUndefined();
    expect(await coordinator.read('node')).toEqual({ data: Buffer.alloc(0), version: 1, owner: null });
  });
});
