// What watching a migration shows, over time: a block on a terminal, a line every five seconds elsewhere. The clock is a false one.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MigrationView } from '../../src/api/index.ts';
import { followMigration } from '../../src/cli/follow.ts';
import { printerOf, type Session } from '../../src/cli/session.ts';
import { CodisError, UNTHROTTLED } from '../../src/model/index.ts';

const BEGUN: MigrationView = {
  id: 3,
  state: 'running',
  moves: [{ first: 0, last: 99, to: 2 }],
  throttle: UNTHROTTLED,
  durable: false,
  slotsTotal: 100,
  slotsDone: 0,
  keysSwept: 0,
  bytesSwept: 0,
  keysLeft: 1000,
  keysPerSecond: null,
  secondsLeft: null,
  waiting: null,
  retries: 0,
  verified: null,
  resumesAt: null,
  takesBack: null,
  takenBackBy: null,
  stalled: null,
  actor: 'anna@127.0.0.1',
  comment: null,
  createdAt: '',
  endedAt: null,
};

let written: string;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    written += String(chunk);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  Object.defineProperty(process.stderr, 'isTTY', { value: false, configurable: true });
});

/** A migration of 100 slots that takes `endsAfterMs`. */
function sessionThatEnds(endsAfterMs: number): Session {
  const from = performance.now();
  const look = () => {
    const done = Math.min(1, (performance.now() - from) / endsAfterMs);
    const ended = done === 1 ? ({ state: 'done', endedAt: 'now' } as const) : {};
    return {
      ...BEGUN,
      slotsDone: Math.floor(done * 100),
      keysSwept: done * 1000,
      keysLeft: 1000 - done * 1000,
      bytesSwept: done * 2 ** 20,
      ...ended,
    };
  };
  const get = async <View>() => look() as View;
  return { ...printerOf('table'), dryRun: false, get, look: get, change: get };
}

const end = async (following: Promise<number>, ms: number) => {
  await vi.advanceTimersByTimeAsync(ms);
  return following;
};

test('off a terminal there is a line every five seconds, and one at the end', async () => {
  expect(await end(followMigration(sessionThatEnds(12_000), { id: 3, timeoutMs: Number.POSITIVE_INFINITY }), 13_000)).toBe(0);
  const lines = written.trimEnd().split('\n');
  expect(lines.map((line) => /(\d+)\/100 slots/.exec(line)?.[1])).toEqual(['0', '41', '83', '100']);
  expect(written).not.toContain('\x1b');
});

test('on a terminal one block is redrawn in place', async () => {
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  expect(await end(followMigration(sessionThatEnds(4000), { id: 3, timeoutMs: Number.POSITIVE_INFINITY }), 5000)).toBe(0);
  const [first = '', ...redrawn] = written.split('\x1b[3A\r\x1b[J');
  expect(first.replace('\r\x1b[J', '')).toMatch(
    /^migration 3 is running: 0-99→2, by anna@127\.0\.0\.1\n\[\.{10}\] 0\/100 slots {2}0 keys .*\nthrottle: none\n$/,
  );
  expect(redrawn).toHaveLength(16);
  expect(redrawn.at(-1)).toMatch(
    /^migration 3 is done: .*\n\[#{10}\] 100\/100 slots {2}1000 keys {2}1\.0\/1\.0 MiB {2}retries 0\nthrottle: none\n$/,
  );
  expect(redrawn.at(10)).toMatch(/\d KiB\/s/);
});

test('Ctrl-C stops the watching, not the migration, and says how to go on', async () => {
  const following = followMigration(sessionThatEnds(60_000), { id: 3, timeoutMs: Number.POSITIVE_INFINITY });
  await vi.advanceTimersByTimeAsync(1000);
  process.emit('SIGINT');
  expect(await end(following, 0)).toBe(0);
  expect(written).toContain('note: migration 3 goes on; watch it again with: codis-config migration watch 3\n');
});

test('a wait that takes too long says how far it is, and that it goes on', async () => {
  const following = followMigration(sessionThatEnds(60_000), { id: 3, timeoutMs: 6000 });
  const refused = expect(following).rejects.toMatchObject({
    code: 'CODIS_E_TIMEOUT',
    message: expect.stringContaining('10 of 100 slots after 6 s; it goes on'),
  });
  await vi.advanceTimersByTimeAsync(7000);
  await refused;
});

test('a dashboard that is gone for a while is waited for, and both is said', async () => {
  const session = sessionThatEnds(4000);
  const get = async <View>() => {
    const { slotsDone } = await session.get<MigrationView>('');
    if (slotsDone > 20 && slotsDone < 60) throw new CodisError('CODIS_E_DASHBOARD_UNREACHABLE', 'nobody is there');
    return session.get<View>('');
  };
  expect(await end(followMigration({ ...session, get }, { id: 3, timeoutMs: Number.POSITIVE_INFINITY }), 5000)).toBe(0);
  expect(written.match(/note: .*/g)).toEqual([
    'note: nobody is there; still watching, for the migration goes on as soon as a dashboard runs',
    'note: the dashboard answers again',
  ]);
});
