import { describe, expect, test } from 'vitest';
import { failureOf, ProblemError } from '../../src/cli/failures.ts';
import { progressLine } from '../../src/cli/follow.ts';
import { render } from '../../src/cli/output.ts';
import { CodisError, ERROR_KINDS, type ErrorCode } from '../../src/model/index.ts';

const answer = {
  json: { a: [1] },
  names: ['x', 2],
  table: {
    head: ['NAME', 'COUNT'],
    rows: [
      ['long name', 5],
      ['b', 123],
    ],
  },
};

describe('an answer', () => {
  test('as a table aligns numbers to the right and has no blanks at line ends', () => {
    expect(render(answer, 'table')).toBe('NAME       COUNT\nlong name      5\nb            123\n');
  });

  test('as a table without rows is its head', () => {
    expect(render({ ...answer, table: { head: ['A', 'B'], rows: [] } }, 'table')).toBe('A  B\n');
  });

  test('as a table can’t be broken by what stands in it', () => {
    expect(render({ ...answer, table: { head: ['A', 'B'], rows: [['x\n\x1b[31m', null]] } }, 'table')).toBe('A        B\nx  [31m  -\n');
  });

  test('as JSON, as names, and as a sentence', () => {
    expect(JSON.parse(render(answer, 'json'))).toEqual({ a: [1] });
    expect(render(answer, 'name')).toBe('x\n2\n');
    expect(render({ ...answer, table: 'done' }, 'table')).toBe('done\n');
  });
});

describe('a failure', () => {
  test.each(Object.keys(ERROR_KINDS) as ErrorCode[])('%s exits with the code of the table, whoever found it', (code) => {
    const { title, hint, exit, status, retryable } = ERROR_KINDS[code];
    const problem = { type: `urn:codis:error:${code}`, title, status, detail: 'what', code, try: [hint], retryable };
    const expected = { text: `error: what\nwhy:   ${title}\ntry:   ${hint}`, exit };
    expect(failureOf(new CodisError(code, 'what'))).toEqual(expected);
    expect(failureOf(new ProblemError(problem))).toEqual(expected);
  });

  test('of a code that this release does not know is a plain failure', () => {
    const problem = { type: '', title: 't', status: 418, detail: 'd', code: 'CODIS_E_TEAPOT', try: [], retryable: false };
    expect(failureOf(new ProblemError(problem)).exit).toBe(1);
  });

  test('that nobody expected shows its stack only when asked', () => {
    const bug = new TypeError('x is undefined');
    expect(failureOf(bug).text).toContain('--debug');
    expect(failureOf(bug).text).not.toContain('    at ');
    expect(failureOf(bug, { debug: true }).text).toContain('    at ');
  });
});

test('progress shows how far it is and what it waits for', () => {
  const migration = { id: 3, state: 'running', slotsDone: 5, slotsTotal: 10, keysSwept: 42, bytesSwept: 1_572_864 } as const;
  const unknown = { keysLeft: null, keysPerSecond: null, secondsLeft: null, waiting: 'group 2 has no master' };
  const throttle = { delayMs: 0, keysPerSecond: null, bytesPerSecond: null, addedP99Ms: null, sharePercent: null };
  const full = {
    ...migration,
    ...unknown,
    throttle,
    durable: false,
    moves: [],
    actor: '',
    createdAt: '',
    endedAt: null,
    stalled: null,
    comment: null,
  };
  expect(progressLine(full)).toBe(
    'migration 3 [##########..........] 5/10 slots  42 keys  1.5 MiB  running  waiting: group 2 has no master',
  );
  expect(progressLine({ ...full, slotsDone: 0, waiting: null, keysLeft: 126, keysPerSecond: 30, secondsLeft: 3725 })).toBe(
    'migration 3 [#####...............] 0/10 slots  42 keys  1.5 MiB  30 keys/s  ETA 01:02:05  running',
  );
});
