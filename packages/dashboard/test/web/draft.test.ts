import type { GroupView, SlotStateView } from '@codis/config/api';
import { describe, expect, test } from 'vitest';
import {
  type Draft,
  draftCli,
  EMPTY_DRAFT,
  planRequest,
  slotsProblem,
  targetProblem,
  whatProblem,
  whereProblem,
} from '../../web/src/lib/draft.ts';
import { pathOf, routeOf } from '../../web/src/lib/routes.ts';

const owned = (group: number): SlotStateView => ({ state: 'online', group, to: null, migration: null });
const slots: SlotStateView[] = [...new Array<SlotStateView>(512).fill(owned(1)), ...new Array<SlotStateView>(512).fill(owned(2))];
slots[7] = { state: 'migrating', group: 1, to: 2, migration: 4 };
slots[9] = { state: 'offline', group: null, to: null, migration: null };
const master = { addr: 'a:1', role: 'master', zone: null, replicaReads: true } as const;
const groups: GroupView[] = [
  { id: 1, slotsCount: 511, servers: [master] },
  { id: 2, slotsCount: 512, servers: [master] },
  { id: 3, slotsCount: 0, servers: [] },
];
const table = { slots, groups };
const draft = (fields: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...fields });

describe('a move that is thought about', () => {
  test('is refused in the field where a slot can’t move', () => {
    expect(slotsProblem('0-6', table)).toBe(null);
    expect(slotsProblem('7', table)).toContain('migration 4');
    expect(slotsProblem('9', table)).toContain('belongs to no group');
    expect(slotsProblem('1020-1024', table)).toContain('no slot 1024');
  });

  test('says of each group why it can’t be the target', () => {
    const of = draft({ slots: '0-3' });
    expect(groups.map((group) => targetProblem(group, of, table))).toEqual(['has all of them already', null, 'has no master']);
    expect(targetProblem(groups[1]!, draft({ kind: 'some', from: 2, amount: '5' }), table)).toBe('is where they come from');
  });

  test('needs what it needs, step by step', () => {
    expect(whatProblem(draft({ kind: 'some' }), table)).toContain('Choose the group');
    expect(whatProblem(draft({ kind: 'some', from: 1, amount: '0' }), table)).toContain('how many');
    expect(whatProblem(draft({ kind: 'some', from: 1, amount: '511' }), table)).toContain('only 510');
    expect(whatProblem(draft({ kind: 'drain' }), table)).toContain('Choose the group');
    expect(whereProblem(draft({ slots: '0' }), table)).toContain('Choose the group');
    expect(whereProblem(draft({ slots: '0', to: 3 }), table)).toBe('Group 3 has no master.');
    expect(whereProblem(draft({ kind: 'rebalance', weights: { 1: 'two' } }), table)).toContain('whole number');
  });

  test('becomes a request and a command line', () => {
    const moving = draft({ slots: '510-513', to: 2 });
    expect(planRequest(moving, table)).toEqual({ kind: 'move', moves: [{ first: 510, last: 511, to: 2 }] });
    expect(draftCli(moving, table)).toBe('codis-config plan move 510 511 2');
    expect(draftCli(draft({ slots: '0, 2', to: 2 }), table)).toBe(null);
    expect(planRequest(draft({ kind: 'some', from: 2, amount: '2', to: 1 }), table)).toEqual({
      kind: 'move',
      moves: [{ first: 1022, last: 1023, to: 1 }],
    });
    const balance = draft({ kind: 'rebalance', by: 'memory', weights: { 1: '2', 2: ' ' } });
    expect(planRequest(balance, table)).toEqual({ kind: 'rebalance', by: 'memory', weights: [{ group: 1, weight: 2 }] });
    expect(draftCli(balance, table)).toBe('codis-config plan rebalance --by memory --weight 1=2');
    expect(draftCli(draft({ kind: 'drain', from: 1 }), table)).toBe('codis-config plan drain 1');
  });
});

describe('addresses', () => {
  test.each([
    ['/', { kind: 'root' }],
    ['/login', { kind: 'login' }],
    ['/c/test/', { kind: 'page', product: 'test', page: 'overview', object: null, sub: null }],
    ['/c/test/slots/512', { kind: 'page', product: 'test', page: 'slots', object: '512', sub: null }],
    ['/c/a%20b/migrations/plan/3', { kind: 'page', product: 'a b', page: 'migrations', object: 'plan', sub: '3' }],
    ['/c/test/none', { kind: 'unknown', path: '/c/test/none' }],
    ['/c/%/slots', { kind: 'page', product: '%', page: 'slots', object: null, sub: null }],
  ])('%s', (path, route) => {
    expect(routeOf(path)).toEqual(route);
  });

  test('lead back to what they were made of', () => {
    expect(routeOf(pathOf('my product', 'overview'))).toMatchObject({ product: 'my product', page: 'overview' });
    expect(routeOf(pathOf('p', 'groups', 'a/b'))).toMatchObject({ page: 'groups', object: 'a/b' });
    expect(routeOf(pathOf('p', 'migrations', 'plan', '3'))).toMatchObject({ page: 'migrations', object: 'plan', sub: '3' });
  });
});
