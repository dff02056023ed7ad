// Hot keys of all proxies as one list, and who sees the names of keys.

import { asGroupId, asServerAddr, emptyTopology, slotOf, type Topology } from '@codis/config/model';
import type { FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { keyNamesFor } from '../../src/auth/key-names.ts';
import type { Identity } from '../../src/auth/policy.ts';
import { type HotKeysReading, hotKeysView } from '../../src/observe/hot-keys.ts';
import { selected, withNames } from '../../src/slowlog/entries.ts';

const HOSTILE = '<img src=x>\u0000\u00ff"';
const hot = (key: string, requestsPerSecond: number, overPerSecond = 0, db = 0) => ({ key, db, requestsPerSecond, overPerSecond });
const reading = (...keys: HotKeysReading['keys']): HotKeysReading => ({
  sampleEvery: 256,
  seconds: 45.5,
  sampled: 100,
  keyBytesMax: 1024,
  missing: 0,
  keys,
});
const topology: Topology = {
  ...emptyTopology(),
  slots: emptyTopology().slots.map((state, slot) => (slot === slotOf(Buffer.from('a')) ? { kind: 'online', owner: asGroupId(3) } : state)),
  groups: [{ id: asGroupId(3), servers: [{ addr: asServerAddr('m:1'), role: 'master' }] }],
};
const around = { at: 'now', topology, limit: 10 };

describe('hot keys', () => {
  test('are what all proxies met together, each with its slot and group, in no database but its own', () => {
    const told = new Map([
      ['p1', reading(hot('a', 100, 5), hot('b', 90))],
      ['p2', reading(hot('b', 90), hot('a', 100.25, 5), hot('a', 1, 0, 2))],
    ]);
    const { keys, sampledCount, sampleEvery, windowSeconds } = hotKeysView(told, around);
    expect({ sampledCount, sampleEvery, windowSeconds }).toEqual({ sampledCount: 200, sampleEvery: 256, windowSeconds: 45.5 });
    expect(keys).toEqual([
      { key: '"a"', slot: slotOf(Buffer.from('a')), group: 3, db: 0, opsPerSecond: 200.3, overPerSecond: 10 },
      { key: '"b"', slot: slotOf(Buffer.from('b')), group: null, db: 0, opsPerSecond: 180, overPerSecond: 0 },
      { key: '"a"', slot: slotOf(Buffer.from('a')), group: 3, db: 2, opsPerSecond: 1, overPerSecond: 0 },
    ]);
    expect(hotKeysView(told, { ...around, limit: 1 }).keys).toHaveLength(1);
    expect(hotKeysView(told, { ...around, limit: 1, slot: slotOf(Buffer.from('b')) }).keys.map(({ key }) => key)).toEqual(['"b"']);
  });

  test('have names that steer nothing and are not endless', () => {
    const { keys } = hotKeysView(new Map([['p1', reading(hot(HOSTILE, 2), hot('x'.repeat(1000), 1))]]), around);
    expect(keys[0]?.key).toBe('"<img src=x>\\u0000\\u00ff\\""');
    expect(keys[1]?.key).toBe(`"${'x'.repeat(200)}…" (1000 bytes)`);
  });

  test('say how they were come by, and who is missing', () => {
    const told = new Map<string, HotKeysReading | string>([
      ['p1', { ...reading(), missing: 1 }],
      ['p2', 'it has no session'],
    ]);
    expect(hotKeysView(told, around).basis).toEqual([
      'proxy p1: one of 256 requests was looked at, over 45.5 s; 100 keys were met; names of more than 1024 bytes are left out; 1 of its workers did not answer',
      'proxy p2 could not be asked for hot keys: it has no session',
    ]);
    expect(hotKeysView(new Map([['p2', 'gone']]), around)).toMatchObject({ sampleEvery: null, windowSeconds: null, keys: [] });
  });
});

describe('names of keys', () => {
  const asked = (role: Identity['role']) => ({ identity: { name: 'x', role, via: 'user', csrf: null } }) as unknown as FastifyRequest;
  const names = (role: Identity['role'], from: 'viewer' | 'operator' | 'admin') =>
    keyNamesFor(asked(role), { dashboard_key_names: from } as never)('"user:1"');

  test('are shown from the role on that the settings say', () => {
    expect(names('viewer', 'viewer')).toBe('"user:1"');
    expect(names('operator', 'operator')).toBe('"user:1"');
    expect(names('admin', 'operator')).toBe('"user:1"');
    for (const [role, from] of [
      ['viewer', 'operator'],
      ['viewer', 'admin'],
      ['operator', 'admin'],
    ] as const) {
      expect(names(role, from)).toMatch(/^\(key [0-9a-f]{10}\)$/);
    }
  });

  test('have the same mark each time, and different ones different marks', () => {
    const shown = keyNamesFor(asked('viewer'), { dashboard_key_names: 'admin' } as never);
    expect(shown('"a"')).toBe(shown('"a"'));
    expect(shown('"a"')).not.toBe(shown('"b"'));
  });

  test('in the slow log are not found by how they begin by who may not see them', () => {
    const entry = {
      key: '"user:1"',
      args: ['"user:1"', '(3 bytes)'],
      source: 'proxy',
      at: '',
      micros: 1,
      group: 1,
      command: 'set',
    } as never;
    const shown = keyNamesFor(asked('viewer'), { dashboard_key_names: 'admin' } as never);
    const masked = withNames(entry, shown);
    expect(masked.args).toEqual([masked.key, '(3 bytes)']);
    expect(JSON.stringify(masked)).not.toContain('user');
    expect(selected([masked], { prefix: 'user:', limit: 9 })).toEqual([]);
    expect(selected([entry], { prefix: 'user:', limit: 9 })).toHaveLength(1);
  });
});
