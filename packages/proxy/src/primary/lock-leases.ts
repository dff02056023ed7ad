// Gives up locks that nobody came back for: past its lease a lock may be rolled back by whoever sees it, so a dead controller leaves no slot locked.

import { type Coordinator, PATHS } from '@codis/config/coordinator';
import {
  encodeTopology,
  isCodisError,
  type LockSightings,
  NO_SIGHTINGS,
  nextLockDeadline,
  observeLocks,
  rollBackExpiredLocks,
  type Topology,
} from '@codis/config/model';
import type { Logger } from 'pino';

export class LockLeases {
  readonly #coordinator: Coordinator;
  readonly #log: Logger;
  #sightings: LockSightings = NO_SIGHTINGS;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: { coordinator: Coordinator; log: Logger }) {
    this.#coordinator = options.coordinator;
    this.#log = options.log;
  }

  /** Called with every topology that is taken up. */
  onTopology(epoch: number, topology: Topology): void {
    this.close();
    const now = performance.now();
    this.#sightings = observeLocks(this.#sightings, topology, now);
    const deadline = nextLockDeadline(this.#sightings, topology);
    if (deadline === null) return;
    this.#timer = setTimeout(() => this.#rollBack(epoch, topology), Math.max(deadline - now, 0) + 1);
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** A refusal means that the topology has moved on, which is all that is wanted. */
  #rollBack(epoch: number, topology: Topology): void {
    const next = rollBackExpiredLocks(topology, this.#sightings, performance.now());
    if (next === null) return;
    const op = { op: 'set', path: PATHS.topology, data: encodeTopology(next), version: epoch } as const;
    this.#coordinator.commit([op]).then(
      (result) => {
        if (result.ok) this.#log.warn({ epoch: epoch + 1 }, 'a lock outlived its lease and was rolled back');
      },
      (error: unknown) => {
        if (!isCodisError(error)) throw error;
        this.#log.warn({ err: error }, 'a lock outlived its lease and could not be rolled back; trying again');
        this.#timer = setTimeout(() => this.#rollBack(epoch, topology), 500);
      },
    );
  }
}
