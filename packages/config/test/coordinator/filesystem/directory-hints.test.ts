import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually, scratchDir } from '../../../../../test/harness/process.ts';
import { DirectoryHints } from '../../../src/coordinator/filesystem/directory-hints.ts';

describe('directory hints', () => {
  it('come for each change, also in a directory that has taken the place of the first', async () => {
    const dir = join(scratchDir('hints'), 'watched');
    mkdirSync(dir);
    let count = 0;
    const hints = new DirectoryHints(dir, () => count++);
    onTestFinished(() => hints.close());
    const hinted = async (name: string) => {
      const before = count;
      writeFileSync(join(dir, name), '');
      await eventually(() => count > before, { what: `a hint of ${name}` });
    };
    expect(await hints.follow()).toBe(true);
    await hinted('first');
    expect(await hints.follow()).toBe(false);
    await hinted('second');
    rmSync(dir, { recursive: true });
    expect(await hints.follow()).toBe(true);
    mkdirSync(dir);
    expect(await hints.follow()).toBe(true);
    await hinted('third');
  });
});
