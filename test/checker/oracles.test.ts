// Goal: the oracles notice each kind of fault, and take nothing for one that can happen in a right system.
// Method: histories by hand. In the first half each has one lie in it.

import { describe, expect, test } from 'vitest';
import { CounterOracle } from './kinds/counter.ts';
import { GrowingSetOracle } from './kinds/intersection.ts';
import type { Complain } from './kinds/kind.ts';
import { ListOracle } from './kinds/list.ts';
import { LockOracle } from './kinds/lock.ts';
import { QueueOracle } from './kinds/queue.ts';
import { isTtl, RegisterOracle, toggled } from './kinds/register.ts';
import { TwinsOracle } from './kinds/twins.ts';
import { type Ask, type Outcome, outcomeOf, type Reply } from './outcome.ts';

function complaintsOf<O>(Oracle: new (complain: Complain) => O, history: (oracle: O) => unknown): string[] {
  const found: string[] = [];
  history(new Oracle((violation) => found.push(violation)));
  return found;
}

/** Answers commands by their names. */
function scripted(outcomes: Readonly<Record<string, Outcome>>): Ask {
  const ask = (...command: readonly (string | number)[]) => Promise.resolve(outcomes[String(command[0])] as Outcome);
  return Object.assign(ask, { transaction: () => ask('EXEC') });
}
const done = (reply: Reply): Outcome => ({ kind: 'done', reply });

describe('noticed is', () => {
  const register = (history: (oracle: RegisterOracle) => unknown) => complaintsOf(RegisterOracle, history);
  const list = (history: (oracle: ListOracle) => unknown) => complaintsOf(ListOracle, history);
  const queue = (history: (oracle: QueueOracle) => unknown) => complaintsOf(QueueOracle, history);
  const lists: Readonly<Record<string, (oracle: ListOracle) => void>> = {
    'a lost token': (it) => it.seen(['b']),
    'a doubled token': (it) => it.seen(['a', 'b', 'a']),
    'a token that nobody pushed': (it) => it.seen(['a', 'b', 'c']),
    'another order': (it) => it.seen(['b', 'a']),
    'a pop that passes a token over': (it) => it.popped('b'),
    'a pop that finds nothing': (it) => it.popped(null),
    'a token popped twice': (it) => {
      it.popped('a');
      it.popped('a');
    },
    'a popped token that is back': (it) => {
      it.popped('a');
      it.seen(['a', 'b']);
    },
    'more tokens gone than were popped unseen': (it) => {
      it.mayBePopped();
      it.seen([]);
    },
    'a token that may have been pushed, twice': (it) => {
      it.mayBePushed('c');
      it.seen(['a', 'b', 'c']);
      it.popped('a');
      it.popped('b');
      it.popped('c');
      it.seen(['c']);
    },
  };

  test('a lost write', () => {
    expect(register((it) => [it.written('a'), it.written('b'), it.seen(null, 'a read')])).toEqual(['a read found null instead of "b"']);
  });

  test('a stale read', () => {
    expect(register((it) => [it.written('a'), it.written('b'), it.seen('a', 'a read')])).toEqual(['a read found "a" instead of "b"']);
  });

  test('a resurrected delete', () => {
    expect(register((it) => [it.written('a'), it.written(null), it.seen('a', 'a read')])).toHaveLength(1);
  });

  test('an unknown write that happens twice', () => {
    const history = (it: RegisterOracle) => {
      it.mayBeWritten('a');
      it.seen('a', 'a read');
      it.written('b');
      it.seen('a', 'a read');
    };
    expect(register(history)).toHaveLength(1);
  });

  test('a deleted value that SETNX meets, and a written one that DEL does not', async () => {
    const found: string[] = [];
    const kind = toggled({ name: 'k', complain: (violation) => found.push(violation) });
    for (let attempt = 0; attempt < 50; attempt++) await kind.write(scripted({ SETNX: done(0), DEL: done(1) }));
    expect(found).toContain('SETNX answered 0, so a deleted value is back');
    expect(found).toContain('DEL answered 1, so a deleted value is back');
    found.length = 0;
    for (let attempt = 0; attempt < 50; attempt++) await kind.write(scripted({ SETNX: done(1), DEL: done(0) }));
    expect(found).toContain('SETNX answered 1, so a value was lost');
    expect(found).toContain('DEL answered 0, so a value was lost');
  });

  test('a lost time to live', () => {
    expect([-1, 3601, 0].map(isTtl)).toEqual([false, false, false]);
    expect([3600, 3001, -2].map(isTtl)).toEqual([true, true, true]);
  });

  test('a lost and a doubled increment, and a counter that goes back', () => {
    const count = (history: (oracle: CounterOracle) => unknown) => complaintsOf(CounterOracle, history);
    expect(count((it) => [it.incremented(1), it.incremented(1)])).toEqual(['a counter is 1 and should be 2']);
    expect(count((it) => [it.incremented(1), it.seen(2)])).toEqual(['a counter is 2 and should be 1']);
    expect(count((it) => [it.mayBeIncremented(), it.seen(1), it.seen(0)])).toEqual(['a counter is 0 and should be 1']);
    expect(count((it) => [it.mayBeIncremented(), it.incremented(3)])).toEqual(['a counter is 3 and should be 1 to 2']);
  });

  test.each(Object.entries(lists))('%s in a list', (_, lie) => {
    expect(list((it) => [it.pushed('a'), it.pushed('b'), lie(it)])).toHaveLength(1);
  });

  test('a set that lost a member, or got a strange one, and a wrong count', () => {
    const set = (history: (oracle: GrowingSetOracle) => unknown) =>
      complaintsOf(GrowingSetOracle, (it: GrowingSetOracle) => [it.added('a'), history(it)]);
    expect(set((it) => it.seen([]))).toEqual(['["a"] are missing in []']);
    expect(set((it) => it.seen(['a', 'b']))).toEqual(['["b"] are there, which nobody added']);
    expect(set((it) => it.counted(0))).toEqual(['0 members instead of 1 to 1']);
    expect(set((it) => [it.mayBeAdded('b'), it.counted(3)])).toEqual(['3 members instead of 1 to 2']);
  });

  test('half a script and half a transaction', () => {
    const twins = (history: (oracle: TwinsOracle) => unknown) => complaintsOf(TwinsOracle, history);
    expect(twins((it) => [it.changed([1, 1]), it.changed([2, 1])])).toEqual(['what changes together is 2 and 1']);
    expect(twins((it) => [it.mayBeChanged(), it.seen([0, 1])])).toEqual(['what changes together is 0 and 1']);
    expect(twins((it) => [it.changed([1, 1]), it.seen([0, 0])])).toEqual(['a counter is 0 and should be 1']);
  });

  test('a lock with two holders, and one with another’s name in it', () => {
    const lock = (history: (oracle: LockOracle) => unknown) => complaintsOf(LockOracle, history);
    expect(lock((it) => [it.taken('l', 'a'), it.taken('l', 'b')])).toEqual(['b got the lock l while a held it']);
    expect(lock((it) => [it.taken('l', 'a'), it.seen('l', { by: 'a', found: null })])).toEqual(['the lock l that a holds has null in it']);
  });

  test('a token of a queue that is lost, popped twice, left and popped, refused and popped, or invented', () => {
    const push = (it: QueueOracle) => [it.pushing('a'), it.settled('a', 'pushed')];
    expect(queue((it) => [push(it), it.left([])])).toHaveLength(1);
    expect(queue((it) => [push(it), it.popped('a'), it.popped('a')])).toEqual(['a was popped, though it was popped before']);
    expect(queue((it) => [push(it), it.popped('a'), it.left(['a'])])).toHaveLength(1);
    expect(queue((it) => [push(it), it.left(['a', 'a'])])).toHaveLength(1);
    expect(queue((it) => [it.pushing('a'), it.settled('a', 'refused'), it.popped('a')])).toHaveLength(1);
    expect(queue((it) => [it.pushing('a'), it.popped('a'), it.settled('a', 'refused')])).toHaveLength(1);
    expect(queue((it) => it.popped('a'))).toEqual(['a was popped, though nobody pushed it']);
  });
});

describe('nothing is said of', () => {
  test('an unknown write that happened, did not, or happens later', () => {
    const histories: ((it: RegisterOracle) => unknown)[] = [
      (it) => it.seen('b', 'a read'),
      (it) => it.seen('a', 'a read'),
      (it) => [it.seen('a', 'a read'), it.written('c'), it.seen('c', 'a read'), it.seen('b', 'a read'), it.written(null)],
    ];
    for (const history of histories) {
      expect(complaintsOf(RegisterOracle, (it: RegisterOracle) => [it.written('a'), it.mayBeWritten('b'), history(it)])).toEqual([]);
    }
  });

  test('increments of unknown outcome, whenever they happen', () => {
    const history = (it: CounterOracle) => {
      it.mayBeIncremented();
      it.mayBeIncremented();
      it.incremented(1);
      it.seen(2);
      it.incremented(4);
    };
    expect(complaintsOf(CounterOracle, history)).toEqual([]);
  });

  test('tokens that may have been pushed or popped', () => {
    const history = (it: ListOracle) => {
      it.pushed('a');
      it.mayBePushed('b');
      it.pushed('c');
      it.pushed('d');
      it.mayBePopped();
      it.popped('c');
      it.seen(['d', 'b']);
      it.popped('d');
      it.popped('b');
      it.popped(null);
    };
    expect(complaintsOf(ListOracle, history)).toEqual([]);
  });

  test('tokens of a queue that may have been pushed or popped', () => {
    const history = (it: QueueOracle) => {
      for (const token of ['a', 'b', 'c', 'd']) it.pushing(token);
      it.settled('a', 'pushed');
      it.settled('b', 'pushed');
      it.settled('d', 'refused');
      it.mayBePopped();
      it.popped('c');
      it.left(['b']);
    };
    expect(complaintsOf(QueueOracle, history)).toEqual([]);
  });

  test('a lock that goes from hand to hand', () => {
    const history = (it: LockOracle) => {
      it.taken('l', 'a');
      it.seen('l', { by: 'a', found: 'a' });
      it.givenBack('l', 'a');
      it.taken('l', 'b');
    };
    expect(complaintsOf(LockOracle, history)).toEqual([]);
  });
});

describe('an error', () => {
  test.each([
    ['refused', 'TRYAGAIN the slot of this key is being moved'],
    ['refused', "ERR server 127.0.0.1:1 can't be reached (it closed the connection), so the command was not sent"],
    ['refused', 'LOADING Redis is loading the dataset in memory'],
    ['unknown', "ERR server 127.0.0.1:1 can't be reached (it closed), before it answered: whether the command was carried out is unknown"],
    ['wrong', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['wrong', 'ERR unknown command'],
  ])('is %s: %s', (kind, message) => {
    expect(outcomeOf(new Error(message)).kind).toBe(kind);
  });
});
