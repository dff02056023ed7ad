import {
  asEpoch,
  asGroupId,
  asMigrationId,
  asServerAddr,
  emptyTopology,
  SLOT_COUNT,
  type SlotState,
  type Topology,
} from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { buildRouteTable, emptyRouteTable, LOCKED, MIGRATING, OFFLINE, ONLINE, whyNoHome } from '../../src/worker/route-table.ts';
import type { Server } from '../../src/worker/server.ts';

const online = (owner: number): SlotState => ({ kind: 'online', owner: asGroupId(owner) });
const move = { from: asGroupId(1), to: asGroupId(2), migration: asMigrationId(1) };
const migrating: SlotState = { kind: 'migrating', ...move };
const locked: SlotState = { kind: 'locked', ...move, epoch: asEpoch(1), leaseMs: 1000 };

/** Groups 1 and 2 with a master each unless said, group 3 with a replica only; the first slots in these states, the rest offline. */
function topology(slots: readonly SlotState[], masters: readonly number[] = [1, 2]): Topology {
  const empty = emptyTopology();
  return {
    slots: [...slots, ...empty.slots.slice(slots.length)],
    groups: [1, 2, 3].map((id) => ({
      id: asGroupId(id),
      servers: [
        { addr: asServerAddr(`replica:${id}`), role: 'replica' as const },
        ...(masters.includes(id) ? [{ addr: asServerAddr(`master:${id}`), role: 'master' as const }] : []),
      ],
    })),
  };
}

/** The table, and the addresses it asked servers for. A server is known by its address alone. */
function build(value: Topology) {
  const asked: string[] = [];
  const servers = new Map<string, Server>();
  const table = buildRouteTable({ epoch: asEpoch(5), topology: value }, (addr) => {
    asked.push(addr);
    const server = servers.get(addr) ?? (Object.freeze({ addr }) as Server);
    servers.set(addr, server);
    return server;
  });
  return { table, asked };
}

describe('a table', () => {
  const { table, asked } = build(topology([online(1), online(2), locked, migrating]));

  test('sends a slot to its owner’s master', () => {
    expect([table.kind[0], table.home[0]?.addr, table.from[0]]).toEqual([ONLINE, 'master:1', null]);
    expect([table.kind[1], table.home[1]?.addr, table.from[1]]).toEqual([ONLINE, 'master:2', null]);
  });

  test('sends a locked slot nowhere', () => {
    expect([table.kind[2], table.home[2], table.from[2]]).toEqual([LOCKED, null, null]);
  });

  test('sends a migrating slot to where it goes, and knows where it comes from', () => {
    expect([table.kind[3], table.home[3]?.addr, table.from[3]?.addr]).toEqual([MIGRATING, 'master:2', 'master:1']);
  });

  test('sends a slot that belongs to nobody nowhere', () => {
    expect([table.kind[4], table.home[4], table.kind[1023], table.home[1023]]).toEqual([OFFLINE, null, OFFLINE, null]);
  });

  test('lets the keys of slots travel together that are online at one server, and no others', () => {
    const slots = [online(2), migrating, online(1), online(2), locked, online(3), online(3), migrating, online(1)];
    expect([...build(topology(slots)).table.places.subarray(0, 11)]).toEqual([0, 1, 2, 0, 4, 5, 6, 7, 2, 9, 10]);
    expect(emptyRouteTable().places).toEqual(Int16Array.from({ length: SLOT_COUNT }, (_, slot) => slot));
  });

  test('asks for each server of a group with a master once', () => {
    expect(asked).toEqual(['master:1', 'replica:1', 'master:2', 'replica:2']);
  });

  test('knows the replicas of a master', () => {
    const found = [...table.replicas].map(([master, replicas]) => [master.addr, replicas.map(({ addr }) => addr)]);
    expect(found).toEqual([
      ['master:1', ['replica:1']],
      ['master:2', ['replica:2']],
    ]);
  });

  test('keeps its epoch and its topology', () => {
    expect(table.epoch).toBe(5);
    expect(table.topology?.groups).toHaveLength(3);
    expect([table.kind.length, table.home.length, table.from.length]).toEqual([SLOT_COUNT, SLOT_COUNT, SLOT_COUNT]);
  });
});

describe('a slot without a home', () => {
  test('says so before any table was seen', () => {
    expect(whyNoHome(emptyRouteTable(), 7)).toBe('this proxy has not seen a slot table yet; make one with: codis-config slot init');
    expect(emptyRouteTable().epoch).toBe(-1);
  });

  test.each<[title: string, state: SlotState, masters: number[], why: string]>([
    ['that is offline', { kind: 'offline' }, [1, 2], 'slot 0 is offline: it belongs to no group'],
    ['whose group has no master', online(3), [1, 2], 'group 3, which has slot 0, has no master'],
    ['whose target has no master', migrating, [1], 'group 2, which has slot 0, has no master'],
    ['whose source has no master', migrating, [2], 'group 1, which has slot 0, has no master'],
  ])('%s says why', (_, state, masters, why) => {
    const { table } = build(topology([state], masters));
    expect(table.home[0] === null || table.from[0] === null).toBe(true);
    expect(whyNoHome(table, 0)).toBe(why);
  });
});
