import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, scratchDir } from '../../../../../test/harness/process.ts';
import { type Document, EMPTY_DOCUMENT, type SessionRecord } from '../../../src/coordinator/filesystem/document.ts';
import { Heartbeats, Sweeper } from '../../../src/coordinator/filesystem/heartbeats.ts';
import { ownIdentity } from '../../../src/coordinator/filesystem/process-identity.ts';

const TIMEOUT_MS = 100;
const record: SessionRecord = { process: ownIdentity(), timeoutMs: TIMEOUT_MS, commits: 0 };
const documentOf = (...ids: string[]): Document => ({ ...EMPTY_DOCUMENT, sessions: new Map(ids.map((id) => [id, record])) });
const passed = (ms: number): Promise<unknown> => {
  const from = performance.now();
  return eventually(() => performance.now() - from > ms, { what: 'time to pass' });
};

describe('heartbeats', () => {
  it('a session that is never touched ends after its timeout; one that is, and the own one, do not', async () => {
    const heartbeats = new Heartbeats(join(scratchDir('beats'), 'sessions'), ownIdentity());
    const document = documentOf('own', 'alive', 'silent');
    await heartbeats.beat('silent');
    const ended = await eventually(
      async () => {
        await heartbeats.beat('alive');
        const ids = await heartbeats.ended(document, 'own', 50);
        return ids.length > 0 && ids;
      },
      { what: 'the silent session to end', everyMs: 5 },
    );
    expect(ended).toEqual(['silent']);
  });

  it('time in which nobody looked is not held against a session', async () => {
    const heartbeats = new Heartbeats(scratchDir('beats'), ownIdentity());
    const document = documentOf('own', 'other');
    expect(await heartbeats.ended(document, 'own', 10)).toEqual([]);
    await passed(3 * TIMEOUT_MS);
    expect(await heartbeats.ended(document, 'own', 10)).toEqual([]);
  });

  it('a clock that jumps, back or far ahead, ends no session', async () => {
    const dir = scratchDir('beats');
    const heartbeats = new Heartbeats(dir, ownIdentity());
    const document = documentOf('own', 'other');
    writeFileSync(join(dir, 'other'), '');
    for (const hours of [0, -5, 7, -9]) {
      const then = new Date(Date.now() + hours * 3_600_000);
      utimesSync(join(dir, 'other'), then, then);
      expect(await heartbeats.ended(document, 'own', 1000)).toEqual([]);
      await passed(TIMEOUT_MS / 2);
    }
  });

  it('a beat says whether there was a sign of the session before', async () => {
    const heartbeats = new Heartbeats(join(scratchDir('beats'), 'sessions'), ownIdentity());
    expect(await heartbeats.beat('own')).toBe(false);
    expect(await heartbeats.beat('own')).toBe(true);
    await heartbeats.remove('own');
    await heartbeats.remove('own');
    expect(await heartbeats.beat('own')).toBe(false);
  });
});

describe('sweeping', () => {
  it('takes files of sessions that the document did not know twice, and no others', async () => {
    const dir = scratchDir('sweep');
    for (const name of ['tmp', 'sessions']) mkdirSync(join(dir, name));
    for (const name of ['tmp/known.1', 'tmp/dead.7', 'tmp/joining.1', 'sessions/known', 'sessions/dead'])
      writeFileSync(join(dir, name), '');
    const sweeper = new Sweeper([join(dir, 'tmp'), join(dir, 'sessions'), join(dir, 'not-there')]);
    const left = () => ['tmp', 'sessions'].flatMap((name) => readdirSync(join(dir, name)).map((file) => `${name}/${file}`));
    await sweeper.sweep(documentOf('known'));
    expect(left()).toHaveLength(5);
    await sweeper.sweep(documentOf('known', 'joining'));
    expect(left()).toEqual(['tmp/joining.1', 'tmp/known.1', 'sessions/known']);
  });
});
