// Decides what happens to a request: answer it here, bring it to the server of its slot (dispatch.ts), take it apart (many-slots.ts), or refuse it with an error
// that says why.

import { type ServerAddr, slotOf, type VersionedTopology } from '@codis/config/model';
import type { CommandClass } from '../commands/classes.ts';
import { type Command, findCommand } from '../commands/command.ts';
import { keysError } from '../commands/key-errors.ts';
import { extractKeys, KEYS_BLOCKING, KEYS_OK, keyArgs } from '../commands/key-specs.ts';
import { unknownCommand, unknownSubcommand } from '../commands/unknown.ts';
import { CROSSSLOT, errorReply, NOAUTH, RESERVED_KEY } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { askAnyMaster } from './any-master.ts';
import { Blocking } from './blocking.ts';
import { Dispatcher, type DispatchOptions } from './dispatch.ts';
import { copyFrame, ownFrame, reframe } from './held.ts';
import { HotKeys } from './hot-keys.ts';
import type { LocalCommands } from './local/local-commands.ts';
import { type Finding, Lookup } from './lookup.ts';
import { ManySlots } from './many-slots.ts';
import { MODE_MONITOR, MODE_MONITORED, MODE_PAUSED, MODE_TRANSACTION, MODES_PUBSUB } from './modes.ts';
import { MONITOR_ONLY, type Monitors, touchesKeys } from './monitors.ts';
import type { Pauses } from './pauses.ts';
import type { Peers } from './peers.ts';
import { PubSub } from './pubsub/pubsub.ts';
import type { Request } from './request.ts';
import { ReservedKeys } from './reserved-keys.ts';
import { ONLINE, type RouteTable } from './route-table.ts';
import { Registry } from './scripts/registry.ts';
import { Scripts } from './scripts/scripts.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import type { Stats } from './stats.ts';
import { Transactions } from './transaction.ts';
import { isHttp, subcommand, wrongArity } from './words.ts';

/** What is not sent on at once, or copied. */
type OtherClass = Exclude<CommandClass, { kind: 'slot' | 'split' }>;

export interface RouterOptions extends DispatchOptions {
  readonly pauses: Pauses;
  readonly monitors: Monitors;
  readonly peers: Peers;
}

export class Router {
  readonly stats: Stats;
  readonly dispatcher: Dispatcher;
  readonly pubsub: PubSub;
  readonly transactions: Transactions;
  readonly blocking: Blocking;
  readonly scripts: Scripts;
  readonly lookup: Lookup;
  readonly hotKeys: HotKeys;
  readonly #options: RouterOptions;
  readonly #local: LocalCommands;
  readonly #reserved: ReservedKeys;
  readonly #manySlots: ManySlots;

  /** `local` makes the commands that are answered here, some of which need this router. */
  constructor(options: RouterOptions, local: (router: Router) => LocalCommands) {
    this.#options = options;
    this.stats = options.stats;
    this.dispatcher = new Dispatcher({ ...options, onServerUp: () => this.lookup.forget() });
    this.#reserved = new ReservedKeys(options.product);
    this.#manySlots = new ManySlots(this.dispatcher, this.#reserved);
    const { clock, inFlight } = options;
    const { loans } = this.dispatcher;
    this.hotKeys = new HotKeys(clock.now);
    this.lookup = new Lookup({ clock, masters: () => this.masters() });
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
    return this.dispatcher.table;
  }

  get servers(): ReadonlyMap<ServerAddr, Server> {
    return this.dispatcher.servers;
  }

  /** The masters of all groups that have one, in the order of the groups. */
  masters(): readonly Server[] {
    return this.table.masters;
  }

  /** Takes a newer table; an older one, or the one held, changes nothing. */
  apply(next: VersionedTopology): void {
    if (!this.dispatcher.apply(next)) return;
    this.pubsub.onTable(this.table);
    this.transactions.onTable(this.table);
    this.blocking.onTable(this.table);
  }

  /** As of the dispatcher. */
  ask(...asked: Parameters<Dispatcher['ask']>): void {
    this.dispatcher.ask(...asked);
  }

  /** Sends `frame` for `request`, which is about no key, to a server of the table, over the connection that this session's requests share. */
  forward(request: Request, addr: ServerAddr, frame: Frame): void {
    this.dispatcher.send(request, this.dispatcher.server(addr), frame.buf, frame.start, frame.end);
  }

  tick(): void {
    this.dispatcher.tick();
    this.pubsub.tick();
    this.blocking.tick();
    this.scripts.registry.tick();
    this.lookup.tick();
  }

  /** A session is gone. */
  forget(session: Session): void {
    this.dispatcher.handOvers.forget(session);
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
    return slot === this.#reserved.slot && this.#reserved.areNamed(command, frame) ? RESERVED_KEY : slot;
  }

  /** HOT PATH: runs once per request. `frame` is valid during the call only, and so are its bytes. Who but sends or copies them at once is given their own. */
  route(session: Session, frame: Frame): void {
    this.stats.requests++;
    session.requests++;
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
    if (--this.hotKeys.left === 0) this.hotKeys.sample(command, frame, session.db);
    if (session.modes !== 0 && this.#intercept(session, command, frame)) return;
    this.#byClass(session, command, frame);
  }

  /** Routes on with a request that CLIENT PAUSE kept. */
  routePostponed(session: Session, command: Command, frame: Frame): void {
    if (session.modes === 0 || !this.#intercept(session, command, frame)) this.#byClass(session, command, frame);
  }

  /** For sessions in some mode, which are few: true when the request was taken care of. */
  #intercept(session: Session, command: Command, frame: Frame): boolean {
    if ((session.modes & MODES_PUBSUB) !== 0 && this.pubsub.intercept(session, command, ownFrame(frame))) return true;
    const { modes } = session;
    if ((modes & MODE_MONITOR) !== 0 && touchesKeys(command)) {
      this.#fail(session, MONITOR_ONLY);
      return true;
    }
    if ((modes & MODE_PAUSED) !== 0 && this.#options.pauses.postpone(session, command, frame)) return true;
    if ((modes & MODE_MONITORED) !== 0) this.#options.monitors.show(session, command, frame);
    return (modes & MODE_TRANSACTION) !== 0 && this.transactions.queue(session, command, ownFrame(frame));
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
      session.requests--;
      this.route(session, frame);
      return;
    }
    if ((session.modes & MODE_TRANSACTION) !== 0 && this.transactions.queue(session, command, frame)) return;
    this.#byClass(session, command, frame);
  }

  /** HOT PATH. */
  #byClass(session: Session, command: Command, frame: Frame): void {
    const kind = command.class;
    if (kind.kind === 'slot') this.#oneSlot(session, command, frame);
    else if (kind.kind === 'split') this.#takeApart(session, command, frame, kind.merge);
    else this.#byKind(session, command, kind, ownFrame(frame));
  }

  #byKind(session: Session, command: Command, kind: OtherClass, frame: Frame): void {
    switch (kind.kind) {
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
    if (slot === this.#reserved.slot && this.#reserved.areNamed(command, frame)) this.#fail(session, RESERVED_KEY);
    else this.dispatcher.dispatch(session.enqueue(), slot, command, frame);
  }

  /** The slot of all its keys; -1 when the request was taken care of: it blocks, or they can't be found, or are in several slots. */
  #slotOfKeys(session: Session, command: Command, frame: Frame): number {
    const result = extractKeys(command.keys, frame);
    if (result === KEYS_BLOCKING) {
      this.blocking.run(session, command, ownFrame(frame));
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

  /** Sends a request for a script or function, all keys of which are in `slot`. */
  dispatchScript(session: Session, slot: number, command: Command, frame: Frame): void {
    const request = session.enqueue();
    const home = this.dispatcher.table.home[slot] as Server | null;
    if (this.dispatcher.table.kind[slot] === ONLINE && home !== null && session.waiting === null) {
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
    this.dispatcher.dispatch(request, slot, command, frame);
  }

  /** As `#send`, after what the script needs at this server. */
  sendScript(request: Request, server: Server, command: Command, frame: Frame): void {
    const backend = this.dispatcher.backendFor(request, server);
    if (backend !== null) {
      this.scripts.prepare(backend, command, frame);
      this.scripts.screen(request, command, server);
    }
    this.dispatcher.send(request, server, frame.buf, frame.start, frame.end);
  }

  #takeApart(session: Session, command: Command, frame: Frame, merge: 'sum' | 'array' | 'ok'): void {
    const why = this.#manySlots.run(session, command, frame, merge);
    if (why !== null) this.#fail(session, why);
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
}

function slotOfKey(frame: Frame, key: number): number {
  const arg = (keyArgs.list[key] as number) * 2;
  return slotOf(frame.buf, frame.args[arg] as number, frame.args[arg + 1] as number);
}
