import type { SlotStateView } from '@codis/config/api';
import { describe, expect, test } from 'vitest';
import { details, paintMap, describe as words } from '../../web/src/lib/slot-paint.ts';
import { expandRuns, lookOf, parseSlots, rampStep, runsOf, slotsText } from '../../web/src/lib/slots.ts';

describe('slots as a person writes them', () => {
  test.each([
    ['0', [0]],
    ['1023', [1023]],
    ['0-3', [0, 1, 2, 3]],
    [' 7..8 ,3;5', [3, 5, 7, 8]],
  ])('%s', (text, slots) => {
    expect(parseSlots(text)).toEqual({ slots });
  });

  test.each([
    ['', 'Write slots'],
    ['1024', 'There is no slot 1024'],
    ['0-1024', 'There is no slot 1024'],
    ['9-3', '9-3 runs backwards; write 3-9'],
    ['0-5, 3', 'Slot 3 is named twice'],
    ['-1', 'is no slot'],
    ['1.5', 'is no slot'],
    ['0x10', 'is no slot'],
    ['99999999999999999999', 'is no slot'],
    ['<b>', '“<b>” is no slot'],
  ])('%j is refused with a sentence', (text, sentence) => {
    expect(parseSlots(text)).toEqual({ problem: expect.stringContaining(sentence) });
  });

  test('and as runs', () => {
    expect(runsOf([1, 2, 3, 7])).toEqual([
      { first: 1, last: 3 },
      { first: 7, last: 7 },
    ]);
    expect(slotsText([1, 2, 3, 7, 9], 2)).toBe('1-3, 7 and 1 more ranges');
  });
});

const owned = (group: number): SlotStateView => ({ state: 'online', group, to: null, migration: null });
const OFFLINE: SlotStateView = { state: 'offline', group: null, to: null, migration: null };
const moving: SlotStateView = { state: 'migrating', group: 1, to: 2, migration: 7 };
const picture = { mode: 'owner', stats: null, group: null, filter: 'all', coloured: true, only: null } as const;

test('what is known of one slot is told in words, and what is not known is said to be', () => {
  const groups = [1, 2].map((id) => ({
    id,
    slotsCount: 1,
    servers: [{ addr: `m${id}:1`, role: 'master' as const, zone: null, replicaReads: true }],
  }));
  const stats = { epoch: 1, at: null, keysCount: [12], bytes: [], opsPerSecond: [3], basis: [] };
  expect(details(0, owned(1), { groups, stats })).toBe('slot 0, group 1, online, requests go to m1:1, 12 keys, 3/s requests');
  expect(details(1, moving, { groups, stats })).toBe(
    'slot 1, migrating from group 1 to group 2, requests go to m2:1, keys not known, requests not known',
  );
  expect(details(2, owned(3), { groups, stats: null })).toContain('its group has no master');
  expect(details(3, OFFLINE, { groups, stats })).toBe('slot 3, no group, offline, keys not known, requests not known');
});

describe('the look of a slot', () => {
  test('a group keeps its colour and texture whatever other groups there are', () => {
    expect([1, 8, 9, 16, 17, 24].map(lookOf)).toEqual([
      { hue: 1, texture: 0 },
      { hue: 0, texture: 0 },
      { hue: 1, texture: 1 },
      { hue: 0, texture: 1 },
      { hue: 1, texture: 2 },
      { hue: 0, texture: 2 },
    ]);
    const looks = new Set(Array.from({ length: 24 }, (_, index) => JSON.stringify(lookOf(index + 1))));
    expect(looks.size).toBe(24);
  });

  test('says state by shape besides colour, and in words', () => {
    const [one, two, three] = paintMap({ ...picture, slots: [owned(3), moving, OFFLINE] });
    expect(one).toEqual({ look: 'cell hue-3 texture-0', label: 'slot 0, group 3, online', text: '' });
    expect(two).toMatchObject({ look: 'cell hue-1 texture-0 moving to-2', label: 'slot 1, migrating from group 1 to group 2' });
    expect(three).toMatchObject({ look: 'cell offline', label: 'slot 2, no group, offline' });
  });

  test('names runs of 24 and more', () => {
    const slots = [...new Array<SlotStateView>(23).fill(owned(1)), ...new Array<SlotStateView>(24).fill(owned(2))];
    const texts = paintMap({ ...picture, slots }).map(({ text }) => text);
    expect(texts.filter((text) => text !== '')).toEqual(['g2']);
    expect(texts[23]).toBe('g2');
  });

  test('tells no data, none and some apart', () => {
    const stats = { epoch: 1, at: null, keysCount: [null, 0, 1, 1000], bytes: [], opsPerSecond: [], basis: [] };
    const slots = [owned(1), owned(1), owned(1), owned(1)];
    const looks = paintMap({ ...picture, mode: 'keys', stats, slots }).map(({ look }) => look);
    expect(looks).toEqual(['cell no-data', 'cell zero', 'cell ramp-1', 'cell ramp-8']);
    expect(words(0, owned(1), { mode: 'keys', stats })).toContain('unknown keys');
  });

  test('gives up colour where there are more groups than can be told apart, but for the one that is asked for', () => {
    const looks = (group: number | null) =>
      paintMap({ ...picture, coloured: false, group, slots: [owned(1), moving] }).map(({ look }) => look);
    expect(looks(null)).toEqual(['cell grey', 'cell grey moving']);
    expect(looks(1)).toEqual(['cell hue-1 texture-0', 'cell hue-1 texture-0 moving to-2']);
  });

  test('fades what is not asked for', () => {
    const faded = (change: object) =>
      paintMap({ ...picture, ...change, slots: [owned(1), moving, OFFLINE] }).map(({ look }) => look.endsWith('faded'));
    expect(faded({ group: 2 })).toEqual([true, false, true]);
    expect(faded({ filter: 'moving' })).toEqual([true, false, true]);
    expect(faded({ filter: 'offline' })).toEqual([true, true, false]);
    expect(faded({ only: new Set([0]) })).toEqual([false, true, true]);
  });
});

test('runs fill the table, and slots without one are offline', () => {
  const slots = expandRuns([{ first: 1, last: 2, ...owned(5) }]);
  expect(slots).toHaveLength(1024);
  expect(slots.slice(0, 4).map(({ group }) => group)).toEqual([null, 5, 5, null]);
});

test('the ramp is logarithmic, from the smallest to the largest', () => {
  const bounds = { min: 1, max: 1e6 };
  expect([rampStep(1, bounds), rampStep(1000, bounds), rampStep(1e6, bounds), rampStep(7, { min: 7, max: 7 })]).toEqual([1, 5, 8, 8]);
});
