// Waiting for the first full copy of a replica: what is told on the way, and for how long. The clock is a false one.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServerStatusView } from '../../src/api/index.ts';
import { printerOf, type Session } from '../../src/cli/session.ts';
import { followSync, syncText } from '../../src/cli/sync.ts';

const ADDR = '127.0.0.1:6380';
const LINKED = {
  addr: ADDR,
  role: 'replica',
  up: true,
  linkUp: true,
  sync: null,
  replicates: '127.0.0.1:6379',
  problem: null,
} as ServerStatusView;
const COPYING: ServerStatusView = { ...LINKED, linkUp: false, sync: { readBytes: 2 ** 20, totalBytes: 4 * 2 ** 20 } };

let notes: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  notes = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** Shows one after the other, the last of them for good. */
function sessionOf(...readings: (ServerStatusView | null)[]): Session {
  const get = async <View>() => {
    const server = readings.length > 1 ? readings.shift() : readings[0];
    return { groups: server ? [{ id: 1, slotsCount: 0, servers: [server] }] : [] } as View;
  };
  return { ...printerOf('table'), note: (text) => notes.push(text), dryRun: false, get, look: get, change: get };
}

test('tells each change on the way, once, and ends with the copy', async () => {
  const following = followSync(sessionOf(null, { ...COPYING, sync: null }, COPYING, COPYING, LINKED), { addr: ADDR });
  await vi.advanceTimersByTimeAsync(60_000);
  await following;
  expect(notes).toEqual([
    `${ADDR} is in no group (yet)`,
    `${ADDR} has no full copy yet`,
    `${ADDR} receives a full copy: 1.0/4.0 MiB`,
    `${ADDR} has a full copy of 127.0.0.1:6379 and follows it`,
  ]);
});

test('gives up after the time that was given, and says how far it was', async () => {
  const following = followSync(sessionOf(COPYING), { addr: ADDR, timeout: 5 });
  const refused = expect(following).rejects.toMatchObject({
    code: 'CODIS_E_TIMEOUT',
    message: `${ADDR} receives a full copy: 1.0/4.0 MiB after 5 s; it goes on by itself`,
  });
  await vi.advanceTimersByTimeAsync(10_000);
  await refused;
});

test('a master that sends the copy as it makes it has no total, and a server that is down is said to be', () => {
  expect(syncText(ADDR, { ...COPYING, sync: { readBytes: 2 ** 20, totalBytes: null } })).toBe(`${ADDR} receives a full copy: 1.0 MiB`);
  expect(syncText(ADDR, { ...LINKED, up: false, problem: 'refused' })).toBe(`${ADDR} does not answer: refused`);
});
