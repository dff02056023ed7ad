import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort, scratchDir } from '../../../../test/harness/process.ts';
import { type CoordinatorSettings, openCoordinator } from '../../src/coordinator/index.ts';

const settings = (change: Partial<CoordinatorSettings> = {}): CoordinatorSettings => ({
  product_name: 'demo',
  coordinator: 'filesystem',
  coordinator_dir: join(scratchDir('open'), 'made/on/the/way'),
  zk: ['127.0.0.1:2181'],
  zk_session_timeout: 2000,
  ...change,
});

describe('openCoordinator', () => {
  it('returns at once, connecting, and gets ready on a directory it makes itself', async () => {
    const chosen = settings();
    const coordinator = openCoordinator(chosen);
    onTestFinished(() => coordinator.close());
    expect(coordinator.state.kind).toBe('connecting');
    await coordinator.ready(10_000);
    expect(existsSync(join(chosen.coordinator_dir, 'demo'))).toBe(true);
  });

  it('says which directory can’t be used, and why', () => {
    const file = join(scratchDir('open'), 'file');
    writeFileSync(file, '');
    const open = () => openCoordinator(settings({ coordinator_dir: file }));
    expect(open).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_LOST', message: expect.stringContaining(file) }));
  });

  it('returns at once for a ZooKeeper that is not there; ready says so after its time, and close ends it', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const coordinator = openCoordinator(settings({ coordinator: 'zookeeper', zk: [nobody] }));
    expect(coordinator.state.kind).toBe('connecting');
    await expect(coordinator.ready(200)).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
    await coordinator.close();
    expect(coordinator.state.kind).toBe('closed');
  });

  it.each(['.', '..'])('refuses the product name %s, which would name another directory', (product_name) => {
    expect(() => openCoordinator(settings({ product_name }))).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_CONFIG' }));
  });
});
