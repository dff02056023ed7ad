import { describe, expect, test } from 'vitest';
import {
  addGroup,
  addServer,
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  asSlot,
  assignSlots,
  checkTopology,
  type ErrorCode,
  emptyTopology,
  lockSlots,
  promoteServer,
  removeGroup,
  removeServer,
  requireGroup,
  setServer,
  type Topology,
} from '../../src/model/index.ts';

const [ONE, TWO] = [asGroupId(1), asGroupId(2)];
const [A, B, C] = [asServerAddr('a:1'), asServerAddr('b:1'), asServerAddr('c:1')];
const refused = (act: () => unknown, code: ErrorCode) => expect(act).toThrow(expect.objectContaining({ code }));
const master = (group: typeof ONE, addr: typeof A) => ({ group, addr, role: 'master' as const });
const replica = (group: typeof ONE, addr: typeof A) => ({ group, addr, role: 'replica' as const });

const pair: Topology = addServer(addServer(emptyTopology(), master(ONE, A)), replica(ONE, B));
const busy: Topology = assignSlots(pair, { first: asSlot(5), last: asSlot(6), owner: ONE });

describe('groups', () => {
  test('are kept in order of id', () => {
    const topology = [3, 1, 2].map(asGroupId).reduce(addGroup, emptyTopology());
    expect(topology.groups.map(({ id }) => id)).toEqual([1, 2, 3]);
    checkTopology(topology);
  });

  test('are made once', () => refused(() => addGroup(pair, ONE), 'CODIS_E_GROUP_EXISTS'));

  test('are removed when they are empty, and not before', () => {
    expect(removeGroup(addGroup(emptyTopology(), ONE), ONE).groups).toEqual([]);
    refused(() => removeGroup(pair, ONE), 'CODIS_E_GROUP_IN_USE');
    refused(() => removeGroup(busy, ONE), 'CODIS_E_GROUP_IN_USE');
    refused(() => removeGroup(pair, TWO), 'CODIS_E_UNKNOWN_GROUP');
  });

  test('are in use as either side of a move', () => {
    const both = addServer(busy, master(TWO, C));
    const moving = lockSlots(both, { slots: [asSlot(5)], to: TWO, migration: asMigrationId(1), epoch: asEpoch(1), leaseMs: 1 });
    refused(() => removeGroup(moving, TWO), 'CODIS_E_GROUP_IN_USE');
    refused(() => removeServer(moving, { group: TWO, addr: C }), 'CODIS_E_SERVER_IN_USE');
  });
});

describe('servers', () => {
  test('bring their group with them', () => {
    expect(addServer(emptyTopology(), master(TWO, A)).groups).toEqual([{ id: 2, servers: [{ addr: 'a:1', role: 'master' }] }]);
  });

  test('stand in one group only, in one spelling', () => {
    refused(() => addServer(pair, master(TWO, A)), 'CODIS_E_SERVER_EXISTS');
    refused(() => addServer(pair, replica(ONE, asServerAddr('B:1'))), 'CODIS_E_SERVER_EXISTS');
  });

  test('have one master per group, and it comes first', () => {
    refused(() => addServer(pair, master(ONE, C)), 'CODIS_E_MASTER_EXISTS');
    refused(() => addServer(emptyTopology(), replica(ONE, A)), 'CODIS_E_NO_MASTER');
  });

  test('leave: a replica at any time, a master when nothing needs it', () => {
    expect(requireGroup(removeServer(busy, { group: ONE, addr: B }), ONE).servers).toEqual([{ addr: 'a:1', role: 'master' }]);
    refused(() => removeServer(pair, { group: ONE, addr: A }), 'CODIS_E_SERVER_IN_USE');
    refused(() => removeServer(removeServer(busy, { group: ONE, addr: B }), { group: ONE, addr: A }), 'CODIS_E_SERVER_IN_USE');
    expect(requireGroup(removeServer(removeServer(pair, { group: ONE, addr: B }), { group: ONE, addr: A }), ONE).servers).toEqual([]);
    refused(() => removeServer(pair, { group: ONE, addr: C }), 'CODIS_E_UNKNOWN_SERVER');
    refused(() => removeServer(pair, { group: TWO, addr: A }), 'CODIS_E_UNKNOWN_GROUP');
  });

  test('are told where they stand and whether clients read from them; what is not named stays', () => {
    const b = { group: ONE, addr: B };
    const serversOf = (topology: Topology) => requireGroup(topology, ONE).servers;
    const zoned = setServer(pair, b, { zone: 'az_1.a-B' });
    expect(serversOf(zoned)).toEqual([serversOf(pair)[0], { addr: 'b:1', role: 'replica', zone: 'az_1.a-B' }]);
    const off = setServer(zoned, b, { replicaReads: false });
    expect(serversOf(off)[1]).toEqual({ addr: 'b:1', role: 'replica', zone: 'az_1.a-B', replicaReads: false });
    expect(serversOf(setServer(off, b, { zone: null }))[1]).toEqual({ addr: 'b:1', role: 'replica', replicaReads: false });
    expect(setServer(setServer(off, b, { zone: null }), b, { replicaReads: true })).toEqual(pair);
    for (const said of [{ zone: 'az_1.a-B' }, { replicaReads: false }, { zone: 'az_1.a-B', replicaReads: false }])
      expect(setServer(off, b, said), 'as it is').toBe(off);
    expect(setServer(pair, b, { zone: null, replicaReads: true }), 'as it is').toBe(pair);
    expect(serversOf(promoteServer(promoteServer(off, b), { group: ONE, addr: A }))).toEqual(serversOf(off));
    expect(serversOf(addServer(pair, { ...replica(ONE, C), zone: 'x' }))[2]).toEqual({ addr: 'c:1', role: 'replica', zone: 'x' });
  });

  test('are told nothing that makes no sense', () => {
    for (const zone of ['', 'none', 'a b', 'x'.repeat(33), 'ä', '$(x)'])
      refused(() => setServer(pair, { group: ONE, addr: B }, { zone }), 'CODIS_E_BAD_REQUEST');
    refused(() => setServer(pair, { group: ONE, addr: B }, {}), 'CODIS_E_BAD_REQUEST');
    refused(() => setServer(pair, { group: ONE, addr: C }, { zone: 'x' }), 'CODIS_E_UNKNOWN_SERVER');
    refused(() => setServer(pair, { group: TWO, addr: B }, { zone: 'x' }), 'CODIS_E_UNKNOWN_GROUP');
    refused(() => addServer(pair, { ...replica(ONE, C), zone: 'a b' }), 'CODIS_E_BAD_REQUEST');
  });

  test('are promoted, and the old master is a replica', () => {
    const promoted = promoteServer(busy, { group: ONE, addr: B });
    expect(requireGroup(promoted, ONE).servers).toEqual([
      { addr: 'a:1', role: 'replica' },
      { addr: 'b:1', role: 'master' },
    ]);
    checkTopology(promoted);
    refused(() => promoteServer(busy, { group: ONE, addr: C }), 'CODIS_E_UNKNOWN_SERVER');
    refused(() => promoteServer(busy, { group: TWO, addr: A }), 'CODIS_E_UNKNOWN_GROUP');
  });
});
