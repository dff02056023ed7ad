// Decides what happens to a request: answer it here, send it to the server of its slot, hold it because its slot is in a move, take it apart, or
// refuse it with an error that says why. Holds the one reference to the route table of this worker.

import { fenceKey, reservedNames, type ServerAddr, slotOf, type VersionedTopology } from '@codis/config/model';
import { type Command, findCommand } from '../commands/command.ts';
import { keysError } from '../commands/key-errors.ts';
import { extractKeys, KEYS_BLOCKING, KEYS_OK, keyArgs } from '../commands/key-specs.ts';
import { readsByPattern } from '../commands/sort-patterns.ts';
import { unknownCommand, unknownSubcommand } from '../commands/unknown.ts';
import type { ToPrimary } from '../ipc.ts';
import { CROSSSLOT, errorReply, MOVED_ON, NO_MASTERS, NOAUTH, RESERVED_KEY } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { askAnyMaster } from './any-master.ts';
import type { Backend, BackendOptions } from './backend.ts';
import { BigKeys } from './big-keys.ts';
import { Blocking } from './blocking.ts';
import { Gather, type Merge } from './gather.ts';
import { GivenUp } from './given-up.ts';
import { HandOvers } from './hand-over.ts';
import { copyFrame, type Held, reframe } from './held.ts';
import { Loans } from './loans.ts';
import type { LocalCommands } from './local/local-commands.ts';
import { LockedSlots } from './locked-slots.ts';
import { type Finding, Lookup } from './lookup.ts';
import { mergeParts } from './merge.ts';
import { MODE_MONITOR, MODE_MONITORED, MODE_PAUSED, MODE_TRANSACTION, MODES_PUBSUB } from './modes.ts';
import { MONITOR_ONLY, type Monitors, touchesKeys } from './monitors.ts';
import { MoveHistory } from './move-history.ts';
import type { Pauses } from './pauses.ts';
import type { Peers } from './peers.ts';
import { PubSub } from './pubsub/pubsub.ts';
import { answeredBy } from './replica-reads.ts';
import type { Request } from './request.ts';
import { APART, buildRouteTable, emptyRouteTable, LOCKED, MIGRATING, ONLINE, type RouteTable, whyNoHome } from './route-table.ts';
import { Registry } from './scripts/registry.ts';
import { Scripts } from './scripts/scripts.ts';
import { Server } from './server.ts';
import type { Session } from './session.ts';
import { type Encoded, encodeParts, type Parts, partition, release, wasIn } from './split.ts';
import type { Stats } from './stats.ts';
import { Transactions } from './transaction.ts';
import { Transfers } from './transfers.ts';
import { isHttp, subcommand, wrongArity } from './words.ts';

export interface RouterOptions extends BackendOptions {
  readonly holdTimeoutMs: number;
  readonly holdBytesMax: number;
  readonly pauses: Pauses;
  readonly monitors: Monitors;
  readonly peers: Peers;
  /** To the primary. */
  readonly send: (message: ToPrimary) => void;
}

export class Router {
  readonly stats: Stats;
  readonly servers = new Map<ServerAddr, Server>();
  readonly lockedSlots: LockedSlots;
  /** What can't be carried out while its slot is in two places. */
  readonly movingSlots: LockedSlots;
  readonly handOvers: HandOvers;
  readonly bigKeys: BigKeys;
  readonly pubsub: PubSub;
  readonly transactions: Transactions;
  readonly blocking: Blocking;
  readonly scripts: Scripts;
  readonly lookup: Lookup;
  readonly history = new MoveHistory();
  readonly #options: RouterOptions;
  readonly #local: LocalCommands;
  readonly #reserved: { readonly slot: number; readonly has: ReturnType<typeof reservedNames> };
  readonly #transfers: Transfers;
  readonly #givenUp: GivenUp;
  #table: RouteTable = emptyRouteTable();

  /** `local` makes the commands that are answered here, some of which need this router. */
  constructor(options: RouterOptions, local: (router: Router) => LocalCommands) {
    const onGivenUp: RouterOptions['onGivenUp'] = (backend, slots) => this.#givenUp.add(backend, slots);
    this.#options = { ...options, onGivenUp, onServerUp: () => this.lookup.forget() };
    this.#givenUp = new GivenUp({ ...options, masters: () => this.masters() });
    this.lookup = new Lookup({ clock: options.clock, masters: () => this.masters() });
    this.stats = options.stats;
    this.#reserved = { slot: slotOf(Buffer.from(fenceKey(options.product))), has: reservedNames(options.product) };
    const { clock, inFlight, stats, product, password } = options;
    const loans = new Loans();
    this.#transfers = new Transfers({ clock, inFlight, loans, product, password });
    const answer = (request: Request, reply: Buffer) => this.#answer(request, reply);
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
    this.transactions = new Transactions({ router: this, loans, inFlight, bytesMax: options.sessionBytesMax });
    this.blocking = new Blocking({ router: this, loans, inFlight });
    this.pubsub = new PubSub(options, this);
    this.scripts = new Scripts({ router: this, registry: new Registry(options.send, clock), peers: options.peers, clock });
    this.#local = local(this);
  }

  get now(): number {
    return this.#options.clock.now;
  }

  get table(): RouteTable {
    return this.#table;
  }

  /** Takes a newer table; an older one, or the one held, changes nothing. */
  apply(next: VersionedTopology): void {
    if (next.epoch <= this.#table.epoch) return;
    this.#table = buildRouteTable(next, (addr) => this.#server(addr));
    this.history.onTable(next);
    this.#givenUp.onTable();
    this.#retireServers();
    this.bigKeys.onTable(this.#table);
    this.handOvers.onTable(this.#table);
    this.lockedSlots.onTable(this.#table);
    this.movingSlots.onTable(this.#table);
    this.pubsub.onTable(this.#table);
    this.transactions.onTable(this.#table);
    this.blocking.onTable(this.#table);
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
      request.slots = slots;
      if (slots !== null) for (const slot of slots) this.#options.inFlight.enter(slot);
      this.#send(request, server, frame, 0, frame.length);
    }
  }

  /** Sends `frame` for `request`, which is about no key, to a server of the table, over the connection that this session's requests share. */
  forward(request: Request, addr: ServerAddr, frame: Frame): void {
    this.#send(request, this.#server(addr), frame.buf, frame.start, frame.end);
  }

  /** The masters of all groups that have one, in the order of the groups. */
  masters(): readonly Server[] {
    return this.#table.masters;
  }

  tick(): void {
    this.lockedSlots.tick();
    this.movingSlots.tick();
    this.#givenUp.tick();
    this.#transfers.tick();
    this.handOvers.tick();
    this.bigKeys.tick(this.#table);
    this.pubsub.tick();
    this.blocking.tick();
    this.scripts.registry.tick();
    this.lookup.tick();
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.handOvers.forget(session);
    this.pubsub.forget(session);
    this.endTransaction(session);
  }

  /** What a session has watched or queued is forgotten. */
  endTransaction(session: Session): void {
    if (session.transaction !== null) this.transactions.end(session);
  }

  /** The slot of all keys of a request, or the error that stands in its way. */
  slotFor(command: Command, frame: Frame): number | Buffer {
    const result = extractKeys(command.keys, frame);
    if ((result !== KEYS_OK && result !== KEYS_BLOCKING) || keyArgs.count === 0) return keysError(command, frame, result);
    const slot = slotOfKey(frame, 0);
    for (let key = 1; key < keyArgs.count; key++) if (slotOfKey(frame, key) !== slot) return CROSSSLOT;
    return slot === this.#reserved.slot && this.#namesReserved(command, frame) ? RESERVED_KEY : slot;
  }

  /** Calls `request.sender` once the slot is not locked and the keys of `frame` are at its home; an error goes to the request's taker. */
  claim(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    const home = table.home[slot] as Server | null;
    if (table.kind[slot] !== ONLINE || home === null || request.session?.waiting) {
      this.#dispatch(request, slot, command, frame);
      return;
    }
    request.slot = slot;
    this.#options.inFlight.enter(slot);
    request.sender?.(home);
  }

  /** HOT PATH: runs once per request. `frame` is valid during the call only. */
  route(session: Session, frame: Frame): void {
    this.stats.requests++;
    const args = frame.args;
    const start = args[0] as number;
    const end = args[1] as number;
    const found = findCommand(frame.buf, start, end);
    if (found === undefined) {
      if (isHttp(frame)) session.destroy('it speaks HTTP: perhaps a web page that was made to send commands');
      else this.#onFinding(session, null, frame, this.lookup.command(session, frame));
      return;
    }
    this.#routeFound(session, found, frame);
  }

  /** A command, or subcommand of `parent`, that the table doesn't have; null: the servers are being asked. */
  #onFinding(session: Session, parent: Command | null, frame: Frame, finding: Finding | null): void {
    if (finding === null) return;
    session.command = null;
    if (finding === 'unknown') this.#fail(session, parent === null ? unknownCommand(frame) : unknownSubcommand(parent, frame));
    else if (Buffer.isBuffer(finding)) this.#fail(session, finding);
    else if (parent === null) this.#routeFound(session, finding, frame);
    else this.#routeCommand(session, finding, frame);
  }

  /** HOT PATH. */
  #routeFound(session: Session, found: Command, frame: Frame): void {
    const command = found.subcommands === null || frame.argc < 2 ? found : subcommand(found, frame);
    if (command === undefined) this.#onFinding(session, found, frame, this.lookup.subcommand(session, found, frame));
    else this.#routeCommand(session, command, frame);
  }

  /** HOT PATH. */
  #routeCommand(session: Session, command: Command, frame: Frame): void {
    this.stats.calls[command.index] = (this.stats.calls[command.index] as number) + 1;
    session.command = command;
    if (!session.authenticated && !command.flags.includes('no_auth')) {
      this.#fail(session, NOAUTH);
      return;
    }
    if (command.arity > 0 ? frame.argc !== command.arity : frame.argc < -command.arity) {
      this.#fail(session, wrongArity(command));
      return;
    }
    if (session.modes !== 0 && this.#intercept(session, command, frame)) return;
    this.#byClass(session, command, frame);
  }

  /** Routes on with a request that CLIENT PAUSE kept. */
  routePostponed(session: Session, command: Command, frame: Frame): void {
    if (session.modes === 0 || !this.#intercept(session, command, frame)) this.#byClass(session, command, frame);
  }

  /** For sessions in some mode, which are few: true when the request was taken care of. */
  #intercept(session: Session, command: Command, frame: Frame): boolean {
    if ((session.modes & MODES_PUBSUB) !== 0 && this.pubsub.intercept(session, command, frame)) return true;
    const { modes } = session;
    if ((modes & MODE_MONITOR) !== 0 && touchesKeys(command)) {
      this.#fail(session, MONITOR_ONLY);
      return true;
    }
    if ((modes & MODE_PAUSED) !== 0 && this.#options.pauses.postpone(session, command, frame)) return true;
    if ((modes & MODE_MONITORED) !== 0) this.#options.monitors.show(session, command, frame);
    return (modes & MODE_TRANSACTION) !== 0 && this.transactions.queue(session, command, frame);
  }

  /** Routes on with a request that had to wait for what came before it; it was counted and checked when it came. */
  routeDeferred(session: Session, command: Command, frame: Frame): void {
    if ((session.modes & MODES_PUBSUB) !== 0 && this.pubsub.intercept(session, command, frame)) return;
    this.#byClass(session, command, frame);
  }

  /** Routes on with a request that somebody had to be asked about. */
  routeKept(session: Session, command: Command | null, frame: Frame): void {
    if (command === null) {
      // It was counted when it came.
      this.stats.requests--;
      this.route(session, frame);
      return;
    }
    if ((session.modes & MODE_TRANSACTION) !== 0 && this.transactions.queue(session, command, frame)) return;
    this.#byClass(session, command, frame);
  }

  #byClass(session: Session, command: Command, frame: Frame): void {
    const kind = command.class;
    switch (kind.kind) {
      case 'slot':
        this.#oneSlot(session, command, frame);
        return;
      case 'split':
        this.#split(session, command, frame, kind.merge);
        return;
      case 'blocking':
        this.blocking.run(session, command, frame);
        return;
      case 'script':
        this.scripts.run(session, command, frame);
        return;
      case 'any':
        askAnyMaster(this, session, command, frame);
        return;
      case 'masters':
      case 'transaction':
      case 'pubsub':
      case 'local':
        this.#local.run(session, command, frame);
        return;
      case 'later':
        this.#fail(session, errorReply(`ERR '${command.name}' can't go through the proxy: ${kind.why}`));
        return;
      case 'refused':
        this.#fail(session, errorReply(`ERR '${command.name}' is refused by the proxy: ${kind.why}`));
        return;
    }
  }

  /** HOT PATH. */
  #oneSlot(session: Session, command: Command, frame: Frame): void {
    const spec = command.keys;
    const isSimple = spec.kind === 'range' && spec.first === 1 && spec.last === 1;
    const slot = isSimple ? slotOf(frame.buf, frame.args[2] as number, frame.args[3] as number) : this.#slotOfKeys(session, command, frame);
    if (slot < 0) return;
    if (slot === this.#reserved.slot && this.#namesReserved(command, frame)) this.#fail(session, RESERVED_KEY);
    else this.#dispatch(session.enqueue(), slot, command, frame);
  }

  /** The slot of all its keys; -1 when the request was taken care of: it blocks, or they can't be found, or are in several slots. */
  #slotOfKeys(session: Session, command: Command, frame: Frame): number {
    const result = extractKeys(command.keys, frame);
    if (result === KEYS_BLOCKING) {
      this.blocking.run(session, command, frame);
      return -1;
    }
    if (result !== KEYS_OK || keyArgs.count === 0) {
      this.#fail(session, keysError(command, frame, result));
      return -1;
    }
    const slot = slotOfKey(frame, 0);
    for (let key = 1; key < keyArgs.count; key++) {
      if (slotOfKey(frame, key) === slot) continue;
      this.#fail(session, CROSSSLOT);
      return -1;
    }
    return slot;
  }

  /** The marker of a fence is not a key of the clients' (DESIGN §3): written by one of them it would shut proxies out. Nor is the copy of a big key. */
  #namesReserved(command: Command, frame: Frame): boolean {
    extractKeys(command.keys, frame);
    for (let key = 0; key < keyArgs.count; key++) {
      const arg = (keyArgs.list[key] as number) * 2;
      if (this.#reserved.has(frame.buf, frame.args[arg], frame.args[arg + 1])) return true;
    }
    return false;
  }

  /** HOT PATH. Sends `request`, which concerns `slot` alone, where the table says. */
  #dispatch(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    const session = request.session as Session;
    const home = table.home[slot] as Server | null;
    if (table.kind[slot] !== ONLINE || home === null || session.waiting !== null) {
      this.#dispatchElsewhere(request, slot, command, frame);
      return;
    }
    request.slot = slot;
    this.#options.inFlight.enter(slot);
    const server = session.modes === 0 ? home : answeredBy(home, session, command, table);
    this.#send(request, server, frame.buf, frame.start, frame.end, frame.isLarge);
  }

  /** The slot is in a move, or nowhere, or something before this request waits for a slot in a move. */
  #dispatchElsewhere(request: Request, slot: number, command: Command, frame: Frame): void {
    const table = this.#table;
    if (table.kind[slot] === LOCKED) {
      if (needsWholeSlot(command, frame)) request.session?.afterAll();
      this.lockedSlots.hold(request, slot, command, frame);
    } else if (table.home[slot] === null || (table.kind[slot] === MIGRATING && table.from[slot] === null)) {
      this.#answer(request, errorReply(`ERR ${whyNoHome(table, slot)}`));
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

  /** Sends a request for a script or function, all keys of which are in `slot`. */
  dispatchScript(session: Session, slot: number, command: Command, frame: Frame): void {
    const request = session.enqueue();
    const home = this.#table.home[slot] as Server | null;
    if (this.#table.kind[slot] === ONLINE && home !== null && session.waiting === null) {
      request.slot = slot;
      this.#options.inFlight.enter(slot);
      this.sendScript(request, home, command, frame);
      return;
    }
    const bytes = copyFrame(frame);
    request.sender = (server) => {
      request.sender = null;
      this.sendScript(request, server, command, reframe(bytes));
    };
    this.#dispatch(request, slot, command, frame);
  }

  /** As `#send`, after what the script needs at this server. */
  sendScript(request: Request, server: Server, command: Command, frame: Frame): void {
    const backend = this.#backendFor(request, server);
    if (backend !== null) {
      this.scripts.prepare(backend, command, frame);
      this.scripts.screen(request, command, server);
    }
    this.#send(request, server, frame.buf, frame.start, frame.end);
  }

  /** HOT PATH. */
  #backendFor(request: Request, server: Server): Backend | null {
    const session = request.session;
    let backend: Backend | null = null;
    if (session !== null && session.pinned !== null) backend = session.pinnedTo(server, request.db);
    return backend ?? server.backend(request.db, session === null ? 2 : session.protocol);
  }

  /** HOT PATH. `request` is counted in flight by the caller. */
  #send(request: Request, server: Server, buf: Buffer, start: number, end: number, isLarge = false): void {
    const backend = this.#backendFor(request, server);
    if (backend !== null) {
      backend.send(request, buf, start, end, isLarge);
      return;
    }
    this.#options.inFlight.leave(request);
    request.slot = -1;
    request.slots = null;
    this.#answer(request, errorReply(`ERR server ${server.addr} can't be reached (${server.lastError}), so the command was not sent`));
  }

  #sendArrived(request: Request, frame: Buffer, to: Server, epoch: number): void {
    // What is counted on a lane is for the source, which is in `to`: no lane has a home. Nor has a slot that is locked.
    const home = this.#table.home[request.slot] ?? to;
    if (!this.#table.home[request.slot] && (this.#backendFor(request, to)?.epoch ?? epoch) > epoch) {
      // It was let in by a newer table than says that the request goes there, and a fence may be against that.
      this.#options.inFlight.leave(request);
      request.slot = -1;
      this.#answer(request, MOVED_ON);
      return;
    }
    if (request.sender !== null) request.sender(home);
    else this.#send(request, home, frame, 0, frame.length);
  }

  #routeHeld(request: Request, held: Held): void {
    const frame = reframe(held.frame);
    if (request.sender !== null) this.claim(request, held.slot, held.command, frame);
    else this.#dispatch(request, held.slot, held.command, frame);
  }

  #split(session: Session, command: Command, frame: Frame, merge: 'sum' | 'array' | 'ok'): void {
    if (command.keys.kind === 'range' && command.keys.step === 2 && frame.argc % 2 === 0) {
      this.#fail(session, wrongArity(command));
      return;
    }
    extractKeys(command.keys, frame);
    if (keyArgs.count > SPLIT_KEYS_MAX) {
      this.#fail(session, TOO_MANY_KEYS);
      return;
    }
    const parts = partition(frame, session.waiting === null ? this.#table.places : APART);
    if (wasIn(this.#reserved.slot) && this.#namesReserved(command, frame)) {
      this.#fail(session, RESERVED_KEY);
      return;
    }
    const request = session.enqueue();
    const { slots } = parts;
    if (slots.length === 1) {
      const only = slots[0] as readonly number[];
      const server = this.#serverOf(only, session, command);
      if (server === null) this.#dispatch(request, only[0] as number, command, frame);
      else this.#sendPart(request, server, only, frame.buf, frame.start, frame.end);
      return;
    }
    const encoded = encodeParts(frame, command, parts);
    this.#sendParts(new Gather(request, session, slots.length, mergeParts(merge, parts, request, session)), parts, encoded, command);
    release(encoded);
  }

  #sendParts(gather: Gather, { slots }: Parts, { buf, ends, reused }: Encoded, command: Command): void {
    const session = gather.parent.session as Session;
    let start = 0;
    for (let part = 0; part < ends.length; part++) {
      const end = ends[part] as number;
      const its = slots[part] as readonly number[];
      const server = this.#serverOf(its, session, command);
      const request = gather.take(part);
      if (server !== null) this.#sendPart(request, server, its, buf, start, end);
      else {
        const bytes = buf.subarray(start, end);
        this.#dispatch(request, its[0] as number, command, reframe(reused ? Buffer.from(bytes) : bytes));
      }
      start = end;
    }
  }

  /** Who is sent a part at once; null when it goes the way of any request for its one slot. Keys of several slots travel together only when one server has
   *  them all. */
  #serverOf(slots: readonly number[], session: Session, command: Command): Server | null {
    const table = this.#table;
    const first = slots[0] as number;
    const home = table.home[first] as Server | null;
    if (home === null || (slots.length === 1 && (table.kind[first] !== ONLINE || session.waiting !== null))) return null;
    return session.modes === 0 ? home : answeredBy(home, session, command, table);
  }

  #sendPart(request: Request, server: Server, slots: readonly number[], buf: Buffer, start: number, end: number): void {
    request.slots = slots;
    for (let at = 0; at < slots.length; at++) this.#options.inFlight.enter(slots[at] as number);
    this.#send(request, server, buf, start, end);
  }

  /** Answers a request with an error without carrying it out. */
  reject(session: Session, reply: Buffer): void {
    this.#fail(session, reply);
  }

  #fail(session: Session, reply: Buffer): void {
    this.stats.onError(reply, 0);
    this.stats.timings.onRejected(session.command);
    session.reply((session.modes & MODE_TRANSACTION) !== 0 ? this.transactions.onRejected(session, reply) : reply);
  }

  #answer(request: Request, reply: Buffer): void {
    this.stats.onError(reply, 0);
    if (request.taker === null) request.session?.answer(request, reply);
    else {
      request.stored = request.taker.takes(request, reply.length) ? [reply] : null;
      request.taker.onReply(request);
    }
  }

  #server(addr: ServerAddr): Server {
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

/** Taking a command apart costs memory for each key, which may have been 6 bytes of input. */
const SPLIT_KEYS_MAX = 1024 * 1024;
const TOO_MANY_KEYS = errorReply(`ERR more than ${SPLIT_KEYS_MAX} keys of several groups in one command; send them in several`);

function slotOfKey(frame: Frame, key: number): number {
  const arg = (keyArgs.list[key] as number) * 2;
  return slotOf(frame.buf, frame.args[arg] as number, frame.args[arg + 1] as number);
}

/** MOVE, and COPY … DB: keys of the same name in another database would have to be handed over too. SORT … BY: so would keys that can't be known. */
function needsWholeSlot(command: Command, frame: Frame): boolean {
  return command.name === 'move' || (command.name === 'copy' && frame.argc > 4) || readsByPattern(command, frame);
}
