// Commands that wait at a server: BLPOP and its kin, XREAD and XREADGROUP with BLOCK, WAIT. Each has a connection of its own while it waits, so it costs
// nobody else anything; here is who waits, and who hears of newer tables and of time passing.

import type { Command } from '../commands/command.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { InFlight } from './in-flight.ts';
import type { Loans } from './loans.ts';
import { ReplicaWait } from './replica-wait.ts';
import type { RouteTable } from './route-table.ts';
import type { Router } from './router.ts';
import type { Session } from './session.ts';
import { SlotWait } from './slot-wait.ts';

export interface BlockingOptions {
  readonly router: Router;
  readonly loans: Loans;
  readonly inFlight: InFlight;
}

/** How CLIENT UNBLOCK ends a wait: as if its time were over, or with an error. */
export type UnblockKind = 'timeout' | 'error';

/** One client that waits. */
export interface Wait {
  onTable(table: RouteTable): void;
  tick(): void;
  unblock(kind: UnblockKind): void;
}

export class Blocking {
  readonly #options: BlockingOptions;
  readonly #waits = new Map<Session, Wait>();

  constructor(options: BlockingOptions) {
    this.#options = options;
  }

  /** How many clients wait. */
  get count(): number {
    return this.#waits.size;
  }

  run(session: Session, command: Command, frame: Frame): void {
    if (!session.inOrder(command, frame)) return;
    const { router } = this.#options;
    const options = { ...this.#options, session, onEnd: () => void this.#waits.delete(session) };
    if (command.name === 'wait' || command.name === 'waitaof') {
      this.#begin(session, new ReplicaWait(options, frame));
      return;
    }
    const slot = router.slotFor(command, frame);
    if (Buffer.isBuffer(slot)) router.reject(session, slot);
    else this.#begin(session, new SlotWait(options, { command, frame, slot }));
  }

  /** CLIENT UNBLOCK: false when this client does not wait. */
  unblock(session: Session, kind: UnblockKind): boolean {
    const wait = this.#waits.get(session);
    wait?.unblock(kind);
    return wait !== undefined;
  }

  /** The proxy stops: who waits is told so, and what was popped meanwhile still goes to its client. */
  endAll(): void {
    for (const wait of this.#waits.values()) wait.unblock('error');
  }

  onTable(table: RouteTable): void {
    for (const wait of this.#waits.values()) wait.onTable(table);
  }

  tick(): void {
    for (const wait of this.#waits.values()) wait.tick();
  }

  #begin(session: Session, wait: SlotWait | ReplicaWait): void {
    this.#waits.set(session, wait);
    session.block();
    wait.start();
  }
}
