// What becomes of a commit when its process stands still, or the disk fails, at the worst places. The storage is real; a subclass brings the
// moment about in which others go on.

import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scratchDir } from '../../../../../test/harness/process.ts';
import { FilesystemCoordinator, openFilesystemCoordinator } from '../../../src/coordinator/filesystem/filesystem.ts';
import { type Published, VERSIONS_KEPT, VersionedFiles } from '../../../src/coordinator/filesystem/versioned-files.ts';
import { committed, create, refused, seen, sessionOf, set } from '../contract/environment.ts';
import { endSession } from './faults.ts';

const PRODUCT = 'stall';

type Publish = (version: number, text: string, writer: string) => Promise<Published>;

/** Has its next `publish` carried out by `around`. */
class FaultyFiles extends VersionedFiles {
  around: ((publish: () => Promise<Published>) => Promise<Published>) | null = null;

  override publish(...args: Parameters<Publish>): Promise<Published> {
    const { around } = this;
    this.around = null;
    const publish = () => super.publish(...args);
    return around ? around(publish) : publish();
  }
}

async function setUp() {
  const dir = scratchDir('stall');
  const options = { dir, product: PRODUCT, sessionTimeoutMs: 60_000 };
  const other = openFilesystemCoordinator(options);
  onTestFinished(() => other.close());
  await other.ready(10_000);
  const files = new FaultyFiles(join(dir, PRODUCT));
  const stalling = new FilesystemCoordinator(files, options);
  onTestFinished(() => stalling.close());
  await stalling.ready(10_000);
  await committed(other, create('node', 'old'), create('other', ''));
  const othersGoOn = async (commits: number) => {
    for (let round = 0; round < commits; round++) await committed(other, set('other', String(round)));
  };
  return { dir, other, files, stalling, othersGoOn };
}

describe('a commit that stalls', () => {
  it.each([1, VERSIONS_KEPT - 1, VERSIONS_KEPT, 4 * VERSIONS_KEPT])(
    'between reading and linking, while others commit %d times, is done once on top of theirs',
    async (commits) => {
      const { other, files, stalling, othersGoOn } = await setUp();
      files.around = async (publish) => {
        await othersGoOn(commits);
        return publish();
      };
      expect(await committed(stalling, set('node', 'new', 0))).toEqual([1]);
      expect(seen(await other.read('node'))).toBe('new@1');
      expect(seen(await other.read('other'))).toBe(`${commits - 1}@${commits}`);
    },
  );

  it('between reading and linking is refused when another changed its node meanwhile', async () => {
    const { other, files, stalling, othersGoOn } = await setUp();
    files.around = async (publish) => {
      await committed(other, set('node', 'theirs'));
      await othersGoOn(4 * VERSIONS_KEPT);
      return publish();
    };
    expect(await refused(stalling, set('node', 'mine', 0))).toEqual({ index: 0, path: 'node', reason: 'version' });
    expect(seen(await other.read('node'))).toBe('theirs@1');
  });

  it('after linking, until its version was long removed, is known to be done and not done again', async () => {
    const { other, files, stalling, othersGoOn } = await setUp();
    files.around = async (publish) => {
      expect(await publish()).toBe('done');
      await othersGoOn(4 * VERSIONS_KEPT);
      return 'overtaken';
    };
    expect(await committed(stalling, set('node', 'new'))).toEqual([1]);
    expect(seen(await other.read('node'))).toBe('new@1');
  });

  it('and whose disk fails before the link is not done, and says why', async () => {
    const { other, files, stalling } = await setUp();
    files.around = () => Promise.reject(Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }));
    const commit = stalling.commit([set('node', 'new')]);
    await expect(commit).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST', message: expect.stringContaining('no space left') });
    expect(seen(await other.read('node'))).toBe('old@0');
    await stalling.ready(10_000);
    await committed(stalling, set('node', 'new', 0));
  });

  it('and whose disk fails after the link is known to be done', async () => {
    const { other, files, stalling } = await setUp();
    files.around = async (publish) => {
      await publish();
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    };
    expect(await committed(stalling, set('node', 'new'))).toEqual([1]);
    expect(seen(await other.read('node'))).toBe('new@1');
  });

  it('after linking, until its session was ended, says that its outcome is unknown', async () => {
    const { dir, other, files, stalling } = await setUp();
    const session = sessionOf(stalling);
    files.around = async (publish) => {
      await publish();
      await endSession({ dir, product: PRODUCT, session });
      return 'overtaken';
    };
    await expect(stalling.commit([set('node', 'new')])).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_UNKNOWN' });
    expect(seen(await other.read('node'))).toBe('new@1');
    await stalling.ready(10_000);
    expect(sessionOf(stalling)).not.toBe(session);
  });
});
