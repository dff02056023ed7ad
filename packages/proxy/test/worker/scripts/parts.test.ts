// What scripts are kept and merged by, part by part.

import { asServerAddr } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { decodeReply } from '../../../src/resp/decode.ts';
import { errorReply, OK } from '../../../src/resp/replies.ts';
import { Bodies, shaOf } from '../../../src/worker/scripts/bodies.ts';
import { librariesIn } from '../../../src/worker/scripts/function-commands.ts';
import { allOrError, mergeKills } from '../../../src/worker/scripts/merge.ts';
import { Registry } from '../../../src/worker/scripts/registry.ts';

describe('the scripts a worker knows', () => {
  test('those not used for longest go when they are too many bytes', () => {
    const bodies = new Bodies({ now: 0 }, 1000);
    for (const name of ['a', 'b', 'c']) bodies.set(name, Buffer.alloc(70));
    bodies.get('a');
    bodies.set('d', Buffer.alloc(70));
    expect(['a', 'b', 'c', 'd'].filter((name) => bodies.has(name))).toEqual(['a', 'c', 'd']);
    expect(bodies.bytes).toBeLessThanOrEqual(1000);
  });

  test('one that is too large is not kept, and counts as unknown so that nobody waits for it for ever', () => {
    const bodies = new Bodies({ now: 0 }, 1000);
    bodies.set('large', Buffer.alloc(1001));
    expect(bodies.has('large')).toBe(false);
    expect(bodies.isUnknown('large')).toBe(true);
  });

  test('that nobody knows one is believed for a second, or until it is loaded', () => {
    const clock = { now: 0 };
    const bodies = new Bodies(clock);
    bodies.setUnknown('a');
    bodies.setUnknown('b');
    bodies.known('b');
    expect([bodies.isUnknown('a'), bodies.isUnknown('b')]).toEqual([true, false]);
    clock.now = 1000;
    expect(bodies.isUnknown('a')).toBe(false);
  });

  test('they have the names that Redis gives them', () => {
    expect(shaOf(Buffer.from('return 1'))).toBe('e0e1f9fabfc9d4800c877a703b823ac0578ff8db');
  });
});

describe('the registry', () => {
  test('a primary that does not answer is waited for a second', () => {
    const clock = { now: 0 };
    const registry = new Registry(() => undefined, clock);
    const answers: unknown[] = [];
    registry.ask({ kind: 'libraries' }, (answer) => answers.push(answer));
    clock.now = 999;
    registry.tick();
    expect(answers).toEqual([]);
    clock.now = 1000;
    registry.tick();
    registry.onAnswer({ type: 'looked-up', id: 1, answer: [] });
    expect(answers).toEqual([null]);
  });

  test('questions beyond a thousand are answered at once that nobody knows', async () => {
    const registry = new Registry(() => undefined, { now: 0 });
    for (let question = 0; question < 1000; question++) registry.ask({ kind: 'libraries' }, () => undefined);
    expect(await new Promise((done) => registry.ask({ kind: 'libraries' }, done))).toBeNull();
  });
});

describe('what several servers say', () => {
  const servers = ['a:1', 'b:2', 'c:3'].map((addr) => ({ addr: asServerAddr(addr) }));
  const failed = errorReply('ERR no');

  test('all the same is said once', () => {
    expect(allOrError([OK, OK, OK], servers)).toBe(OK);
    expect(allOrError([failed, failed, failed], servers)).toEqual(failed);
  });

  test('one error tells which server, and how many have done it', () => {
    expect(allOrError([OK, failed, OK], servers).toString()).toBe('-ERR no (at b:2; 2 of 3 servers have carried it out)\r\n');
    expect(allOrError([failed, errorReply('ERR other'), failed], servers).toString()).toBe(
      '-ERR no (at a:1; no server has carried it out)\r\n',
    );
  });

  test('KILL says what was killed before what was not', () => {
    const none = errorReply('NOTBUSY No scripts in execution right now.');
    const stuck = errorReply('UNKILLABLE Sorry the script already executed write commands');
    const down = errorReply("ERR server b:2 can't be reached");
    expect(mergeKills([none, OK, stuck])).toEqual(OK);
    expect(mergeKills([none, stuck, down])).toEqual(stuck);
    expect(mergeKills([none, down])).toEqual(down);
    expect(mergeKills([none, none])).toEqual(none);
  });
});

describe('a reply as values', () => {
  test.each([
    ['*3\r\n$1\r\na\r\n:2\r\n$-1\r\n', ['a', 2, null]],
    ['%1\r\n+k\r\n~2\r\n:1\r\n_\r\n', ['k', [1, null]]],
    ['*-1\r\n', null],
    ['|1\r\n+k\r\n+v\r\n=6\r\ntxt:hi\r\n', 'txt:hi'],
    ['-ERR no\r\n', 'ERR no'],
  ])('%j', (reply, value) => {
    expect(decodeReply(Buffer.from(reply))).toEqual(value);
  });

  test('libraries are found in either protocol, and what is none is passed over', () => {
    expect(librariesIn([['library_name', 'a', 'engine', 'LUA', 'library_code', 'x'], ['library_name', 'b'], 'c'])).toEqual([
      { name: 'a', code: 'x' },
    ]);
    expect(librariesIn(null)).toEqual([]);
  });
});
