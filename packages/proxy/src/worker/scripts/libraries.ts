// The libraries of functions: a server that may have lost them, or that joined after they were loaded, is given those that are registered before the first
// FCALL that goes to it, over the same connection. They are loaded without REPLACE, and that a server has one already is no error: what it has is as new or newer.

import type { Command } from '../../commands/command.ts';
import type { Library } from '../../ipc.ts';
import { encodeRequest } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Backend } from '../backend.ts';
import { asking } from '../claim.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import type { ScriptsOptions } from './scripts.ts';

/** What is known of the registry is asked anew when it is older, for a server that was not given any. */
const FRESH_MS = 1000;
/** What `Loaded` knows all functions of a server by; no script's name. */
export const FUNCTIONS = 'functions';

export class Libraries {
  readonly #options: Pick<ScriptsOptions, 'registry' | 'clock'>;
  #libraries: readonly Library[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Sessions that wait to hear of the libraries. */
  #waiting: Session[] = [];

  constructor(options: Pick<ScriptsOptions, 'registry' | 'clock'>) {
    this.#options = options;
  }

  /** As `Scripts.mustWait`, for functions at one of these servers. */
  mustWait(session: Session, command: Command, frame: Frame, servers: readonly Server[]): boolean {
    if (this.#askedAt + FRESH_MS > this.#options.clock.now) return false;
    if (servers.every(({ loaded }) => loaded.isConfirmed(FUNCTIONS))) return false;
    session.keep(command, frame);
    this.#waiting.push(session);
    if (this.#waiting.length === 1) this.#options.registry.ask({ kind: 'libraries' }, (libraries) => this.#onAnswer(libraries));
    return true;
  }

  /** Gives the server of `backend` what is registered, unless it was given it. */
  load(backend: Backend): void {
    const { loaded } = backend.server;
    if (loaded.has(backend, FUNCTIONS)) return;
    loaded.onSent(backend, FUNCTIONS);
    let left = this.#libraries.length;
    if (left === 0) loaded.confirm(FUNCTIONS);
    for (const { code } of this.#libraries) {
      const request = encodeRequest(['FUNCTION', 'LOAD', Buffer.from(code, 'latin1')]);
      const asked = asking(() => {
        if (--left === 0 && !backend.isClosed) loaded.confirm(FUNCTIONS);
      });
      backend.send(asked, request, 0, request.length);
    }
  }

  /** They have changed: what was known does not hold any more. */
  forget(): void {
    this.#askedAt = Number.NEGATIVE_INFINITY;
    this.#libraries = [];
  }

  /** When the registry can't be asked, what was known before has to do. */
  #onAnswer(libraries: readonly Library[] | null): void {
    if (libraries !== null) this.#libraries = libraries;
    this.#askedAt = this.#options.clock.now;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const session of waiting) session.goOn();
  }
}
