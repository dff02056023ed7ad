// What real servers do too seldom to wait for, from a peer that does it on purpose. The numbers are the duties of a wrapper in DEPENDENCIES.

import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { openZookeeperCoordinator } from '../../src/coordinator/zookeeper/zookeeper.ts';
import { create, recordStates } from './contract/environment.ts';
import { framed, OP, type Reply, type Request, startScriptedZookeeper } from './scripted-zookeeper.ts';

async function scripted(
  answer?: (request: Request) => Reply | null,
  options: { handshakeDelayMs?: number; sessionTimeoutMs?: number } = {},
) {
  const server = await startScriptedZookeeper(answer, options);
  const errors: unknown[] = [];
  const coordinator = openZookeeperCoordinator({
    servers: [server.addr],
    product: 'demo',
    sessionTimeoutMs: 2000,
    onError: (error) => errors.push(error),
  });
  onTestFinished(async () => {
    await coordinator.close();
    await server.close();
  });
  return { server, coordinator, errors };
}

describe('a scripted ZooKeeper', () => {
  it('21: the first request of a session is the fence, and nothing is read before it is answered', async () => {
    const { server, coordinator } = await scripted();
    coordinator.watch('topology', () => undefined);
    await coordinator.ready(5000);
    await coordinator.read('topology');
    expect(server.requests[0]?.type).toBe(OP.multi);
    expect(server.requests.slice(1).map((request) => request.type)).not.toContain(OP.multi);
  });

  it('21: a connection for the same session brings what it has seen, and is refused by a server that is behind', async () => {
    const { server, coordinator } = await scripted((request) => (request.type === OP.getData ? { err: -101, zxid: 0x500000009n } : null));
    await coordinator.ready(5000);
    await coordinator.read('topology');
    server.cut();
    await eventually(() => server.handshakes.length === 2, { what: 'a second connection' });
    expect(server.handshakes[1]).toEqual({ lastZxid: 0x500000009n, session: 0x1234n });
  });

  it('5, 21: the server’s word that a session is over is taken at once, and the next one is fenced too', async () => {
    const { server, coordinator } = await scripted(undefined, { sessionTimeoutMs: 600_000 });
    await coordinator.ready(5000);
    const told: unknown[] = [];
    coordinator.watch('topology', (entry) => told.push(entry));
    await eventually(() => told.length === 1, { what: 'the first value' });
    const states = recordStates(coordinator);
    server.expire();
    await eventually(() => states.at(-1)?.kind === 'connected', { what: 'a new session' });
    await coordinator.read('topology');
    expect(states.map((state) => state.kind)).toEqual(['suspended', 'lost', 'connected']);
    expect(server.handshakes.map(({ session }) => session)).toEqual([0n, 0x1234n, 0n]);
    const last = server.requests.filter((request) => request.connection === 2);
    expect(last[0]?.type).toBe(OP.multi);
    expect(told).toEqual([null]);
  });

  it('21: an answer with a smaller transaction number does not take back what was seen', async () => {
    const zxids = [0x500000009n, -1n, 0x100000001n];
    const { server, coordinator } = await scripted((request) =>
      request.type === OP.getData ? { err: -101, zxid: zxids.shift() ?? 0n } : null,
    );
    await coordinator.ready(5000);
    for (let reads = 0; reads < 4; reads++) await coordinator.read('topology');
    server.cut();
    await eventually(() => server.handshakes.length === 2, { what: 'a second connection' });
    expect(server.handshakes[1]?.lastZxid).toBe(0x500000009n);
  });

  it('9: nothing is sent before the handshake is answered', async () => {
    const { server, coordinator } = await scripted(undefined, { handshakeDelayMs: 100 });
    coordinator.watch('topology', () => undefined);
    await coordinator.ready(5000);
    server.cut();
    await eventually(() => server.handshakes.length === 2, { what: 'a second connection' });
    await coordinator.ready(5000);
    await coordinator.read('topology');
    expect(server.earlyRequestsCount).toBe(0);
  });

  it('14: no request has the number 0, also after a reconnect', async () => {
    const { server, coordinator } = await scripted();
    await coordinator.ready(5000);
    await coordinator.read('a');
    server.cut();
    await eventually(() => server.handshakes.length === 2 && coordinator.state.kind === 'connected', { what: 'a second connection' });
    await coordinator.read('b');
    const numbers = (connection: number) => server.requests.filter((request) => request.connection === connection).map(({ xid }) => xid);
    expect(numbers(0)[0]).toBe(1);
    expect(numbers(1)[0]).toBe(1);
  });

  it('15: watches are armed again one by one, never in one packet', async () => {
    const { server, coordinator } = await scripted();
    await coordinator.ready(5000);
    coordinator.watch('a', () => undefined);
    coordinator.watchChildren('b', () => undefined);
    const exists = (connection: number) =>
      server.requests.filter((request) => request.type === OP.exists && request.connection === connection).length;
    await eventually(() => exists(0) === 2, { what: 'both watches' });
    server.cut();
    await eventually(() => exists(1) === 2, { what: 'both watches again' });
    expect(server.requests.map((request) => request.type)).not.toContain(OP.setWatches);
  });

  it('11: a read that is cut off is not sent again behind the caller’s back', async () => {
    let silent = false;
    const { server, coordinator } = await scripted((request) => (silent && request.type === OP.getData ? { raw: Buffer.alloc(0) } : null));
    await coordinator.ready(5000);
    silent = true;
    const read = expect(coordinator.read('topology')).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
    const readsCount = () => server.requests.filter((request) => request.type === OP.getData).length;
    await eventually(() => readsCount() === 1, { what: 'the read to arrive' });
    server.cut();
    await read;
    await coordinator.ready(5000);
    // The library's first retry would come after a second.
    const cutAt = performance.now();
    await eventually(() => performance.now() - cutAt > 1300, { what: 'the time of a retry to pass' });
    expect(readsCount()).toBe(1);
  });

  it('13: close ends by itself when the server does not answer it, however long the session', async () => {
    const { coordinator } = await scripted((request) => (request.type === OP.closeSession ? { raw: Buffer.alloc(0) } : null), {
      sessionTimeoutMs: 600_000,
    });
    await coordinator.ready(5000);
    await coordinator.close();
    expect(coordinator.state.kind).toBe('closed');
  });

  it.each([-125, -127, -122, -999])('12: error %i, which the library does not know, refuses the commit and nothing else', async (err) => {
    let failing = false;
    const { server, coordinator } = await scripted((request) => (failing && request.type === OP.multi ? { err } : null));
    await coordinator.ready(5000);
    failing = true;
    await expect(coordinator.commit([create('topology')])).rejects.toMatchObject({
      code: 'CODIS_E_COORDINATOR_REFUSED',
      message: expect.stringContaining(String(err)),
    });
    expect(await coordinator.read('topology')).toBeNull();
    expect(server.handshakes).toHaveLength(1);
  });

  it('12: a watch that can’t be read is reported, and tried again', async () => {
    let failures = 2;
    const { coordinator, errors } = await scripted((request) => (request.type === OP.getData && failures-- > 0 ? { err: -127 } : null));
    await coordinator.ready(5000);
    const told: unknown[] = [];
    coordinator.watch('topology', (entry) => told.push(entry));
    await eventually(() => told.length === 1, { what: 'the watch after its failures' });
    expect(told).toEqual([null]);
    expect(errors).toMatchObject([{ code: 'CODIS_E_COORDINATOR_REFUSED' }, { code: 'CODIS_E_COORDINATOR_REFUSED' }]);
  });

  it('a fence that is refused is reported and tried again; until then nothing is connected', async () => {
    let failures = 1;
    const { coordinator, errors } = await scripted((request) => (request.type === OP.multi && failures-- > 0 ? { err: -102 } : null));
    const states = recordStates(coordinator);
    await eventually(() => errors.length === 1, { what: 'the report' });
    expect(errors[0]).toMatchObject({ code: 'CODIS_E_COORDINATOR_REFUSED', message: expect.stringContaining('/codis/demo') });
    expect(coordinator.state.kind).toBe('connecting');
    await coordinator.ready(5000);
    expect(states.map((state) => state.kind)).toEqual(['connected']);
  });

  it.each([
    ['a reply to nobody', framed(Buffer.from([0, 0, 3, 231]), Buffer.alloc(12))],
    ['a frame that is too short', framed(Buffer.from([0, 0]))],
    ['an empty frame', framed()],
    ['a negative length', Buffer.from([255, 255, 255, 255, 0, 0])],
    ['another protocol', Buffer.from('-ERR unknown command\r\n')],
    ['an event of an unknown type', framed(Buffer.from('ffffffff0000000000000000000000000000006300000003000000022f78', 'hex'))],
  ])('12, 19: %s ends the connection, not the process, and no call is left without an answer', async (_, raw) => {
    let broken = false;
    const { server, coordinator } = await scripted((request) => (broken && request.type === OP.getData ? { raw } : null));
    await coordinator.ready(5000);
    broken = true;
    await expect(coordinator.read('topology')).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
    broken = false;
    await coordinator.ready(5000);
    expect(await coordinator.read('topology')).toBeNull();
    expect(server.handshakes.length).toBeGreaterThan(1);
  });

  it('12: a transaction’s answer that can’t be read is an unknown outcome', async () => {
    let broken = false;
    const { coordinator } = await scripted((request) =>
      broken && request.type === OP.multi ? { payload: Buffer.from([0, 0, 0, 99, 0]) } : null,
    );
    await coordinator.ready(5000);
    broken = true;
    await expect(coordinator.commit([create('topology')])).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_UNKNOWN' });
  });
});

describe('a server that is not ZooKeeper', () => {
  it('4: one that takes the connection and never answers is named', async () => {
    const errors: Error[] = [];
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((done) => void silent.listen(0, '127.0.0.1', done));
    const address = silent.address() as { port: number };
    const coordinator = openZookeeperCoordinator({
      servers: [`127.0.0.1:${address.port}`],
      product: 'demo',
      sessionTimeoutMs: 300,
      onError: (error) => errors.push(error as Error),
    });
    onTestFinished(async () => {
      await coordinator.close();
      silent.close();
    });
    await expect(coordinator.ready(1200)).rejects.toMatchObject({
      code: 'CODIS_E_COORDINATOR_LOST',
      message: expect.stringContaining(`127.0.0.1:${address.port}: no answer to the handshake within 300 ms`),
    });
    await expect(coordinator.read('topology')).rejects.toMatchObject({ message: expect.stringContaining('no answer to the handshake') });
    expect(errors).toHaveLength(1);
  });

  it('one that answers in another protocol is named', async () => {
    const other = createServer((socket) => socket.on('error', () => undefined).write('-NOAUTH who are you\r\n'));
    await new Promise<void>((done) => void other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as { port: number };
    const coordinator = openZookeeperCoordinator({ servers: [`127.0.0.1:${port}`], product: 'demo', sessionTimeoutMs: 1000 });
    onTestFinished(async () => {
      await coordinator.close();
      other.close();
    });
    await expect(coordinator.ready(300)).rejects.toMatchObject({
      message: expect.stringContaining(`${port}: it does not speak ZooKeeper`),
    });
  });
});
