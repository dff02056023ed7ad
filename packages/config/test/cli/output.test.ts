import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { MigrationView, ServerStatusView, StatusView } from '../../src/api/index.ts';
import { statusAnswer } from '../../src/cli/commands/status.ts';
import { failureOf, ProblemError } from '../../src/cli/failures.ts';
import { render } from '../../src/cli/output.ts';
import { progressBlock, progressLine } from '../../src/cli/progress.ts';
import { CodisError, ERROR_KINDS, type ErrorCode, UNTHROTTLED } from '../../src/model/index.ts';

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

  test('as CSV has every column, and quotes what would break it', () => {
    const wide = {
      head: ['A NAME', 'B'],
      rows: [
        ['x,y', null],
        ['say "no"\nor yes', 2],
      ],
    };
    expect(render({ ...answer, wide }, 'csv')).toBe('a_name,b\n"x,y",\n"say ""no""\nor yes",2\n');
    expect(render({ ...answer, table: 'all, done' }, 'csv')).toBe('result\n"all, done"\n');
  });

  test('wide shows the columns that a table leaves out', () => {
    const wide = { head: ['NAME', 'COUNT', 'MORE'], rows: [['a', 1, 'm']] };
    expect(render({ ...answer, wide, headline: 'two' }, 'wide')).toBe('two\n\nNAME  COUNT  MORE\na         1  m\n');
    expect(render(answer, 'wide')).toBe(render(answer, 'table'));
  });

  test('as data is what every parser reads, whatever stands in it, and steers no terminal', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (json) => {
        const plain = JSON.parse(JSON.stringify(json)) as unknown;
        for (const format of ['json', 'yaml'] as const) {
          const text = render({ ...answer, json }, format);
          expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
          expect(format === 'json' ? JSON.parse(text) : parseYaml(text, { version: '1.1' })).toEqual(plain);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('as YAML is blocks, and takes no word for anything but a word', () => {
    const json = { on: 'yes', slots: [{ first: 0, at: '12:30' }, []], none: null, empty: {} };
    expect(render({ ...answer, json }, 'yaml')).toBe(
      '"on": "yes"\nslots:\n- first: 0\n  at: "12:30"\n- []\nnone: null\nempty: {}\n'
        .replaceAll('\n-', '\n  -')
        .replace('\n  at', '\n    at'),
    );
  });

  test('for people steers no terminal, wherever it is said', () => {
    const hostile = 'a\x1b[2J\x9b1m\u202eb';
    for (const format of ['table', 'wide', 'name'] as const) {
      const text = render({ json: null, headline: hostile, table: `one\n${hostile}`, names: [hostile] }, format);
      expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(text).toContain('a [2J 1m b');
    }
    expect(failureOf(new CodisError('CODIS_E_NOT_REDIS', hostile)).text).toMatch(/^error: a \[2J 1m b\n/);
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
  const full = {
    ...migration,
    ...unknown,
    throttle: UNTHROTTLED,
    durable: false,
    moves: [],
    actor: '',
    createdAt: '',
    endedAt: null,
    retries: 0,
    verified: null,
    resumesAt: null,
    takesBack: null,
    takenBackBy: null,
    stalled: null,
    comment: null,
  };
  expect(progressLine(full)).toBe(
    'migration 3 [##########..........] 5/10 slots  42 keys  1.5 MiB  retries 0  running  waiting: group 2 has no master',
  );
  expect(progressLine({ ...full, slotsDone: 0, waiting: null, keysLeft: 126, keysPerSecond: 30, secondsLeft: 3725 })).toBe(
    'migration 3 [#####...............] 0/10 slots  42 keys  1.5/6.0 MiB  30 keys/s  ETA 01:02:05  retries 0  running',
  );
});

test('a terminal gets a block of which no line is too long, and no line is more than it is', () => {
  const throttle = {
    delayMs: 10,
    keysPerSecond: 20_000,
    bytesPerSecond: 1_048_576,
    addedP99Ms: null,
    sharePercent: null,
    slotsAtOnce: null,
    window: null,
  };
  const migration: MigrationView = {
    id: 3,
    state: 'running',
    moves: [{ first: 0, last: 411, to: 2 }],
    throttle,
    durable: false,
    slotsTotal: 1024,
    slotsDone: 412,
    keysSwept: 3_100_000,
    bytesSwept: 1.9 * 1024 ** 3,
    keysLeft: 4_400_000,
    keysPerSecond: 88_000,
    secondsLeft: 31,
    retries: 0,
    verified: null,
    resumesAt: null,
    takesBack: null,
    takenBackBy: null,
    waiting: null,
    stalled: { since: '2026-01-01T00:00:00.000Z', reason: `x${'y'.repeat(200)}` },
    actor: 'anna@127.0.0.1',
    comment: 'new disks\x1b[2J',
    createdAt: '',
    endedAt: null,
  };
  const block = progressBlock(migration, 92_274_688, 79);
  expect(block).toEqual([
    'migration 3 is running: 0-411→2, by anna@127.0.0.1 (new disks [2J)',
    '[####......] 412/1024 slots  3.1M keys  1.9/4.6 GiB  88.0 MiB/s  ETA 00:00:31',
    'retries 0  throttle: delay 10 ms, 20000 keys/s, 1.0 MiB/s',
    `stalled since 2026-01-01T00:00:00.000Z: x${'y'.repeat(38)}`,
  ]);
  expect(progressBlock(migration, 92_274_688, 100)[1]).toBe(
    '[####......] 412/1024 slots  3.1M keys  1.9/4.6 GiB  88.0 MiB/s  ETA 00:00:31  retries 0',
  );
  for (const line of progressBlock(migration, 1, 40)) expect(line.length).toBeLessThanOrEqual(40);
});

describe('a status', () => {
  const server = (addr: string, role: 'master' | 'replica', up: boolean): ServerStatusView => ({
    addr,
    role,
    zone: null,
    replicaReads: true,
    up,
    observedRole: up ? role : null,
    linkUp: up,
    sync: null,
    version: '7.2.4',
    keysCount: up ? 3_141_592 : null,
    usedMemoryBytes: up ? 2 ** 31 : null,
    maxMemoryBytes: up ? 2 ** 33 : null,
    replicates: null,
    offset: null,
    lagBytes: null,
    lagSeconds: null,
    opsPerSecond: null,
    uptimeSeconds: null,
    problem: up ? null : `${addr} can't be reached: connect ECONNREFUSED`,
  });
  const groups = Array.from({ length: 8 }, (_, index) => ({
    id: index + 1,
    slotsCount: 128,
    servers: [server(`192.168.100.${index}:26379`, 'master', index % 2 === 0), server(`192.168.101.${index}:26379`, 'replica', true)],
  }));
  const sentences = groups
    .filter((_, index) => index % 2 === 1)
    .map(({ id }) => `the master of group ${id}, 192.168.100.${id}:26379, is down, so 128 slots (13 %) can't be reached`);
  const hint = { label: 'Promote', cli: 'codis-config server promote 2 192.168.101.1:26379', api: null };
  const causes = [{ severity: 'problem', text: '', object: { kind: 'group', id: '2' }, since: '', try: [hint] }] as const;
  const view: StatusView = {
    product: 'demo',
    verdict: 'degraded',
    summary: `Degraded: ${sentences[0]} (and 3 more problems); 512 of 1024 slots served, 4 of 8 groups with a working replica, 2 of 2 proxies online`,
    since: '',
    problems: sentences,
    warnings: groups.map(({ id }) => `group ${id} has no replica`),
    causes,
    keys: { knownCount: 183_000, estimatedCount: 310_000, unknownGroups: [2, 4] },
    epoch: 12,
    slots: { total: 1024, served: 512, offline: 0, moving: 0 },
    groups,
    proxies: [],
    migrationsRunning: 1,
    elected: true,
    readAt: '',
  };

  test('of eight groups, half of them down, fits a terminal of 80 columns and 24 lines', () => {
    const answer = statusAnswer(view, { format: 'table', isTerminal: true });
    const text = `${render(answer, 'table')}${(answer.notes ?? []).map((note) => `note: ${note}\n`).join('')}`;
    const lines = text.trimEnd().split('\n');
    const shown = lines.reduce((count, line) => count + Math.max(1, Math.ceil(line.length / 80)), 0);
    expect(shown).toBeLessThan(24);
    for (const line of lines.filter((one) => /^ +\d/.test(one))) expect(line.length).toBeLessThanOrEqual(80);
    expect(text).toContain('keys: 183.0k of about 310.0k; those of groups 2, 4 are not known');
    expect(text).toContain('note: and 10 more; all of them: codis-config status -o wide');
    expect(text).toContain('note: try codis-config server promote 2 192.168.101.1:26379');
  });

  test('tells all that is wrong where there is room, or nobody looks', () => {
    for (const where of [
      { format: 'wide', isTerminal: true },
      { format: 'table', isTerminal: false },
    ] as const) {
      expect(statusAnswer(view, where).notes).toEqual([...view.problems, ...view.warnings, `try ${hint.cli}`]);
    }
  });
});
