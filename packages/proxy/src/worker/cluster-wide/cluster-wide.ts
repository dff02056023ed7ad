// The commands that are about the keys or the servers of all groups, put together.

import { fenceKey, reservedNames } from '@codis/config/model';
import type { Handlers } from '../local/local-commands.ts';
import { REPLICA_COMMANDS } from '../replica-reads.ts';
import type { Around } from './around.ts';
import { configCommands } from './config.ts';
import { flushCommands } from './flush.ts';
import { keysCommands } from './keys.ts';
import { keyspaceCommands } from './keyspace.ts';
import { memoryCommands } from './memory.ts';
import { scanCommands } from './scan.ts';

export function clusterWideCommands(options: Omit<Around, 'marker' | 'isReserved'>): Handlers {
  const around: Around = { ...options, marker: Buffer.from(fenceKey(options.product)), isReserved: reservedNames(options.product) };
  return [
    scanCommands(around),
    keysCommands(around),
    flushCommands(around),
    keyspaceCommands(around),
    configCommands(around),
    memoryCommands(around),
    REPLICA_COMMANDS,
  ].flat();
}
