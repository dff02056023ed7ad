// What holds for every change of the API, and how a cluster is set up from addresses.
//
// Goal: a dry run changes nothing, anywhere, and says what the change itself then does; each change is exactly one event; one that is sent twice under one key is made once.
// Method: the changes are taken from the description of the API; one that has no example here fails the test.

import { asEpoch, asProxyId, asServerAddr, encodeProxyLive, encodeProxyRegistration } from '@codis/config/model';
import { probeServer } from '@codis/config/operations';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, freePort, stopAll } from '../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../test/harness/redis.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
let servers: RedisServer[];
let [a, b, replica, spare]: RedisServer[] = [];

beforeAll(async () => {
  [dashboard, a, b, spare] = await Promise.all([
    startDashboard({ flags: { dashboard_auth: 'off' } }),
    startRedis(),
    startRedis(),
    startRedis(),
  ]);
  replica = await startRedis({ replicaOf: a! });
  const linked = async () => (await probeServer(asServerAddr(replica!.addr), { password: '', product: 'test' })).master?.linkUp;
  await eventually(linked, { what: 'the replica to be linked' });
  servers = [a!, b!, replica, spare!];
});
afterAll(stopAll);

interface Told {
  readonly action: string;
  readonly object: string;
  readonly before: string | null;
  readonly after: string | null;
}

const events = async () => (await dashboard.ok('GET', '/events?limit=1000')).json['events'] as (Told & { seq: number })[];

describe('a cluster from addresses', () => {
  test('is proposed: each master gets a group, with the replicas that follow it', async () => {
    const gone = `127.0.0.1:${await freePort()}`;
    const addrs = [a!.addr, b!.addr, replica!.addr, gone, `localhost:${a!.port}`, a!.addr];
    const { json } = await dashboard.ok('POST', '/servers/probe', { addrs });
    expect(json['groups']).toEqual([
      {
        group: 1,
        servers: [
          { addr: a!.addr, role: 'master' },
          { addr: replica!.addr, role: 'replica' },
        ],
      },
      { group: 2, servers: [{ addr: b!.addr, role: 'master' }] },
    ]);
    expect(json['servers']).toMatchObject([
      { addr: a!.addr, role: 'master', keysCount: 0, persistence: 'none', problem: null, group: null },
      { addr: b!.addr },
      { addr: replica!.addr, role: 'replica', master: a!.addr, linkUp: true },
      { addr: gone, role: null, problem: expect.stringContaining("can't be reached") },
      { addr: `localhost:${a!.port}`, problem: expect.stringContaining('is the same Redis as') },
    ]);
    expect(json['warnings']).toEqual(['group 2 has no replica: when its master dies its slots are down']);
    expect(await events()).toEqual([]);
  });

  test('is set up, one event each step; what a dry run said is what happened; again it does nothing', async () => {
    const { json: proposal } = await dashboard.ok('POST', '/servers/probe', { addrs: [a!.addr, b!.addr, replica!.addr] });
    const request = { groups: proposal['groups'] };
    const { json: dry } = await dashboard.ok('POST', '/setup?dryRun=true', request);
    expect(await dashboard.epoch()).toBeNull();
    const { json } = await dashboard.ok('POST', '/setup', request);
    expect(json['steps']).toEqual([
      'made the slot table',
      `added ${a!.addr} to group 1 as master`,
      `added ${replica!.addr} to group 1 as replica`,
      `added ${b!.addr} to group 2 as master`,
      'gave slots 0-511 to group 1',
      'gave slots 512-1023 to group 2',
    ]);
    const done = (await events()).reverse().map(({ action, object }) => ({ action, object }));
    expect((dry['would'] as Told[]).map(({ action, object }) => ({ action, object }))).toEqual(done);
    const changes = (list: Told[]) => list.map(({ before, after }) => [before, after]);
    expect(changes(dry['would'] as Told[])).toEqual(changes((await events()).reverse()));
    expect((await dashboard.ok('POST', '/setup', request)).json).toMatchObject({ steps: [] });
    expect(await events()).toHaveLength(6);
  });

  test('says who could become master, best first, and changes nothing by that', async () => {
    expect((await dashboard.ok('GET', '/groups/1/candidates')).json).toMatchObject({
      master: a!.addr,
      masterUp: true,
      candidates: [
        { addr: replica!.addr, up: true, able: true, behindBytes: expect.any(Number), text: expect.stringContaining('nothing is lost') },
      ],
    });
    expect((await dashboard.ok('GET', '/groups/2/candidates')).json).toMatchObject({ candidates: [] });
  });
});

/** By the path of the description: what to call, and with what. In this order each can be made. */
const EXAMPLES = (): Record<string, [path: string, body?: unknown]> => ({
  'POST /slots/init': ['/slots/init', { force: true }],
  'PUT /slots/range': ['/slots/range', { first: 0, last: 99, group: null }],
  'POST /groups': ['/groups', { group: 9 }],
  'DELETE /groups/{group}': ['/groups/8'],
  'POST /groups/{group}/servers': ['/groups/2/servers', { addr: spare!.addr, role: 'replica' }],
  'DELETE /groups/{group}/servers/{addr}': [`/groups/1/servers/${encodeURIComponent(replica!.addr)}`],
  'PUT /groups/{group}/servers/{addr}': [`/groups/1/servers/${encodeURIComponent(replica!.addr)}`, { zone: 'az1', replicaReads: false }],
  'POST /groups/{group}/servers/{addr}/replicate': [`/groups/1/servers/${encodeURIComponent(replica!.addr)}/replicate`, {}],
  'POST /groups/{group}/servers/{addr}/promote': [`/groups/1/servers/${encodeURIComponent(replica!.addr)}/promote`, {}],
  'POST /groups/{group}/keys/mend': ['/groups/2/keys/mend', { action: 'delete' }],
  'PUT /proxies/{proxy}/wanted': ['/proxies/p1/wanted', { wanted: 'offline', drainSeconds: 7 }],
  'POST /proxies/{proxy}/try': ['/proxies/p1/try'],
  'DELETE /proxies/{proxy}': ['/proxies/gone'],
  'POST /migrations': ['/migrations', { moves: [{ first: 5, last: 6, to: 2 }], comment: 'to see' }],
  'POST /migrations/{migration}/adopt': ['/migrations/1/adopt', {}],
  'POST /migrations/{migration}/pause': ['/migrations/1/pause'],
  'POST /migrations/{migration}/resume': ['/migrations/1/resume'],
  'POST /migrations/{migration}/cancel': ['/migrations/1/cancel'],
  'POST /migrations/{migration}/throttle': ['/migrations/1/throttle', { keysPerSecond: 5 }],
  'POST /plans': ['/plans', { kind: 'move', moves: [{ first: 20, last: 30, to: 2 }] }],
  'POST /plans/{plan}/apply': ['/plans/1/apply', {}],
  'POST /users': ['/users', { name: 'new', role: 'viewer', password: 'long enough' }],
  'PUT /users/{user}': ['/users/anna', { role: 'viewer' }],
  'DELETE /users/{user}': ['/users/anna'],
  'POST /tokens': ['/tokens', { name: 'new', role: 'viewer' }],
  'DELETE /tokens/{token}': ['/tokens/known'],
  'POST /alerts/{alert}/acknowledge': ['/alerts/no-replica:2/acknowledge'],
  'POST /alerts/{alert}/silence': ['/alerts/no-replica:2/silence', { minutes: 5 }],
});

/** They change nothing, or only what is one's own. */
const NO_CHANGES = ['POST /servers/probe', 'POST /setup', 'POST /login', 'POST /logout', 'PUT /session/password'];

async function prepare(): Promise<void> {
  await dashboard.ok('POST', '/groups', { group: 8 });
  await dashboard.ok('POST', '/plans', { kind: 'move', moves: [{ first: 40, last: 41, to: 2 }] });
  await dashboard.ok('POST', '/migrations', { moves: [{ first: 10, last: 11, to: 2 }] });
  for (const [name, role] of [
    ['anna', 'admin'],
    ['berta', 'admin'],
  ] as const)
    await dashboard.ok('POST', '/users', { name, role, password: 'long enough' });
  await dashboard.ok('POST', '/tokens', { name: 'known', role: 'viewer' });
  await b!.client().set('{}stray', 'value');
  for (const name of ['p1', 'gone']) {
    const id = asProxyId(name);
    const data = encodeProxyRegistration({ id, addr: '127.0.0.1:1', adminAddr: '127.0.0.1:2', wanted: 'online' });
    await dashboard.coordinator.commit([{ op: 'create', path: `proxies/${name}`, data }]);
  }
  const live = encodeProxyLive({ epoch: asEpoch(1), pid: 1, startedAt: '2026-01-01T00:00:00.000Z' });
  await dashboard.coordinator.commit([{ op: 'create', path: 'proxies/p1/live', data: live, ephemeral: true }]);
  await dashboard.observe();
}

/** What a change could leave at a server. */
async function traces(): Promise<string[]> {
  return Promise.all(
    servers.map(async (server) => {
      const info = await server.client().info();
      const keep = /^(?:role|master_host|master_port|connected_slaves|rdb_changes_since_last_save|db\d+):.*$/gm;
      return (info.match(keep) ?? []).join(' ').replace(/,avg_ttl=\d+/g, '');
    }),
  );
}

describe('a dry run', () => {
  test('of every change leaves all as it is, and says what would be', async () => {
    await prepare();
    const examples = EXAMPLES();
    for (const { method, path } of await dashboard.changes()) {
      const name = `${method} ${path}`;
      if (NO_CHANGES.includes(name)) continue;
      const [call, body] = examples[name] ?? [];
      expect(call, `an example of ${name}`).toBeDefined();
      const before = [await dashboard.tree(), await traces()];
      const answer = await dashboard.call(method, `${call}?dryRun=true`, body);
      expect({ name, status: answer.status, detail: answer.json['detail'] }).toEqual({ name, status: 200, detail: undefined });
      expect(answer.json, name).toMatchObject({ dryRun: true });
      const nothing = ['POST /migrations/{migration}/adopt'].includes(name);
      expect(answer.json['would'], name).toHaveLength(nothing ? 0 : 1);
      if (!nothing) expect(answer.json['would'], name).toMatchObject([{ before: expect.any(String), after: expect.any(String) }]);
      expect([await dashboard.tree(), await traces()], name).toEqual(before);
    }
  });

  test('of a plan shows it, and stores none', async () => {
    const { json } = await dashboard.ok('POST', '/plans?dryRun=true', { kind: 'move', moves: [{ first: 20, last: 30, to: 2 }] });
    expect(json).toMatchObject({ would: [{ action: 'plan.create' }], plan: { id: 2, state: 'pending', slotsCount: 11 } });
    expect(await dashboard.call('GET', '/plans/2')).toMatchObject({ status: 404 });
  });

  test('refuses what the change would refuse, and a misspelt one is no change', async () => {
    expect(await dashboard.call('POST', '/groups?dryRun=true', { group: 1 })).toMatchObject({
      status: 409,
      json: { code: 'CODIS_E_GROUP_EXISTS' },
    });
    const epoch = await dashboard.epoch();
    expect(await dashboard.call('POST', '/groups?dryrun=true', { group: 77 })).toMatchObject({ status: 400 });
    expect(await dashboard.epoch()).toBe(epoch);
  });
});

describe('every change', () => {
  test('is exactly one event, which says who, from where, and what it did', async () => {
    const removed = 'DELETE /groups/{group}/servers/{addr}';
    const examples = { ...EXAMPLES(), [removed]: [`/groups/2/servers/${encodeURIComponent(spare!.addr)}`] as [string, unknown?] };
    const last = ['POST /slots/init', 'PUT /slots/range', removed, 'POST /migrations/{migration}/cancel'];
    const order = Object.keys(examples).toSorted((x, y) => last.indexOf(x) - last.indexOf(y));
    const skipped = ['POST /slots/init', 'POST /migrations/{migration}/adopt', 'POST /plans/{plan}/apply'];
    for (const name of order.filter((one) => !skipped.includes(one))) {
      const [method] = name.split(' ') as ['POST' | 'PUT' | 'DELETE'];
      const [path, body] = examples[name as keyof typeof examples]!;
      const [before] = await events();
      const wait = name.startsWith('PUT /proxies') ? '?wait=false' : '';
      const answer = await dashboard.call(method, `${path}${wait}`, body, { 'x-codis-actor': 'anna' });
      expect({ name, status: answer.status, detail: answer.json['detail'] }).toEqual({ name, status: 200, detail: undefined });
      const fresh = (await events()).filter(({ seq }) => seq > before!.seq);
      const told = { before: expect.any(String), after: expect.any(String) };
      expect(fresh, name).toMatchObject([{ actor: 'anna@127.0.0.1', ip: '127.0.0.1', via: 'claimed', result: 'done', ...told }]);
    }
  });

  test('of what is so already is none: no event, no epoch, and a dry run says so', async () => {
    const [path, body] = EXAMPLES()['PUT /groups/{group}/servers/{addr}']!;
    const [[last], epoch] = [await events(), await dashboard.epoch()];
    expect((await dashboard.ok('PUT', `${path}?dryRun=true`, body)).json).toMatchObject({ would: [], notes: ['nothing would change'] });
    expect((await dashboard.ok('PUT', path, body)).json).toMatchObject({
      epoch,
      notes: [`nothing was changed: ${replica!.addr} has zone az1, replica reads off already`],
    });
    expect((await events())[0]).toEqual(last);
  });

  test('says what was before', async () => {
    const all = await events();
    const of = (action: string) => all.find((event) => event.action === action);
    expect(of('proxy.offline')).toMatchObject({ before: 'online', after: 'offline', object: 'proxy p1, draining for 7 s' });
    expect(of('migration.throttle')).toMatchObject({ before: 'running', after: 'running, keysPerSecond 5', migration: 1 });
    expect(of('server.promote')).toMatchObject({ before: `master ${a!.addr}`, after: `master ${replica!.addr}` });
    expect(of('server.set')).toMatchObject({ before: 'zone none, replica reads on', after: 'zone az1, replica reads off' });
    expect(of('slot.offline')).toMatchObject({ before: '0-99 group 1', after: '0-99 offline' });
    const alone = `${b!.addr} master`;
    expect(of('server.add')).toMatchObject({ before: alone, after: `${alone}, ${spare!.addr} replica` });
    expect(of('group.add')).toMatchObject({ before: 'none', after: 'no server' });
    expect(of('user.remove')).toMatchObject({ before: 'viewer', after: 'none' });
    expect(of('alert.silence')).toMatchObject({ before: 'heard', after: expect.stringMatching(/^silent until 20/) });
  });

  test('that was allowed and failed is an event too, with why; what was only mistyped is none', async () => {
    const [before] = await events();
    const gone = `127.0.0.1:${await freePort()}`;
    expect(await dashboard.call('POST', '/groups/1/servers', { addr: gone, role: 'replica' })).toMatchObject({ status: 502 });
    expect(await dashboard.call('POST', '/groups', { group: 1 })).toMatchObject({ status: 409 });
    // A script that tries on and on is told of once.
    for (let count = 0; count < 3; count++) expect(await dashboard.call('POST', '/groups', { group: 1 })).toMatchObject({ status: 409 });
    expect(await dashboard.call('POST', '/groups', { group: 0 })).toMatchObject({ status: 400 });
    expect(await dashboard.call('DELETE', '/groups/77')).toMatchObject({ status: 404 });
    expect(await dashboard.call('POST', '/groups?dryRun=true', { group: 1 })).toMatchObject({ status: 409 });
    expect((await events()).filter(({ seq }) => seq > before!.seq)).toMatchObject([
      {
        action: 'call.failed',
        result: 'failed',
        object: 'POST /api/v1/groups',
        detail: expect.stringContaining('group 1'),
        ip: '127.0.0.1',
      },
      { action: 'call.failed', result: 'failed', object: 'POST /api/v1/groups/1/servers', detail: expect.stringContaining(gone) },
    ]);
    expect((await dashboard.ok('GET', '/events?result=failed')).json['events']).not.toEqual([]);
  });
});

describe('events', () => {
  test('are found by their parts, and each by its number', async () => {
    const find = async (query: string) =>
      (await dashboard.ok('GET', `/events?${query}`)).json['events'] as { seq: number; action: string }[];
    const found = await find('action=proxy.&actor=anna&object=p1&result=done');
    expect(found.map(({ action }) => action)).toEqual(['proxy.try', 'proxy.offline']);
    expect((await dashboard.ok('GET', `/events/${found[0]!.seq}`)).json).toEqual(found[0]);
    expect(await find('result=denied')).toEqual([]);
    expect(await dashboard.call('GET', '/events/999999')).toMatchObject({ status: 404 });
    const { body, headers } = await dashboard.app.inject({ url: '/api/v1/events.ndjson?action=proxy.', headers: { host: 'localhost' } });
    expect(headers['content-type']).toContain('application/x-ndjson');
    expect(
      body
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { action: string }).action),
    ).toEqual(['proxy.remove', 'proxy.try', 'proxy.offline']);
  });
});

describe('an Idempotency-Key', () => {
  const send = (body: unknown, key = 'k1') => dashboard.call('POST', '/groups', body, { 'idempotency-key': key });

  test('makes a call that is sent twice happen once', async () => {
    const first = await send({ group: 21 });
    const again = await send({ group: 21 });
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect((await events()).filter(({ object }) => object === 'group 21')).toHaveLength(1);
  });

  test('is refused for another call, and forgotten with a call that was refused', async () => {
    expect(await send({ group: 22 })).toMatchObject({ status: 400, json: { code: 'CODIS_E_BAD_REQUEST' } });
    expect(await send({ group: 21 }, 'k2')).toMatchObject({ status: 409 });
    await dashboard.ok('DELETE', '/groups/21');
    expect(await send({ group: 21 }, 'k2')).toMatchObject({ status: 200 });
  });
});

test('a server’s clock is read with all else', async () => {
  const { clockMs } = await probeServer(asServerAddr(b!.addr), { password: '', product: 'test' });
  expect(Math.abs(clockMs! - Date.now())).toBeLessThan(60_000);
});

describe('keys and slots', () => {
  test('are found, hash tag and bytes that are no text included', async () => {
    expect((await dashboard.ok('GET', `/keys/locate?key=${encodeURIComponent('user:{42}:cart')}`)).json).toMatchObject({
      slot: 136,
      tag: '"42"',
      key: '"user:{42}:cart"',
    });
    expect((await dashboard.ok('GET', '/keys/locate?keyHex=00ff22')).json).toMatchObject({ key: '"\\u0000\\u00ff\\""', tag: null });
    expect(await dashboard.call('GET', '/keys/locate')).toMatchObject({ status: 400 });
    expect(await dashboard.call('GET', '/keys/locate?keyHex=0')).toMatchObject({ status: 400 });
  });

  test('are counted when somebody asks for it, and unknown before', async () => {
    const master = replica!.client();
    await master.set('{42}', 'x'.repeat(5000));
    await master.wait(1, 5000);
    const unknown = (await dashboard.ok('GET', '/slots/stats')).json;
    expect(unknown).toMatchObject({ at: null, basis: expect.arrayContaining(['requests are not known: no proxy serves']) });
    expect(new Set(unknown['opsPerSecond'] as unknown[])).toEqual(new Set([null]));
    expect(new Set(unknown['keysCount'] as unknown[])).toEqual(new Set([null]));
    const known = (await dashboard.ok('GET', '/slots/stats?refresh=true')).json as { keysCount: number[]; bytes: number[] };
    expect([known.keysCount[136], known.keysCount[137]]).toEqual([1, 0]);
    expect(known.bytes[136]).toBeGreaterThan(4000);
    expect((await dashboard.ok('GET', '/keys/big?limit=1')).json).toMatchObject({ keys: [{ key: '"{42}"', slot: 136, group: 1 }] });
  });

  test('are explained', async () => {
    expect((await dashboard.ok('GET', '/explain?slot=5')).json).toMatchObject({ level: 'failed', object: { kind: 'slot', id: '5' } });
    expect((await dashboard.ok('GET', '/explain?group=2')).json).toMatchObject({ object: { kind: 'group', id: '2' } });
    expect(await dashboard.call('GET', '/explain?group=77')).toMatchObject({ status: 404, json: { code: 'CODIS_E_UNKNOWN_GROUP' } });
    expect(await dashboard.call('GET', '/explain')).toMatchObject({ status: 400 });
  });
});
