// Watches: the value as it is, then every change or at least the last, whatever happens in between.

import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import type { Coordinator, Entry } from '../../../src/coordinator/coordinator.ts';
import { type Bench, committed, create, createEphemeral, remove, seen, set, Told } from './environment.ts';

export function watchContract(bench: Bench): void {
  describe('watches', () => {
    it('the first call has the node as it is, never from within watch() itself', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('topology', 'now'));
      const told = watch(a, 'topology');
      expect(told.values).toEqual([]);
      await told.until('the current value', (entry) => seen(entry) === 'now@0');
      expect(told.values).toHaveLength(1);
    });

    it('changes by any session are seen, with version and owner', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('topology', 'v0'));
      const told = watch(a, 'topology');
      await told.until('v0', (entry) => seen(entry) === 'v0@0');
      await committed(b!, set('topology', 'v1'));
      await told.until('v1', (entry) => seen(entry) === 'v1@1');
      await committed(a, set('topology', 'v2'));
      await told.until('v2', (entry) => seen(entry) === 'v2@2');
    });

    it('a node that does not exist is told as null, then as what it becomes', async () => {
      const [a, b] = await bench.sessions(2);
      const told = watch(a, 'proxies/p1/live');
      await told.until('null', (entry) => entry === null);
      await committed(b!, create('proxies'));
      await committed(b!, create('proxies/p1'));
      await committed(b!, createEphemeral('proxies/p1/live', 'here'));
      await told.until('the new node', (entry) => seen(entry) === 'here@0');
    });

    it('a deletion is told as null, and a node that comes back is seen again', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('node', 'first'));
      const told = watch(a, 'node');
      await told.until('first', (entry) => seen(entry) === 'first@0');
      await committed(b!, remove('node'));
      await told.until('null', (entry) => entry === null);
      await committed(b!, create('node', 'second'));
      await told.until('second', (entry) => seen(entry) === 'second@0');
    });

    it('a node replaced in one commit is told, though its version is the same', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('node', 'first'));
      const told = watch(a, 'node');
      await told.until('first', (entry) => seen(entry) === 'first@0');
      await committed(b!, remove('node'), create('node', 'second'));
      await told.until('second', (entry) => seen(entry) === 'second@0');
    });

    it('the last value of a burst is always seen, and versions never go back', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('node', '0'));
      const told = watch(a, 'node');
      for (let round = 1; round <= 200; round++) await committed(b!, set('node', String(round)));
      await told.until('200', (entry) => seen(entry) === '200@200');
      const versions = told.values.map((entry) => entry?.version ?? -1);
      expect(versions).toEqual([...new Set(versions)].sort((x, y) => x - y));
    });

    it('what a watch has told is never newer than a read that follows', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('node', '0'));
      const late: number[] = [];
      const reads: Promise<void>[] = [];
      const stop = a.watch('node', (entry) => {
        reads.push(a.read('node').then((now) => void ((now?.version ?? -1) < (entry?.version ?? -1) && late.push(entry!.version))));
      });
      onTestFinished(stop);
      for (let round = 1; round <= 30; round++) await committed(b!, set('node', String(round)));
      await eventually(async () => (await a.read('node'))?.version === 30, { what: 'version 30' });
      await Promise.all(reads);
      expect(late).toEqual([]);
    });

    children(bench);
    listeners(bench);
  });
}

function children(bench: Bench): void {
  it('children are told as a sorted list: now, after creations and after deletions', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, create('proxies'), create('proxies/p2'));
    const told = watchChildren(a, 'proxies');
    await told.until('p2', (names) => names.join() === 'p2');
    await committed(b!, create('proxies/p1'), createEphemeral('proxies/p3'));
    await told.until('all three', (names) => names.join() === 'p1,p2,p3');
    await committed(b!, remove('proxies/p2'));
    await told.until('two', (names) => names.join() === 'p1,p3');
    await b!.close();
    await told.until('the persistent one', (names) => names.join() === 'p1');
  });

  it('children of a node that does not exist are none, until it exists and has some', async () => {
    const [a, b] = await bench.sessions(2);
    const told = watchChildren(a, 'proxies');
    await told.until('none', (names) => names.length === 0);
    await committed(b!, create('proxies'));
    await committed(b!, create('proxies/p1'));
    await told.until('p1', (names) => names.join() === 'p1');
    await committed(b!, remove('proxies/p1'), remove('proxies'));
    await told.until('none again', (names) => names.length === 0);
    await committed(b!, create('proxies'), create('proxies/p2'));
    await told.until('p2', (names) => names.join() === 'p2');
  });

  it('children of the product itself can be watched', async () => {
    const [a, b] = await bench.sessions(2);
    const told = watchChildren(a, '');
    await told.until('none', (names) => names.length === 0);
    await committed(b!, create('topology'));
    await told.until('topology', (names) => names.join() === 'topology');
  });

  it('a child’s new value is not a change of the children', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, create('proxies'), create('proxies/p1'));
    const told = watchChildren(a, 'proxies');
    await told.until('p1', (names) => names.join() === 'p1');
    await committed(b!, set('proxies/p1', 'changed'));
    await committed(b!, create('proxies/p2'));
    await told.until('p1 and p2', (names) => names.join() === 'p1,p2');
    expect(told.values.map((names) => names.join())).toEqual(['p1', 'p1,p2']);
  });
}

function listeners(bench: Bench): void {
  it('many listeners on one path all see the last value; one that stopped sees nothing more', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, create('node', '0'));
    const all = Array.from({ length: 50 }, () => new Told<Entry | null>());
    const stops = all.map((told) => a.watch('node', told.listener));
    for (const told of all) await told.until('0', (entry) => seen(entry) === '0@0');
    stops[7]!();
    stops[7]!();
    await committed(b!, set('node', '1'));
    for (const [index, told] of all.entries()) if (index !== 7) await told.until('1', (entry) => seen(entry) === '1@1');
    expect(all[7]!.values.map(seen)).toEqual(['0@0']);
    for (const stop of stops) stop();
    await committed(b!, set('node', '2'));
    const later = watch(a, 'node');
    await later.until('2', (entry) => seen(entry) === '2@2');
    expect(all[0]!.values.map(seen)).toEqual(['0@0', '1@1']);
  });

  it('one function that watches twice is told twice, and stopping one leaves the other', async () => {
    const [a] = await bench.sessions(1);
    const told = new Told<Entry | null>();
    const stop = a.watch('node', told.listener);
    onTestFinished(a.watch('node', told.listener));
    await eventually(() => told.values.length === 2, { what: 'both first calls' });
    stop();
    await committed(a, create('node', 'x'));
    await told.until('x', (entry) => seen(entry) === 'x@0');
    expect(told.values.map(seen)).toEqual([null, null, 'x@0']);
  });

  it('a watch that is stopped before its first call is never called', async () => {
    const [a] = await bench.sessions(1);
    const stopped = new Told<Entry | null>();
    a.watch('node', stopped.listener)();
    const told = watch(a, 'node');
    await told.until('null', (entry) => entry === null);
    expect(stopped.values).toEqual([]);
  });

  it('a listener may stop itself and start others while it is called', async () => {
    const [a] = await bench.sessions(1);
    const inner = new Told<Entry | null>();
    const calls: (string | null)[] = [];
    const stop = a.watch('node', (entry) => {
      calls.push(seen(entry));
      stop();
      onTestFinished(a.watch('node', inner.listener));
    });
    await inner.until('null', (entry) => entry === null);
    await committed(a, create('node', 'x'));
    await inner.until('x', (entry) => seen(entry) === 'x@0');
    expect(calls).toEqual([null]);
  });

  it('a listener that throws does not hurt the others, and its error is not swallowed', async () => {
    const [a, b] = await bench.sessions(2);
    const caught = catchUncaught();
    onTestFinished(a.watch('node', () => throwing('watch')));
    onTestFinished(a.watchChildren('', () => throwing('children')));
    onTestFinished(a.onState(() => throwing('state')));
    const told = watch(a, 'node');
    const names = watchChildren(a, '');
    await told.until('null', (entry) => entry === null);
    await committed(b!, create('node', 'x'));
    await told.until('x', (entry) => seen(entry) === 'x@0');
    await names.until('node', (list) => list.join() === 'node');
    await a.close();
    const messages = () => new Set(caught.map((error) => (error as Error).message));
    await eventually(() => messages().size === 3, { what: 'the three errors to surface' });
    expect([...messages()].sort()).toEqual(['thrown by children', 'thrown by state', 'thrown by watch']);
  });
}

function throwing(what: string): never {
  throw new Error(`thrown by ${what}`);
}

/** Until the test ends, uncaught errors are collected instead of failing the run. */
function catchUncaught(): unknown[] {
  const caught: unknown[] = [];
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => caught.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of before) process.on('uncaughtException', listener);
  });
  return caught;
}

function watch(coordinator: Coordinator, path: string): Told<Entry | null> {
  const told = new Told<Entry | null>();
  onTestFinished(coordinator.watch(path, told.listener));
  return told;
}

function watchChildren(coordinator: Coordinator, path: string): Told<readonly string[]> {
  const told = new Told<readonly string[]>();
  onTestFinished(coordinator.watchChildren(path, told.listener));
  return told;
}
