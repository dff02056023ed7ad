// Goal: a process of the cluster ends when it is told, also one that refuses once, and is killed when it never does.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Child } from '../../scripts/src/cluster/child.ts';
import { eventually, scratchDir } from '../harness/process.ts';

/** Ends at the SIGTERM of that number, as a Redis that is writing its first append-only file refuses the first. */
async function programEndingAt(signal: number): Promise<Child> {
  const log = join(scratchDir('child'), 'log');
  const script = `let n = 0; process.on('SIGTERM', () => { if (++n >= ${signal}) process.exit(0); }); setInterval(() => {}, 1000); console.log('up');`;
  const child = new Child({ file: process.execPath, args: ['-e', script] }, log);
  await eventually(() => readFileSync(log, 'utf8').includes('up'), { what: 'the program to be up' });
  return child;
}

describe('a process that is told to end', () => {
  test('ends by itself', async () => {
    const child = await programEndingAt(1);
    expect(await child.stop(10_000)).toBe(true);
    expect(await child.ended).toBe('with exit code 0');
  });

  test('is asked again when it refused, if that makes sense for it', async () => {
    const child = await programEndingAt(3);
    expect(await child.stop(10_000, 50)).toBe(true);
  });

  test('is killed when its time is over', async () => {
    const child = await programEndingAt(1000);
    expect(await child.stop(200, 50)).toBe(false);
    expect(await child.ended).toBe('by SIGKILL');
  });
});
