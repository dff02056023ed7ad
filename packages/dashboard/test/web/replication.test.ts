import type { ServerStatusView } from '@codis/config/api';
import { expect, test } from 'vitest';
import { replicationTree } from '../../web/src/lib/replication.ts';
import { server } from '../facts.ts';

const of = (...servers: ServerStatusView[]) => replicationTree(servers).map(({ server: { addr }, depth }) => `${depth} ${addr}`);
const follows = (addr: string, master: string | null) => server(addr, 'replica', { replicates: master });

test('replicas stand behind whom they follow, also one that follows a replica', () => {
  const master = server('m:1', 'master');
  expect(of(follows('c:1', 'a:1'), follows('b:1', 'm:1'), follows('a:1', 'm:1'), master)).toEqual(['0 m:1', '1 a:1', '2 c:1', '1 b:1']);
});

test('one that follows a stranger, or does not say, stands behind the master of its group', () => {
  expect(of(follows('b:1', 'elsewhere:1'), server('m:1', 'master'), follows('a:1', null))).toEqual(['0 m:1', '1 a:1', '1 b:1']);
});

test('a master that follows its replica, a circle, and a group without a master lose nobody', () => {
  expect(of(server('m:1', 'master', { replicates: 'a:1' }), follows('a:1', null)).sort()).toEqual(['0 m:1', '1 a:1']);
  expect(of(follows('a:1', 'b:1'), follows('b:1', 'a:1'))).toHaveLength(2);
  expect(of(follows('a:1', null))).toEqual(['0 a:1']);
});
