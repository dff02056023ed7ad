// Goal: cluster clients are told of the proxies that serve, no more and no fewer, whatever comes and goes.
// Method: two sessions of a real coordinator (files): one is the proxies, the other follows them.

import { type Coordinator, openCoordinator, PARENTS, proxyLivePath, proxyPath } from '@codis/config/coordinator';
import { asEpoch, asProxyId, encodeProxyLive, encodeProxyRegistration, type ProxyRegistration } from '@codis/config/model';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, scratchDir } from '../../../../test/harness/process.ts';
import type { LiveProxy } from '../../src/ipc.ts';
import { LiveProxies } from '../../src/primary/live-proxies.ts';

let proxies: Coordinator;
let watcher: Coordinator;
let live: LiveProxies;
let told: (readonly LiveProxy[])[];
let logged: string[];

beforeEach(async () => {
  const dir = scratchDir('live-proxies');
  const open = () =>
    openCoordinator({ product_name: 'demo', coordinator: 'filesystem', coordinator_dir: dir, zk: [], zk_session_timeout: 3000 });
  proxies = open();
  watcher = open();
  await Promise.all([proxies.ready(10_000), watcher.ready(10_000)]);
  for (const path of PARENTS) await proxies.commit([{ op: 'create', path, data: Buffer.alloc(0) }]);
  told = [];
  logged = [];
  live = follow('a.example:19000');
  live.start();
});

function follow(addr: string): LiveProxies {
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  return new LiveProxies({ coordinator: watcher, log, addr, onChange: (list) => told.push(list) });
}

afterEach(async () => {
  live.close();
  await Promise.all([proxies.close(), watcher.close()]);
});

function registration(id: string, wanted: ProxyRegistration['wanted'] = 'online'): ProxyRegistration {
  return { id: asProxyId(id), addr: `${id}.example:19000`, adminAddr: '127.0.0.1:11080', wanted };
}

async function register(id: string, wanted?: ProxyRegistration['wanted']): Promise<void> {
  await proxies.commit([{ op: 'create', path: proxyPath(asProxyId(id)), data: encodeProxyRegistration(registration(id, wanted)) }]);
}

async function comeAlive(id: string): Promise<void> {
  const data = encodeProxyLive({ epoch: asEpoch(1), pid: 1, startedAt: '' });
  await proxies.commit([{ op: 'create', path: proxyLivePath(asProxyId(id)), data, ephemeral: true }]);
}

const idsTold = () => told.at(-1)?.map(({ id }) => id);
const untilTold = (...ids: string[]) =>
  eventually(() => JSON.stringify(idsTold()) === JSON.stringify(ids), { what: `${ids.join(' ') || 'nobody'} to be told` });

test('a proxy counts while it is registered, wanted online and has a session', async () => {
  await untilTold();
  await register('b');
  await comeAlive('b');
  await untilTold('b');
  await register('a');
  await comeAlive('a');
  await untilTold('a', 'b');
  expect(told.at(-1)).toEqual([
    { id: 'a', addr: 'a.example:19000' },
    { id: 'b', addr: 'b.example:19000' },
  ]);
  await proxies.commit([{ op: 'delete', path: proxyLivePath(asProxyId('b')) }]);
  await untilTold('a');
  await comeAlive('b');
  await untilTold('a', 'b');
  const offline = encodeProxyRegistration(registration('a', 'offline'));
  await proxies.commit([{ op: 'set', path: proxyPath(asProxyId('a')), data: offline }]);
  await untilTold('b');
  await proxies.commit([
    { op: 'delete', path: proxyLivePath(asProxyId('b')) },
    { op: 'delete', path: proxyPath(asProxyId('b')) },
  ]);
  await untilTold();
});

test('a proxy that joins takes nobody off the list meanwhile', async () => {
  await register('a');
  await comeAlive('a');
  await untilTold('a');
  const from = told.length;
  for (const id of ['b', 'c', 'd']) {
    await register(id);
    await comeAlive(id);
  }
  await untilTold('a', 'b', 'c', 'd');
  for (const list of told.slice(from)) expect(list.map(({ id }) => id)).toContain('a');
});

test('an acknowledgement is nothing new', async () => {
  await register('a');
  await comeAlive('a');
  await untilTold('a');
  const count = told.length;
  const data = encodeProxyLive({ epoch: asEpoch(2), pid: 1, startedAt: '' });
  await proxies.commit([{ op: 'set', path: proxyLivePath(asProxyId('a')), data }]);
  await register('b');
  await comeAlive('b');
  await untilTold('a', 'b');
  expect(told.length - count).toBe(1);
});

test('a registration that nobody can read costs its own proxy alone', async () => {
  await proxies.commit([{ op: 'create', path: proxyPath(asProxyId('broken')), data: Buffer.from('{') }]);
  await comeAlive('broken');
  await register('a');
  await comeAlive('a');
  await untilTold('a');
});

test('a proxy that others could not be told of says so in its log', () => {
  expect(logged).toEqual([]);
  const nowhere = follow('0.0.0.0:19000');
  nowhere.start();
  nowhere.close();
  expect(logged).toEqual([expect.stringContaining('set proxy_announce_addr')]);
});
