// The contract, kept by the embedded coordinator on a real directory.

import { existsSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { scratchDir } from '../../../../../test/harness/process.ts';
import type { Coordinator } from '../../../src/coordinator/coordinator.ts';
import { openFilesystemCoordinator } from '../../../src/coordinator/filesystem/filesystem.ts';
import { type CoordinatorEnvironment, coordinatorContract } from '../contract.ts';
import { endSession } from './faults.ts';

const SESSION_TIMEOUT_MS = 2000;

async function filesystemEnvironment(): Promise<CoordinatorEnvironment> {
  const dir = scratchDir('coordinator');
  const away = join(dir, '..', `${basename(dir)}-away`);
  const products = new Map<Coordinator, string>();
  return {
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    connect: async (product) => {
      const coordinator = openFilesystemCoordinator({ dir, product, sessionTimeoutMs: SESSION_TIMEOUT_MS });
      products.set(coordinator, product);
      await coordinator.ready(10_000);
      return coordinator;
    },
    killSession: async (coordinator) => {
      if (coordinator.state.kind !== 'connected') throw new Error(`the state is ${coordinator.state.kind}`);
      await endSession({ dir, product: products.get(coordinator)!, session: coordinator.state.session });
    },
    outage: {
      suspend: async () => renameSync(dir, away),
      resume: async () => renameSync(away, dir),
    },
    close: async () => {
      if (existsSync(away)) renameSync(away, dir);
      await Promise.all([...products.keys()].map((coordinator) => coordinator.close()));
    },
  };
}

coordinatorContract('filesystem', filesystemEnvironment);
