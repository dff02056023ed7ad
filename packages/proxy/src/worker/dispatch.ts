// Brings a request to the server of its slot: at once, or held, handed over or refused while the slot is in a move. Holds the one reference to the route table of
// this worker, and all of its servers.

import type { ServerAddr, VersionedTopology } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { readsByPattern } from '../commands/sort-patterns.ts';
import type { ToPrimary } from '../ipc.ts';
import { errorReply, MOVED_ON, NO_MASTERS } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { BigKeys } from './big-keys.ts';
import { Gather, type Merge } from './gather.ts';
import { GivenUp } from './given-up.ts';
import { HandOvers } from './hand-over.ts';
import { type Held, ownFrame, reframe } from './held.ts';
import { Loans } from './loans.ts';
import { LockedSlots } from './locked-slots.ts';
import { MoveHistory } from './move-history.ts';
import { answeredBy } from './replica-reads.ts';
import type { Request } from './request.ts';
import { buildRouteTable, emptyRouteTable, LOCKED, MIGRATING, ONLINE, type RouteTable, whyNoHome } from './route-table.ts';
import { Server } from './server.ts';
import type { Session } from './session.ts';
import { Transfers } from './transfers.ts';

export interface DispatchOptions extends BackendOptions {
  readonly holdTimeoutMs: number;
  readonly holdBytesMax: number;
  /** To the primary. */
  readonly send: (message: ToPrimary) => void;
}

export class Dispatcher {
  readonly servers = new Map<ServerAddr, Server>();
  readonly loans = new Loans();
  readonly lockedSlots: LockedSlots;
  /** What can't be carried out while its slot is in two places. */
  readonly movingSlots: LockedSlots;
  readonly handOvers: HandOvers;
  readonly bigKeys: BigKeys;
  readonly history = new MoveHistory();
  readonly #options: DispatchOptions;
  readonly #transfers: Transfers;
  readonly #givenUp: GivenUp;
  #table: RouteTable = emptyRouteTable();

  constructor(options: DispatchOptions) {
    const onGivenUp: DispatchOptions['onGivenUp'] = (backend, slots) => this.#givenUp.add(backend, slots);
    this.#options = { ...options, onGivenUp };
    this.#givenUp = new GivenUp({ ...options, masters: () => this.#table.masters });
    const { clock, inFlight, stats, product, password } = options;
    this.#transfers = new Transfers({ clock, inFlight, loans: this.loans, product, password });
    const answer = (request: Request, reply: Buffer) => this.answer(request, reply);
    const holds = {
      clock,
      inFlight,
      stats,
      transfers: this.#transfers,
      timeoutMs: options.holdTimeoutMs,
      bytesMax: options.holdBytesMax,
      answer,
    };
    const held = { ...holds, route: (request: Request, held: Held) => this.#routeHeld(request, held) };
    this.lockedSlots = new LockedSlots({ ...held, waits: (kind) => kind === LOCKED });
    this.movingSlots = new LockedSlots({ ...held, waits: (kind) => kind === LOCKED || kind === MIGRATING });
    this.handOvers = new HandOvers({ ...holds, send: (...arrived) => this.#sendArrived(...arrived) });
    this.bigKeys = new BigKeys({ ...held, handOvers: this.handOvers });
  }

  get table(): RouteTable {
    return this.#table;
  }

  /** Takes a newer table. False for an older one, or the one held, which change nothing. */
  apply(next: VersionedTopology): boolean {
    if (next.epoch <= this.#table.epoch) return false;
    this.#table = buildRouteTable(next, (addr) => this.server(addr));
    this.history.onTable(next);
    this.#givenUp.onTable();
    this.#retireServers();
    this.bigKeys.onTable(this.#table);
    this.handOvers.onTable(this.#table);
    this.lockedSlots.onTable(this.#table);
    this.movingSlots.onTable(this.#table);
    return true;
  }

  tick(): void {
    this.lockedSlots.tick();
    this.movingSlots.tick();
    this.#givenUp.tick();
    this.#transfers.tick();
    this.handOvers.tick();
    this.bigKeys.tick(this.#table);
  }

  /** HOT PATH. Sends `request`, which concerns `slot` alone, where the table says. */
  dispatch(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    const session = request.session as Session;
    const home = table.home[slot] as Server | null;
    if (table.kind[slot] !== ONLINE || home === null || session.waiting !== null) {
      this.#dispatchElsewhere(request, slot, command, ownFrame(frame));
      return;
    }
    request.slot = slot;
    this.#options.inFlight.enter(slot);
    const server = session.modes === 0 ? home : answeredBy(home, session, command, table);
    this.send(request, server, frame.buf, frame.start, frame.end, frame.isLarge);
  }

  /** The slot is in a move, or nowhere, or something before this request waits for a slot in a move. */
  #dispatchElsewhere(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    if (table.kind[slot] === LOCKED) {
      if (needsWholeSlot(command, frame)) request.session?.afterAll();
      this.lockedSlots.hold(request, slot, command, frame);
    } else if (table.home[slot] === null || (table.kind[slot] === MIGRATING && table.from[slot] === null)) {
      this.answer(request, errorReply(`ERR ${whyNoHome(table, slot)}`));
    } else this.#dispatchMoving(request, slot, command, frame);
  }

  #dispatchMoving(request: Request, slot: number, command: Command, frame: Frame): void {
    if (this.#table.kind[slot] === MIGRATING && needsWholeSlot(command, frame)) {
      request.session?.afterAll();
      this.movingSlots.hold(request, slot, command, frame);
    } else if (this.#table.kind[slot] !== MIGRATING || !this.bigKeys.take(request, slot, command, frame, this.#table)) {
      this.handOvers.take(request, slot, command, frame, this.#table);
    }
  }

  /** Calls `request.sender` once the slot is not locked and the keys of `frame` are at its home; an error goes to the request's taker. */
  claim(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    const home = table.home[slot] as Server | null;
    if (table.kind[slot] !== ONLINE || home === null || request.session?.waiting) {
      this.dispatch(request, slot, command, frame);
      return;
    }
    request.slot = slot;
    this.#options.inFlight.enter(slot);
    request.sender?.(home);
  }

  /** HOT PATH. */
  backendFor(request: Request, server: Server): Backend | null {
    const session = request.session;
    let backend: Backend | null = null;
    if (session !== null && session.pinned !== null) backend = session.pinnedTo(server, request.db);
    return backend ?? server.backend(request.db, session === null ? 2 : session.protocol);
  }

  /** HOT PATH. `request` is counted in flight by the caller. */
  send(request: Request, server: Server, buf: Buffer, start: number, end: number, isLarge = false): void {
    const backend = this.backendFor(request, server);
    if (backend !== null) {
      backend.send(request, buf, start, end, isLarge);
      return;
    }
    this.#options.inFlight.leave(request);
    request.slot = -1;
    request.slots = null;
    this.answer(request, errorReply(`ERR server ${server.addr} can't be reached (${server.lastError}), so the command was not sent`));
  }

  #sendArrived(request: Request, frame: Buffer, to: Server, epoch: number): void {
    // What is counted on a lane is for the source, which is in `to`: no lane has a home. Nor has a slot that is locked.
    const home = this.#table.home[request.slot] ?? to;
    if (!this.#table.home[request.slot] && (this.backendFor(request, to)?.epoch ?? epoch) > epoch) {
      // It was let in by a newer table than says that the request goes there, and a fence may be against that.
      this.#options.inFlight.leave(request);
      request.slot = -1;
      this.answer(request, MOVED_ON);
      return;
    }
    if (request.sender !== null) request.sender(home);
    else this.send(request, home, frame, 0, frame.length);
  }

  #routeHeld(request: Request, held: Held): void {
    const frame = reframe(held.frame);
    if (request.sender !== null) this.claim(request, held.slot, held.command, frame);
    else this.dispatch(request, held.slot, held.command, frame);
  }

  /** As `send`, of a request whose keys are all at `server`, in flight for `slots`. */
  sendAll(request: Request, server: Server, slots: readonly number[], buf: Buffer, start: number, end: number): void {
    request.slots = slots;
    this.#options.inFlight.enterAll(slots);
    this.send(request, server, buf, start, end);
  }

  /** Asks each of `servers` what `bytes` says, over the connections that this session's requests share, and answers the session's next place in the
   *  order (or `parent`, taken before) with what `merge` makes of the replies. An error stands in for the reply of a server that can't be reached.
   *  It counts as in flight for `slots`. */
  ask(
    session: Session,
    servers: readonly Server[],
    bytes: (server: Server) => Buffer,
    merge: Merge,
    parent = session.enqueue(),
    slots: readonly number[] | null = null,
  ): void {
    if (servers.length === 0) {
      session.answer(parent, NO_MASTERS);
      return;
    }
    const gather = new Gather(parent, session, servers.length, merge);
    for (const [index, server] of servers.entries()) {
      const frame = bytes(server);
      const request = gather.take(index);
      if (slots === null) this.send(request, server, frame, 0, frame.length);
      else this.sendAll(request, server, slots, frame, 0, frame.length);
    }
  }

  /** Answers a request with an error. */
  answer(request: Request, reply: Buffer): void {
    this.#options.stats.onError(reply, 0);
    if (request.taker === null) request.session?.answer(request, reply);
    else {
      request.stored = request.taker.takes(request, reply.length) ? [reply] : null;
      request.taker.onReply(request);
    }
  }

  server(addr: ServerAddr): Server {
    let server = this.servers.get(addr);
    if (server === undefined) {
      server = new Server(addr, this.#options);
      this.servers.set(addr, server);
    }
    server.revive();
    return server;
  }

  /** Servers that no slot leads to any more are let go. */
  #retireServers(): void {
    const used = new Set<Server | null>([
      ...this.#table.home,
      ...this.#table.from,
      ...this.#table.masters,
      ...[...this.#table.replicas.values()].flat(),
    ]);
    for (const [addr, server] of this.servers) {
      if (used.has(server)) continue;
      server.retire();
      if (server.connectionCount === 0) this.servers.delete(addr);
    }
  }
}

/** MOVE, and COPY … DB: keys of the same name in another database would have to be handed over too. SORT … BY: so would keys that can't be known. */
function needsWholeSlot(command: Command, frame: Frame): boolean {
  return command.name === 'move' || (command.name === 'copy' && frame.argc > 4) || readsByPattern(command, frame);
}
