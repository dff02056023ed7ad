// EVAL, EVALSHA, FCALL and their kin: which server a script runs at, and that the server has it by then.
//
//   EVALSHA ──text known here, or nobody has it──▶ routed by its keys ──▶ sent: SCRIPT LOAD first, over the same connection, where the server may lack it
//      └──▶ waits: the other workers are asked, then the registry ──▶ routed
//
// What a server lacks is sent to it together with the request, and not when that is routed: a request that was held or whose keys were handed over finds its
// script where it goes in the end. Nothing is sent twice: a script that is not there after all is NOSCRIPT, as ever.

import { slotOf } from '@codis/config/model';
import type { Command } from '../../commands/command.ts';
import { keysError } from '../../commands/key-errors.ts';
import { extractKeys, KEYS_OK, keyArgs } from '../../commands/key-specs.ts';
import { encodeRequest, NO_MASTERS } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { askAnyMaster } from '../any-master.ts';
import type { Backend } from '../backend.ts';
import { asking } from '../claim.ts';
import type { Clock } from '../clock.ts';
import { reframe } from '../held.ts';
import type { Peers } from '../peers.ts';
import { type Request, SINK_CLIENT, SINK_SCREENED } from '../request.ts';
import type { Router } from '../router.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { Bodies, shaOf } from './bodies.ts';
import { Libraries } from './libraries.ts';
import type { Registry } from './registry.ts';

export interface ScriptsOptions {
  readonly router: Router;
  readonly registry: Registry;
  readonly peers: Peers;
  readonly clock: Pick<Clock, 'now'>;
}

type Kind = 'eval' | 'evalsha' | 'fcall';

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['eval', 'eval'],
  ['eval_ro', 'eval'],
  ['evalsha', 'evalsha'],
  ['evalsha_ro', 'evalsha'],
  ['fcall', 'fcall'],
  ['fcall_ro', 'fcall'],
]);
const SHA_LENGTH = 40;
const SHA = /^[0-9a-f]{40}$/;
/** A function's name is shown in full in no error; what is longer than any name only has to lead somewhere. */
const NAME_BYTES_MAX = 1024;

export class Scripts {
  readonly bodies: Bodies;
  readonly libraries: Libraries;
  readonly registry: Registry;
  readonly #options: ScriptsOptions;
  /** Sessions that wait to hear of a script, by its SHA-1. */
  readonly #asked = new Map<string, Session[]>();

  constructor(options: ScriptsOptions) {
    this.#options = options;
    this.registry = options.registry;
    this.bodies = new Bodies(options.clock);
    this.libraries = new Libraries(options);
    options.peers.on('script|body', (sha) => this.bodies.get(sha)?.toString('latin1') ?? null);
    options.peers.on('script|loaded', (sha) => {
      this.bodies.known(sha);
      return null;
    });
    options.peers.on('script|flushed', () => {
      this.forget();
      return null;
    });
  }

  run(session: Session, command: Command, frame: Frame): void {
    const { router } = this.#options;
    const result = extractKeys(command.keys, frame);
    // Redis looks for the function before it looks at the number of keys: which error it is, a server knows.
    if (result !== KEYS_OK && command.name.startsWith('fcall')) askAnyMaster(router, session, command, frame);
    else if (result !== KEYS_OK) router.reject(session, keysError(command, frame, result));
    else if (this.mustWait(session, command, frame)) return;
    else if (keyArgs.count === 0) this.#runWithoutKeys(session, command, frame);
    else {
      const slot = router.slotFor(command, frame);
      if (Buffer.isBuffer(slot)) router.reject(session, slot);
      else router.dispatchScript(session, slot, command, frame);
    }
  }

  /** True when somebody must be asked about the script first: the session keeps the request until that is known. Called before a request is routed or queued. */
  mustWait(session: Session, command: Command, frame: Frame): boolean {
    const kind = KINDS.get(command.name);
    if (kind === 'evalsha') return this.#mustAskForScript(session, command, frame);
    if (kind === 'fcall') return this.libraries.mustWait(session, command, frame, this.#options.router.masters());
    if (kind === 'eval') this.#note(frame);
    return false;
  }

  /** Sends over `backend` what `command` needs to be there, unless it is. */
  prepare(backend: Backend, command: Command, frame: Frame): void {
    const kind = KINDS.get(command.name);
    if (kind === 'evalsha') this.#load(backend, shaIn(frame));
    else if (kind === 'fcall') this.libraries.load(backend);
  }

  /** As `prepare`, for the requests of a transaction. */
  prepareAll(backend: Backend, scripts: readonly { readonly command: Command; readonly frame: Buffer }[]): void {
    for (const { command, frame } of scripts) this.prepare(backend, command, reframe(frame));
  }

  /** An EVALSHA whose script turns out not to be there tells that what is known of `server` is wrong. */
  screen(request: Request, command: Command, server: Server): void {
    if (request.sink !== SINK_CLIENT || KINDS.get(command.name) !== 'evalsha') return;
    request.sink = SINK_SCREENED;
    request.taker = server.loaded;
  }

  /** SCRIPT LOAD: all masters have it. */
  onLoaded(sha: string, body: Buffer): void {
    this.bodies.set(sha, body);
    for (const server of this.#options.router.masters()) server.loaded.confirm(sha);
    this.registry.tell({ kind: 'add-script', sha, body: body.toString('latin1') });
    this.#options.peers.tell('script|loaded', sha);
  }

  /** SCRIPT FLUSH: no server has any, and nobody shall give them back. */
  onFlushed(): void {
    this.registry.tell({ kind: 'flush-scripts' });
    this.#options.peers.tell('script|flushed', null);
  }

  forget(): void {
    this.bodies.clear();
    for (const server of this.#options.router.servers.values()) server.loaded.clear();
  }

  /** One and the same script always meets the same server, which has it then. It is about no slot, so none counts it. */
  #runWithoutKeys(session: Session, command: Command, frame: Frame): void {
    const { router } = this.#options;
    const name = KINDS.get(command.name) === 'eval' ? shaOf(bodyIn(frame)) : nameIn(frame).toLowerCase();
    const server = router.table.home[slotOf(Buffer.from(name))] ?? router.masters()[0];
    if (server === undefined) router.reject(session, NO_MASTERS);
    else router.sendScript(session.enqueue(), server, command, frame);
  }

  #note(frame: Frame): void {
    const body = bodyIn(frame);
    const sha = shaOf(body);
    if (!this.bodies.has(sha)) this.bodies.set(sha, Buffer.from(body));
  }

  #mustAskForScript(session: Session, command: Command, frame: Frame): boolean {
    const sha = shaIn(frame);
    if (this.bodies.has(sha) || !SHA.test(sha) || this.bodies.isUnknown(sha)) return false;
    session.keep(command, frame);
    const waiting = this.#asked.get(sha);
    if (waiting !== undefined) waiting.push(session);
    else {
      this.#asked.set(sha, [session]);
      this.#askForScript(sha);
    }
    return true;
  }

  #askForScript(sha: string): void {
    this.#options.peers.askOthers('script|body', sha, (bodies) => {
      const body = bodies.find((known) => known !== null);
      if (body === undefined || body === null) this.registry.ask({ kind: 'script', sha }, (registered) => this.#onAnswer(sha, registered));
      else this.#onAnswer(sha, body);
    });
  }

  #onAnswer(sha: string, body: string | null): void {
    if (body === null) this.bodies.setUnknown(sha);
    else this.bodies.set(sha, Buffer.from(body, 'latin1'));
    const waiting = this.#asked.get(sha) ?? [];
    this.#asked.delete(sha);
    for (const session of waiting) session.goOn();
  }

  #load(backend: Backend, sha: string): void {
    const { loaded } = backend.server;
    if (loaded.has(backend, sha)) return;
    const body = this.bodies.get(sha);
    if (body === undefined) return;
    loaded.onSent(backend, sha);
    const request = encodeRequest(['SCRIPT', 'LOAD', body]);
    const asked = asking((reply) => {
      if (reply[0] !== ERROR && !backend.isClosed) loaded.confirm(sha);
    });
    backend.send(asked, request, 0, request.length);
  }
}

const ERROR = 0x2d;

function bodyIn(frame: Frame): Buffer {
  return frame.buf.subarray(frame.args[2], frame.args[3]);
}

function nameIn(frame: Frame): string {
  const start = frame.args[2] as number;
  return frame.buf.toString('latin1', start, Math.min(frame.args[3] as number, start + NAME_BYTES_MAX));
}

/** The script that EVALSHA names, in lower case; empty for what can't be one. */
function shaIn(frame: Frame): string {
  const start = frame.args[2] as number;
  const end = frame.args[3] as number;
  return end - start === SHA_LENGTH ? frame.buf.toString('latin1', start, end).toLowerCase() : '';
}
