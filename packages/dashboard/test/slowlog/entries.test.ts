// What a slow request is told with: its slot, its group, the migration that its slot was part of then, and nothing of what was stored.

import { type Slot, slotOf } from '@codis/config/model';
import { expect, test } from 'vitest';
import { type ProxySlowEntry, proxyEntry, selected, serverEntry } from '../../src/slowlog/entries.ts';
import { migration, topology } from '../facts.ts';

const KEY = 'user:{42}';
const SLOT = slotOf(Buffer.from('42'));
const NOON = Date.parse('2026-01-01T12:00:00Z') / 1000;
const at = (seconds: number) => new Date((NOON + seconds) * 1000).toISOString();

const slow = (over: Partial<ProxySlowEntry> = {}): ProxySlowEntry => ({
  id: 1,
  time: NOON,
  micros: 15_000,
  command: 'set',
  key: KEY,
  args: [KEY, '(5 bytes)'],
  addr: '127.0.0.1:5000',
  stages: { proxy: 1, held: 2, server: 14_997 },
  ...over,
});
const moving = (over = {}) =>
  migration({ id: 12, moves: [{ first: SLOT, last: SLOT, to: 2 }], createdAt: at(-10), endedAt: at(10), ...over });
const during = (...migrations: ReturnType<typeof migration>[]) => proxyEntry('p1', slow(), { topology: topology(), migrations }).migration;

test('it was during a migration that its slot was part of at the time', () => {
  expect(during(moving())).toBe(12);
  expect(during(moving({ endedAt: null }))).toBe(12);
  expect(during(moving({ createdAt: at(1) }))).toBeNull();
  expect(during(moving({ endedAt: at(-1) }))).toBeNull();
  expect(during(moving({ moves: [{ first: SLOT + 1, last: 1023, to: 2 }] }))).toBeNull();
  expect(during(moving({ id: 3, endedAt: at(-1) }), moving())).toBe(12);
});

test('its group is the one that its requests go to: in a move the target', () => {
  const group = (state: 'online' | 'locked' | 'migrating') =>
    proxyEntry('p1', slow(), {
      topology: topology({ slots: [{ first: 0, last: 1023, state, group: 1, to: state === 'online' ? null : 2, migration: null }] }),
      migrations: [],
    }).group;
  expect([group('online'), group('locked'), group('migrating')]).toEqual([1, 1, 2]);
});

test('one without a key has no slot, no group and no migration', () => {
  const entry = proxyEntry('p1', slow({ key: null, args: [] }), { topology: topology(), migrations: [moving()] });
  expect(entry).toMatchObject({ key: null, slot: null, group: null, migration: null, split: { held: 2 } });
});

test('a server’s own is told without values, and with the same migration', () => {
  const args = ['SET', KEY, 'a secret'].map((text) => Buffer.from(text));
  const entry = { addr: 'm1:1', group: 1, id: 4, time: NOON, micros: 9, args, key: args[1]!, slot: SLOT as Slot, client: 'c:1' };
  expect(serverEntry(entry as never, { topology: topology(), migrations: [moving()] })).toMatchObject({
    source: 'server',
    command: 'set',
    args: [`"${KEY}"`, '(8 bytes)'],
    migration: 12,
    split: null,
  });
});

test('they are found by who logged them, group, command and the beginning of the key, newest first', () => {
  const around = { topology: topology(), migrations: [] };
  const all = [
    proxyEntry('p1', slow({ id: 1, command: 'get' }), around),
    proxyEntry('p1', slow({ id: 2, time: NOON + 5, key: 'other', args: ['other'] }), around),
    proxyEntry('p1', slow({ id: 3, time: NOON + 9 }), around),
  ];
  const ids = (filter: object) => selected(all, { limit: 10, ...filter }).map(({ id }) => id);
  expect(ids({})).toEqual([3, 2, 1]);
  expect(ids({ command: 'GET' })).toEqual([1]);
  expect(ids({ prefix: 'user:' })).toEqual([3, 1]);
  expect(ids({ source: 'server' })).toEqual([]);
  expect(ids({ group: 9 })).toEqual([]);
  expect(ids({ limit: 1 })).toEqual([3]);
});
