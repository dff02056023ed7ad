// Each fault, seeded into a cluster that is well, must be the first thing an explanation names, with what mends it.

import type { ExplainView, MigrationView, ProxyWorkerView, ServerStatusView } from '@codis/config/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Facts } from '../../src/explain/checks.ts';
import { explainGroup } from '../../src/explain/group.ts';
import { explainMigration } from '../../src/explain/migration.ts';
import { explainProxy } from '../../src/explain/proxy.ts';
import { explainSlot } from '../../src/explain/slot.ts';
import { sentences } from '../../web/src/i18n/zh-CN.ts';
import { told, understand } from '../../web/src/lib/told.ts';
import { down, facts, group, migration, proxy, proxyStats, server, status, topology, worker } from '../facts.ts';

type Ask = (facts: Facts) => ExplainView | undefined;
const slot: Ask = (known) => explainSlot(known, 150);
const group1: Ask = (known) => explainGroup(known, 1);
const proxy1: Ask = (known) => explainProxy(known, 'p1');
const migration3: Ask = (known) => explainMigration(known, 3);

const servers = (...all: ServerStatusView[]) => facts({ status: status({ groups: [group(1, all), group(2)] }) });
const master = (over: Partial<ServerStatusView> = {}) => server('m1:1', 'master', over);
const replica = (over: Partial<ServerStatusView> = {}) => server('r1:1', 'replica', over);
const moving = (state: 'locked' | 'migrating', ...migrations: MigrationView[]) =>
  facts({
    migrations,
    topology: topology({
      slots: [
        { first: 0, last: 99, state: 'online', group: 1, to: null, migration: null },
        { first: 100, last: 199, state, group: 1, to: 2, migration: 3 },
        { first: 200, last: 1023, state: 'online', group: 2, to: null, migration: null },
      ],
    }),
  });
const working = (...workers: ProxyWorkerView[]) => facts({ workers: new Map([['p1', workers]]) });
const steered = (over: Partial<MigrationView>, known: Partial<Facts> = {}) => facts({ migrations: [migration(over)], ...known });

type Fault = [what: string, ask: Ask, known: Facts, check: string, evidence: string, mends: string | null];

const FAULTS: Fault[] = [
  [
    'a slot of no group',
    slot,
    facts({ topology: topology({ slots: [{ first: 0, last: 1023, state: 'offline', group: null, to: null, migration: null }] }) }),
    'slot 150 belongs to a group',
    'belongs to no group',
    'Give slot 150 to a group',
  ],
  [
    'a master that is down',
    group1,
    servers(master(down), replica()),
    'its master m1:1 answers',
    'is down: connection refused',
    'Promote r1:1',
  ],
  ['a slot whose master is down', slot, servers(master(down), replica()), 'its master m1:1 answers', 'is down', 'Promote r1:1'],
  ['a group without a master', group1, servers(replica({ linkUp: false })), 'group 1 has a master', 'has no master', 'Promote r1:1'],
  [
    'a master that became a replica',
    group1,
    servers(master({ observedRole: 'replica', replicates: 'x:1' }), replica()),
    'm1:1 is a master by its own word',
    'says it is a replica of x:1',
    'Promote m1:1',
  ],
  ['a group without a replica', group1, servers(master()), 'group 1 has a replica', 'has no replica', 'Add a replica to group 1'],
  ['a replica that is down', group1, servers(master(), replica(down)), 'r1:1 follows its master', 'is down', 'Start r1:1 again'],
  [
    'a replica that is a master',
    group1,
    servers(master(), replica({ observedRole: 'master' })),
    'r1:1 follows its master',
    'says it is a master',
    'Have r1:1 follow its master',
  ],
  [
    'a replica without a link',
    group1,
    servers(master(), replica({ linkUp: false })),
    'r1:1 follows its master',
    'has no link',
    'Have r1:1 follow its master',
  ],
  [
    'a replica that lags',
    group1,
    servers(master(), replica({ lagBytes: 99_000_000 })),
    'r1:1 follows its master',
    '99000000 bytes behind',
    null,
  ],
  [
    'a master that is nearly full',
    group1,
    servers(master({ usedMemoryBytes: 85, maxMemoryBytes: 100 }), replica()),
    'm1:1 has room',
    '85 %',
    'Plan a rebalance by memory',
  ],
  [
    'a master that is full',
    group1,
    servers(master({ usedMemoryBytes: 100, maxMemoryBytes: 100 }), replica()),
    'm1:1 has room',
    '100 %',
    'Plan a rebalance by memory',
  ],
  ['no proxy', slot, facts({ status: status({ proxies: [] }) }), 'a proxy is online', 'no proxy is online', 'Start a proxy'],
  [
    'a slot whose migration is paused',
    slot,
    moving('migrating', migration({ state: 'paused' })),
    'its migration 3 gets on',
    'is paused',
    'Resume migration 3',
  ],
  [
    'a slot whose migration has no record',
    slot,
    moving('migrating'),
    'its migration 3 gets on',
    'has no record',
    'Give migration 3 its record back',
  ],
  [
    'a slot whose migration is stalled',
    slot,
    moving('migrating', migration({ stalled: { since: 'x', reason: 'because' } })),
    'its migration 3 gets on',
    'does not get on: because',
    null,
  ],
  ['a slot that is locked', slot, moving('locked', migration()), 'slot 150 is not locked', 'its requests wait', null],
  [
    'a slot whose target is down',
    slot,
    {
      ...moving('migrating', migration()),
      status: status({ groups: [group(1), group(2, [server('m2:1', 'master', down), server('r2:1', 'replica')])] }),
    },
    'its master m2:1 answers',
    'the master of group 2',
    'Promote r2:1',
  ],
  [
    'a proxy that is lost',
    proxy1,
    facts({ status: status({ proxies: [proxy('p1', { state: 'lost', epoch: null })] }) }),
    'p1 has a session with the coordinator',
    'has no session',
    'Start p1 again',
  ],
  [
    'a proxy that was taken offline',
    proxy1,
    facts({ status: status({ proxies: [proxy('p1', { state: 'offline', wanted: 'offline' })] }) }),
    'p1 is wanted online',
    'taken offline by an operator',
    'Bring p1 online',
  ],
  [
    'a proxy that drains',
    proxy1,
    facts({ status: status({ proxies: [proxy('p1', { state: 'draining', wanted: 'offline' })] }) }),
    'p1 is wanted online',
    'is draining',
    'Bring p1 online',
  ],
  [
    'a proxy that is behind',
    proxy1,
    facts({ status: status({ proxies: [proxy('p1', { state: 'behind', epoch: 5 })] }) }),
    'p1 routes by the current slot table',
    'by epoch 5, 2 behind',
    null,
  ],
  [
    'a proxy that waits for a server',
    proxy1,
    facts({ unconfirmed: new Map([['p1', ['m1:1']]]), status: status({ proxies: [proxy('p1', { state: 'behind', epoch: 5 })] }) }),
    'p1 routes by the current slot table',
    'waits for m1:1 to confirm',
    'Look at m1:1: does it hang?',
  ],
  [
    'a proxy that does not serve yet',
    proxy1,
    facts({ proxies: [proxyStats('p1', { serving: false })] }),
    'p1 takes clients',
    'takes no clients yet',
    null,
  ],
  [
    'a proxy whose admin address is silent',
    proxy1,
    facts({ proxies: [proxyStats('p1', { problem: 'nothing listens' })] }),
    'p1 answers at its admin address',
    'nothing listens',
    null,
  ],
  [
    'a proxy that answers errors',
    proxy1,
    facts({ proxies: [proxyStats('p1', { errorsPerSecond: 500 })] }),
    'p1 answers without errors',
    '500 of 1000 requests',
    'Ask the doctor',
  ],
  [
    'a proxy whose workers are all busy',
    proxy1,
    working(worker(0, { cpuPercent: 99, lagP99Ms: 70 }), worker(1, { cpuPercent: 88 })),
    'the workers of p1 have CPU to spare',
    'worker 0 of proxy p1 uses 99 % of a core, and no worker can use more than one; nor has any of its 2 workers anything left',
    'Start another proxy, or give p1 more workers if its machine has cores to spare',
  ],
  [
    'a proxy with one busy worker',
    proxy1,
    working(worker(0), worker(1, { cpuPercent: 97, lagP99Ms: 80 })),
    'the workers of p1 have CPU to spare',
    'worker 1 of proxy p1 uses 97 % of a core, and no worker can use more than one; its other workers have less to do',
    'See which clients ask the most of p1',
  ],
  [
    'a proxy whose machine has no CPU for it',
    proxy1,
    working(worker(0, { lagP99Ms: 130.4, cpuPercent: 12 }), worker(1)),
    'the event loops of p1 keep up',
    'the event loop of worker 0 of proxy p1 is 130 ms late (p99), which its clients wait on top, though it uses only 12 % of a core',
    'See what else runs on the machine of p1, whether it swaps, and whether its host has CPU for it',
  ],
  [
    'a proxy that is late, of whose CPU nothing is known yet',
    proxy1,
    working(worker(0, { lagP99Ms: 60, cpuPercent: null }), worker(1)),
    'the event loops of p1 keep up',
    'the event loop of worker 0 of proxy p1 is 60 ms late (p99)',
    'Look at each worker of p1',
  ],
  [
    'a proxy whose workers die',
    proxy1,
    facts({ proxies: [proxyStats('p1', { workerRestartsCount: 9, uptimeSeconds: 60 })] }),
    'the workers of p1 live',
    '9 workers',
    null,
  ],
  [
    'a migration that is paused',
    migration3,
    steered({ state: 'paused' }),
    'migration 3 is running',
    'is paused at 50 of 100',
    'Resume migration 3',
  ],
  [
    'a migration that is stalled',
    migration3,
    steered({ stalled: { since: 'noon', reason: 'group 2 hangs' } }),
    'migration 3 gets on',
    'since noon: group 2 hangs',
    'Cancel migration 3',
  ],
  [
    'a migration outside of its window',
    migration3,
    steered({ waiting: 'stands still, outside its window 00:00-07:00', resumesAt: '2026-01-01T00:00:00.000Z' }),
    'migration 3 gets on',
    'migration 3 stands still, outside its window',
    'Let migration 3 run at any time',
  ],
  [
    'a migration that takes back one which has not ended',
    migration3,
    facts({ migrations: [migration({ id: 2, state: 'cancelled' }), migration({ takesBack: 2 })] }),
    'migration 2, which it takes back, has ended',
    'begins when migration 2 has finished',
    'Why has migration 2 not ended?',
  ],
  [
    'a cancelled migration whose last slots do not arrive',
    migration3,
    facts({ migrations: [migration({ state: 'cancelled', stalled: { since: 'noon', reason: 'group 2 hangs' } })] }),
    'no slot is left between two groups',
    'its last slots have not got on since noon: group 2 hangs',
    null,
  ],
  [
    'a migration that waits',
    migration3,
    steered({ waiting: 'orphans at m2:1' }),
    'migration 3 gets on',
    'orphans at m2:1',
    'Cancel migration 3',
  ],
  [
    'a migration without a controller',
    migration3,
    steered({}, { hasController: false }),
    'a dashboard is elected controller',
    'no dashboard is elected',
    null,
  ],
  [
    'a migration from a group that is down',
    migration3,
    steered({}, { status: status({ groups: [group(1, [master(down)]), group(2)] }) }),
    'the source, group 1, has a master that works',
    'no key can move',
    'Why is group 1 down?',
  ],
  [
    'a migration to a group that is full',
    migration3,
    steered(
      {},
      { status: status({ groups: [group(1), group(2, [server('m2:1', 'master', { usedMemoryBytes: 100, maxMemoryBytes: 100 })])] }) },
    ),
    'the target, group 2, has a master that works',
    'is full',
    'Raise maxmemory of m2:1',
  ],
  [
    'a migration that waits for a lost proxy',
    migration3,
    steered({}, { status: status({ proxies: [proxy('p1'), proxy('p9', { state: 'lost' })] }) }),
    'proxy p9 acknowledges',
    'fenced off',
    'Why is p9 lost?',
  ],
  [
    'a migration that is throttled',
    migration3,
    steered({
      throttle: {
        delayMs: 5000,
        keysPerSecond: 10,
        bytesPerSecond: null,
        addedP99Ms: null,
        sharePercent: null,
        slotsAtOnce: null,
        window: null,
      },
    }),
    'its limits leave it room',
    '10 keys a second and a pause of 5000 ms',
    'Take the limits of migration 3 away',
  ],
];

describe('the first thing named', () => {
  test.each(FAULTS)('of %s', (_, ask, known, check, evidence, mends) => {
    const view = ask(known);
    expect(view?.because[0]).toMatchObject({ check, evidence: expect.stringContaining(evidence) });
    expect(view?.because[0]?.result).toBe(view?.level);
    expect(['failed', 'warning']).toContain(view?.level);
    expect(view?.verdict).toBe(view?.because[0]?.evidence);
    if (mends !== null) expect(view?.try.map(({ label }) => label)).toContain(mends);
  });
});

describe('of a cluster that is well', () => {
  test.each([
    ['a slot', slot, 'slot 150 is served by m1:1 of group 1'],
    ['a group', group1, 'group 1 serves 512 slots with its master m1:1'],
    ['a proxy', proxy1, 'proxy p1 serves clients at p1:19000, with the slot table of epoch 7'],
  ])('%s is called well', (_, ask, verdict) => {
    expect(ask(facts())).toMatchObject({ level: 'ok', verdict, try: [] });
  });

  test('a proxy is slow from a border on, and of what was not measured nothing is said', () => {
    const told = (over: Partial<ProxyWorkerView>) => proxy1(working(worker(0, over)));
    expect(told({ cpuPercent: 84, lagP99Ms: 49.9 })?.level).toBe('ok');
    expect(told({ cpuPercent: 85, lagP99Ms: 50 })?.because.filter(({ result }) => result === 'warning')).toMatchObject([
      { check: 'the workers of p1 have CPU to spare', evidence: expect.stringMatching(/than one$/) },
      { check: 'the event loops of p1 keep up', evidence: expect.stringMatching(/: it has more to do than one core can$/) },
    ]);
    expect(told({ cpuPercent: null, lagP99Ms: null })?.because.filter(({ result }) => result === 'unknown')).toHaveLength(2);
  });

  test('a migration that runs, and one that is done', () => {
    expect(migration3(steered({}))).toMatchObject({ level: 'ok', verdict: 'migration 3 gets on: 50 of 100 slots are done' });
    const done = migration3(steered({ state: 'done', slotsDone: 100 }));
    expect(done).toMatchObject({ level: 'ok', verdict: 'migration 3 is done: 100 of 100 slots are done' });
  });

  test('what is not there has no explanation', () => {
    expect([explainGroup(facts(), 9), explainProxy(facts(), 'p9'), explainMigration(facts(), 9)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('in Chinese', () => {
  beforeAll(() => understand(sentences));
  afterAll(() => understand({}));

  test.each(FAULTS)('all that is said of %s is understood', (_, ask, known) => {
    const { verdict, because, try: tries } = ask(known)!;
    const said = [verdict, ...because.flatMap(({ check, evidence }) => [check, evidence]), ...tries.map(({ label }) => label)];
    // An address, or the names of proxies, are the same.
    expect(said.filter((sentence) => / /.test(sentence.replaceAll(', ', ',')) && told(sentence) === null)).toEqual([]);
  });
});
