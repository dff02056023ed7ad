// Who is cut off before slots begin to leave: processes that are neither alive nor a fence's business.

import { expect, test } from 'vitest';
import { isDeparted } from '../../src/migration/departed.ts';
import { asEpoch, asProxyId, type ProxyView, proxyClientName } from '../../src/model/index.ts';

const view = (id: string, live: ProxyView['live']): ProxyView => ({
  id: asProxyId(id),
  addr: '127.0.0.1:1',
  adminAddr: '127.0.0.1:2',
  wanted: 'online',
  live,
});
const name = (id: string, pid: number, workerPid: number) => proxyClientName(asProxyId(id), { pid, workerPid });

const PROXIES = [
  view('alive', { epoch: asEpoch(1), pid: 10, startedAt: '', goneWorkers: [11, 12] }),
  view('whole', { epoch: asEpoch(1), pid: 20, startedAt: '' }),
  view('lost', null),
];

test.each([
  ['a worker that died', name('alive', 10, 12)],
  ['a worker of a process that was replaced', name('alive', 9, 13)],
  ['a worker of a process that was replaced, where none has died', name('whole', 21, 22)],
])('%s is cut off', (_, connection) => {
  expect(isDeparted(connection, PROXIES)).toBe(true);
});

test.each([
  ['a worker that lives', name('alive', 10, 13)],
  ['a worker with the number of another proxy’s dead one', name('whole', 20, 11)],
  ['a proxy without a session, which is fenced', name('lost', 30, 31)],
  ['a proxy that is not known here: it may have come just now', name('new', 40, 41)],
  ['whoever is no proxy', 'codis-controller'],
  ['a client without a name', ''],
])('%s is not', (_, connection) => {
  expect(isDeparted(connection, PROXIES)).toBe(false);
});
