// Goal: whatever answers where a proxy's admin address should be is believed only when it tells what a proxy tells; what is wrong is said in words.
// Method: small servers that answer as an admin address does, or as something else.

import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { asEpoch, asProxyId, type ProxyView } from '@codis/config/model';
import { afterAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../../test/harness/process.ts';
import { readHotMinute } from '../../src/observe/hot-keys.ts';
import { readClients } from '../../src/observe/proxy-clients.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answering = (text: string) => listening(createHttpServer((_, response) => response.end(text)));
const proxyAt = (adminAddr: string): ProxyView => ({
  id: asProxyId('p1'),
  addr: '127.0.0.1:1',
  adminAddr,
  wanted: 'online',
  live: { epoch: asEpoch(1), pid: 1, startedAt: '2026-01-01T00:00:00.000Z', goneWorkers: [], unconfirmed: [] },
});

const CLIENT = { id: 7, addr: 'c:1', name: '', db: 0, ageSeconds: 9, idleSeconds: 0, command: 'get', inputBytes: 0, waitingBytes: 5 };

describe('the clients of a proxy', () => {
  test('are told as it tells them, and workers that are missing too', async () => {
    const clients = [{ ...CLIENT, requests: 90, requestsPerSecond: 10.5 }];
    const view = await readClients(proxyAt(await answering(JSON.stringify({ count: 3, missing: 1, clients }))), 1);
    expect(view).toMatchObject({ proxy: 'p1', clientsCount: 3, clients: [{ ...CLIENT, requestsCount: 90, opsPerSecond: 10.5 }] });
    expect(view.notes).toEqual(['the clients of 1 of its workers are missing here: they did not answer']);
  });

  test.each([
    ['no session', () => ({ ...proxyAt('127.0.0.1:1'), live: null }), /it has no session$/],
    ['nobody there', async () => proxyAt(`127.0.0.1:${await freePort()}`), /can't be asked: .*ECONNREFUSED/],
    ['other JSON', async () => proxyAt(await answering('{"count":1}')), /does not tell of clients$/],
    [
      'a port for clients',
      async () => proxyAt(await listening(createServer((socket) => socket.end('-ERR unknown command\r\n')))),
      /is no admin address: is that its port for clients\?$/,
    ],
  ] as const)('are not known with %s, and it is said why', async (_, proxy, why) => {
    const { clientsCount, clients, notes } = await readClients(await proxy(), 1);
    expect({ clientsCount, clients }).toEqual({ clientsCount: null, clients: [] });
    expect(notes).toEqual([expect.stringMatching(why)]);
  });
});

describe('the last minute of a proxy', () => {
  const reading = { sampleEvery: 256, seconds: 60, sampled: 1, keyBytesMax: 1024, missing: 0, keys: [] };
  const askedOf = async (answer: object | string) => {
    const told = await readHotMinute([proxyAt(await answering(typeof answer === 'string' ? answer : JSON.stringify(answer)))], 10_000);
    return told.get('p1');
  };

  test.each([-19, 0, 10, 39])('is that of the dashboard when it ended %d s ago, where that ended 10 s ago', async (endedSecondsAgo) => {
    expect(await askedOf({ ...reading, endedSecondsAgo })).toEqual({ ...reading, endedSecondsAgo });
  });

  test.each([
    ['a clock that is behind', { ...reading, endedSecondsAgo: 45 }, 'its last minute ended 45 s ago, 35 s before that of this dashboard'],
    ['a clock that is ahead', { ...reading, endedSecondsAgo: -20 }, 'its last minute ended -20 s ago, 30 s after that of this dashboard'],
    ['none yet', { ...reading, endedSecondsAgo: null }, 'none of its workers has counted to the end of a minute yet'],
    ['an earlier version', reading, /does not tell of hot keys minute by minute$/],
    ['no reading', { endedSecondsAgo: 10 }, /does not tell of hot keys$/],
    ['keys that are none', { ...reading, endedSecondsAgo: 10, keys: [{ key: 7 }] }, /does not tell of hot keys$/],
    ['no JSON', 'there are: /healthz', /does not tell of hot keys$/],
  ])('is not known with %s, and it is said why', async (_, answer, why) => {
    expect(await askedOf(answer)).toEqual(typeof why === 'string' ? why : expect.stringMatching(why));
  });
});
