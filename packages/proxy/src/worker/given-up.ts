// Connections that this worker gave up with commands under way: a server that hangs, or a way there that is broken, may carry them out much later. For the
// client the outcome is unknown and that is that. But a script that runs when one of its keys has left finds half of what it needs, and a hand-over that runs
// when its slot has come back takes a key away. So what was given up stays in flight for its slots, and the worker acknowledges no lock of them, until the server has said that it runs no
// more: CLIENT KILL over a new connection frees the old one with all that it had not yet read or run.
//
//   given up ──▶ the server takes another connection ──CLIENT KILL answered──▶ left
//                        └ another process answers: the one that had it is gone ──▶ left
//                a table comes in which the server is no master: what it still runs is no group's data ──▶ left
//
// Invariant: each slot of a connection is entered once when that is given up, before its requests are answered, and left once.

import type { ToPrimary } from '../ipc.ts';
import { encodeRequest } from '../resp/replies.ts';
import type { Backend } from './backend.ts';
import { asking } from './claim.ts';
import type { InFlight } from './in-flight.ts';
import type { Server } from './server.ts';

interface GivenUpConnection {
  readonly server: Server;
  readonly runId: string;
  /** What ends it at the server. */
  readonly kill: Buffer;
  readonly slots: ReadonlySet<number>;
  /** CLIENT KILL is under way. */
  asked: boolean;
}

export interface GivenUpOptions {
  readonly inFlight: InFlight;
  /** Of the table that the worker routes by. */
  readonly masters: () => readonly Server[];
  /** To the primary: which servers have yet to say that nothing runs any more, when that changes. */
  readonly send: (message: ToPrimary) => void;
}

export class GivenUp {
  readonly #options: GivenUpOptions;
  readonly #connections = new Set<GivenUpConnection>();
  #told = '';

  constructor(options: GivenUpOptions) {
    this.#options = options;
  }

  /** `slots`: what is under way on `backend`, by slot (or lane). */
  add(backend: Backend, slots: ReadonlySet<number>): void {
    if (slots.size === 0 || !this.#options.masters().includes(backend.server)) return;
    for (const slot of slots) this.#options.inFlight.occupy(slot);
    this.#connections.add({ server: backend.server, runId: backend.runId, kill: killOf(backend), slots, asked: false });
    this.#tell();
  }

  onTable(): void {
    const masters = this.#options.masters();
    for (const connection of this.#connections) if (!masters.includes(connection.server)) this.#leave(connection);
  }

  tick(): void {
    for (const connection of this.#connections) if (!connection.asked) this.#ask(connection);
  }

  #ask(connection: GivenUpConnection): void {
    const shared = connection.server.backend(0, 2);
    if (shared === null || !shared.isReady) return;
    if (shared.runId !== connection.runId) {
      this.#leave(connection);
      return;
    }
    connection.asked = true;
    const { kill } = connection;
    const request = asking((reply) => {
      connection.asked = false;
      if (reply[0] !== 0x2d) this.#leave(connection);
    });
    shared.send(request, kill, 0, kill.length);
  }

  /** Once: it may have left when its server ceased to be a master, with the answer still to come. */
  #leave(connection: GivenUpConnection): void {
    if (!this.#connections.delete(connection)) return;
    for (const slot of connection.slots) this.#options.inFlight.leaveSlot(slot);
    this.#tell();
  }

  #tell(): void {
    const servers = [...new Set([...this.#connections].map(({ server }) => server.addr))].sort();
    if (servers.join() === this.#told) return;
    this.#told = servers.join();
    this.#options.send({ type: 'unconfirmed', servers });
  }
}

/** Before Redis 5 a connection does not know its number; then it is named by where it comes from. */
function killOf({ clientId, localAddr }: Backend): Buffer {
  return encodeRequest(['CLIENT', 'KILL', ...(clientId > 0 ? ['ID', String(clientId)] : ['ADDR', localAddr])]);
}
