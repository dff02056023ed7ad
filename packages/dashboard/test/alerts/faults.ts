// Looks at a cluster, each with one thing wrong: what each rule is there for.

import type { AlertRuleName } from '@codis/config/api';
import type { Facts } from '../../src/alerts/rules.ts';
import { AT, down, group, migration, point, proxy, proxyStats, server, status } from '../facts.ts';

/** Of a cluster that is well. */
export const facts = (over: Partial<Facts> = {}): Facts => ({
  status: status(),
  trouble: null,
  point: point(),
  proxies: [proxyStats('p1'), proxyStats('p2')],
  migrations: [],
  hasController: true,
  skews: new Map(),
  ...over,
});
export const groups = (...servers: Parameters<typeof server>[]) =>
  status({
    groups: [
      group(
        1,
        servers.map((one) => server(...one)),
      ),
    ],
  });

export const FAULTS: readonly [AlertRuleName, Facts][] = [
  ['slots-unserved', facts({ status: groups(['m:1', 'master', down], ['r:1', 'replica']) })],
  ['slots-offline', facts({ status: status({ slots: { total: 1024, served: 1000, offline: 24, moving: 0 } }) })],
  ['no-replica', facts({ status: groups(['m:1', 'master']) })],
  ['replica-broken', facts({ status: groups(['m:1', 'master'], ['r:1', 'replica', down]) })],
  ['replication-lag', facts({ status: groups(['m:1', 'master'], ['r:1', 'replica', { lagBytes: 20_000_000 }]) })],
  ['memory', facts({ status: groups(['m:1', 'master', { usedMemoryBytes: 81, maxMemoryBytes: 100 }], ['r:1', 'replica']) })],
  ['proxy-lost', facts({ status: status({ proxies: [proxy('p1'), proxy('p2', { state: 'lost' })] }) })],
  ['no-proxy', facts({ status: status({ proxies: [] }) })],
  ['proxy-behind', facts({ status: status({ proxies: [proxy('p1', { state: 'behind' })] }) })],
  ['error-rate', facts({ point: point({ errorsPerSecond: 200 }) })],
  ['latency', facts({ point: point({ p99Ms: 500 }) })],
  ['migration-stalled', facts({ migrations: [migration({ stalled: { since: AT, reason: 'because' } })] })],
  ['mixed-versions', facts({ proxies: [proxyStats('p1'), proxyStats('p2', { version: '0.2.0' })] })],
  ['clock-skew', facts({ skews: new Map([['m1:1', -2500]]) })],
  ['coordinator-lost', facts({ status: null, trouble: 'gone' })],
  ['no-controller', facts({ hasController: false })],
];
