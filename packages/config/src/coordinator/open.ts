// The coordinator that the configuration names.

import { CodisError } from '../model/index.ts';
import type { Settings } from '../settings/schema.ts';
import type { Coordinator } from './coordinator.ts';
import { openFilesystemCoordinator } from './filesystem/filesystem.ts';
import { openZookeeperCoordinator } from './zookeeper/zookeeper.ts';

/** The keys that say which coordinator, and where. */
export type CoordinatorSettings = Pick<Settings, 'product_name' | 'coordinator' | 'coordinator_dir' | 'zk' | 'zk_session_timeout'>;

export interface OpenOptions {
  /** Told when the store begins to fail, and each time the reason changes; for the log. */
  readonly onError?: (error: unknown) => void;
}

/** Opens it and returns at once, in the state `connecting`; `ready` waits. `coordinator_dir` is absolute, as loadSettings makes it.
 *  Throws CODIS_E_COORDINATOR_LOST for a directory that can't be written, CODIS_E_BAD_CONFIG for settings no driver can use. */
export function openCoordinator(settings: CoordinatorSettings, options: OpenOptions = {}): Coordinator {
  const product = settings.product_name;
  const sessionTimeoutMs = settings.zk_session_timeout;
  if (product === '.' || product === '..') {
    throw new CodisError('CODIS_E_BAD_CONFIG', `product_name ${product} names no directory and no node; use another name`);
  }
  if (settings.coordinator === 'zookeeper')
    return openZookeeperCoordinator({ servers: settings.zk, product, sessionTimeoutMs, ...options });
  return openFilesystemCoordinator({ dir: settings.coordinator_dir, product, sessionTimeoutMs, ...options });
}
