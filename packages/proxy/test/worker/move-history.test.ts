// Goal: whatever a pass over the groups must look at again is said to be, and nothing else where tables tell.
// Method: a small cluster of three groups; slots go through their states table by table, as the slot machine lets them.

import { asEpoch, asGroupId, asMigrationId, asServerAddr, emptyTopology, type Group, type SlotState } from '@codis/config/model';
import { beforeEach, expect, test } from 'vitest';
import { MoveHistory, type Order, type SlotSet } from '../../src/worker/move-history.ts';

const [A, B, C] = [asGroupId(1), asGroupId(2), asGroupId(3)];
type GroupId = typeof A;
const online = (owner: GroupId): SlotState => ({ kind: 'online', owner });
const locked = (from: GroupId, to: GroupId, migration = 1): SlotState => ({
  kind: 'locked',
  from,
  to,
  migration: asMigrationId(migration),
  epoch: asEpoch(1),
  leaseMs: 1000,
});
const migrating = (from: GroupId, to: GroupId, migration = 1): SlotState => ({
  kind: 'migrating',
  from,
  to,
  migration: asMigrationId(migration),
});

const ascending = (from: number, to: number) => from < to;
const descending = (from: number, to: number) => from > to;

let history: MoveHistory;
let epoch: number;
let state: Record<number, SlotState>;
let masterPort: number;

function group(id: GroupId): Group {
  return { id, servers: [{ addr: asServerAddr(`127.0.0.1:${id === A ? masterPort : 7000 + id}`), role: 'master' }] };
}

/** The next table (or the one `skipped` further on): these slots change, all others stay as they are, at A. */
function next(changes: Record<number, SlotState> = {}, skipped = 0): number {
  state = { ...state, ...changes };
  epoch += 1 + skipped;
  const slots = emptyTopology().slots.map((_, slot) => state[slot] ?? online(A));
  history.onTable({ epoch: asEpoch(epoch), topology: { slots, groups: [A, B, C].map(group) } });
  return epoch;
}

function move(slot: number, from: GroupId, to: GroupId, migration = 1): number {
  next({ [slot]: locked(from, to, migration) });
  next({ [slot]: migrating(from, to, migration) });
  return next({ [slot]: online(to) });
}

/** What a pass that ends now has not covered. */
function uncovered(since: number, order: Order): SlotSet | null {
  return history.uncovered({ since, until: epoch }, order);
}

/** The slots in it; `all` when it is not known. */
function listed(slots: SlotSet | null): number[] | 'all' {
  if (slots === null) return 'all';
  return [...slots.entries()].flatMap(([slot, is]) => (is === 1 ? [slot] : []));
}

beforeEach(() => {
  history = new MoveHistory(8);
  epoch = 10;
  state = {};
  masterPort = 7001;
});

test('where nothing moves, one pass covers everything', () => {
  const since = next();
  next();
  expect(listed(uncovered(since, ascending))).toEqual([]);
  expect(history.targets(since, null)).toEqual(new Set());
});

test('a move along the way of the pass is covered, one against it is not', () => {
  const since = next();
  move(5, A, B);
  expect(listed(uncovered(since, ascending))).toEqual([]);
  expect(listed(uncovered(since, descending))).toEqual([5]);
  expect(history.targets(since, null)).toEqual(new Set([B]));
});

test('what ended before the pass began does not count', () => {
  next();
  const since = move(5, A, B);
  next();
  expect(listed(uncovered(since, descending))).toEqual([]);
});

test.each([locked, migrating])('a move that is under way counts, whenever it began: %o', (state) => {
  next({ 5: state(A, B) });
  const since = next();
  expect(listed(uncovered(since, ascending))).toEqual([]);
  expect(listed(uncovered(since, descending))).toEqual([5]);
  expect(history.targets(since, null)).toEqual(new Set([B]));
  next({ 5: state === locked ? migrating(A, B) : online(B) });
  expect(listed(uncovered(since, descending))).toEqual([5]);
});

test('a slot that went away and came back is not covered in any order', () => {
  const since = next();
  move(5, A, B);
  move(5, B, A, 2);
  expect(listed(uncovered(since, ascending))).toEqual([5]);
  expect(listed(uncovered(since, descending))).toEqual([5]);
});

test('a slot that moved twice is not covered, though it went along the way both times', () => {
  const since = next();
  move(5, A, B);
  move(5, B, C, 2);
  expect(listed(uncovered(since, ascending))).toEqual([5]);
});

test('a lock that was given up has moved nothing', () => {
  const since = next();
  next({ 5: locked(A, B) });
  expect(listed(uncovered(since, descending))).toEqual([5]);
  next({ 5: online(A) });
  expect(listed(uncovered(since, descending))).toEqual([]);
});

test('tables that were passed over hide no move', () => {
  next({ 5: locked(A, B), 6: online(B) });
  const since = next({ 5: migrating(A, B), 6: locked(B, A, 2) });
  next({ 5: online(B), 6: online(A) }, 3);
  expect(listed(uncovered(since, ascending))).toEqual([6]);
  expect(listed(uncovered(since, descending))).toEqual([5]);
  const later = epoch;
  next({ 5: migrating(B, C, 3) }, 1);
  expect(listed(uncovered(later, descending))).toEqual([5]);
});

test('a move that ended while another of the same slot began counts as two', () => {
  next({ 5: locked(A, B) });
  const since = next({ 5: migrating(A, B) });
  next({ 5: locked(B, C, 2) }, 1);
  expect(listed(uncovered(since, ascending))).toEqual([5]);
});

test('after too many tables that were passed over nothing is known', () => {
  const since = next();
  next({}, 4);
  expect(history.knows(since)).toBe(false);
  expect(listed(uncovered(since, ascending))).toBe('all');
  expect(history.targets(since, null)).toBeNull();
  expect(listed(uncovered(epoch, ascending))).toEqual([]);
});

test('a table that is not here yet is not known', () => {
  next();
  expect(listed(history.uncovered({ since: epoch, until: epoch + 1 }, ascending))).toBe('all');
});

test('only so many moves are remembered, and what is forgotten is not known', () => {
  const since = next();
  let last = 0;
  for (let slot = 0; slot < 9; slot++) last = move(slot, A, B);
  expect(listed(uncovered(since, ascending))).toBe('all');
  expect(listed(uncovered(last - 1, descending))).toEqual([8]);
});

test('a window has an end: what began later is not in it', () => {
  const since = next({ 5: online(B), 6: online(B), 7: online(B) });
  const until = move(5, B, A);
  move(6, B, A);
  next({ 7: locked(B, A) });
  expect(listed(history.uncovered({ since, until }, ascending))).toEqual([5]);
  expect(listed(history.uncovered({ since, until: epoch }, ascending))).toEqual([5, 6, 7]);
});

test('targets are those of the slots asked about', () => {
  const since = next();
  move(5, A, B);
  move(6, A, C);
  const only = new Uint8Array(1024);
  only[6] = 1;
  expect(history.targets(since, only)).toEqual(new Set([C]));
});

test('a slot that was taken out of service is not covered', () => {
  const since = next();
  next({ 5: { kind: 'offline' } });
  expect(history.targets(since, null)).toEqual(new Set());
  next({ 5: online(B) });
  expect(listed(uncovered(since, ascending))).toEqual([5]);
});

test('a group that got another master has to be looked at again, whole', () => {
  next({ 5: online(B) });
  const since = next();
  masterPort = 7999;
  next();
  const again = listed(uncovered(since, ascending));
  expect(again).toHaveLength(1023);
  expect(again).not.toContain(5);
  expect(listed(uncovered(epoch, ascending))).toEqual([]);
});
