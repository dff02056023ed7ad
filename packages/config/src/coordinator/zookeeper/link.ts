// The connections of one session, one after the other: node-zookeeper-client's connection manager, taken over wherever it waits for ever, queues
// without limit, or throws where nobody catches. What is replaced is replaced on this one instance; the package is not touched.
//
//   connect ──TCP──▶ handshake ──▶ up ──silence, error, close──▶ down ──▶ connect (next server)
//                        └── no answer ──▶ down                  `expired` and `destroy` end it
//
// Invariant: while there is no connection nothing is queued and no watch is armed; what was is settled or forgotten when it breaks.

import { type Client, type ConnectionManager, createClient } from 'node-zookeeper-client';
import { CodisError } from '../../model/index.ts';
import type { SessionId } from '../coordinator.ts';
import { Deadline } from './deadline.ts';
import { FrameReader } from './frames.ts';
import { asSessionId } from './node.ts';
import { CODES, ZookeeperFailure } from './replies.ts';

/** The connection manager's states that matter here; `Client.getState()` can't tell connecting, closed and expired apart. */
const DISCONNECTED = 0;
const CONNECTED = 2;
const SESSION_EXPIRED = -3;

/** A request numbered 0 stays in the server's count of outstanding ones for ever. */
const XID_FIRST = 1;
/** Numbers have 32 bits and are compared with the oldest request under way only, so they may begin again. */
const XID_LAST = 2_000_000_000;
const RECONNECT_DELAY_MS_MAX = 1000;

export interface LinkEvents {
  /** The handshake is done: for a new session the first time, for the same one later. */
  up(): void;
  /** A connection that was up is gone; another is being made. */
  down(): void;
  /** The server says that the session is over. Nothing follows. */
  expired(): void;
  /** Why a connection, or an attempt to make one, has ended. */
  failed(failure: CodisError): void;
}

export class Link {
  readonly library: Client;
  readonly #manager: ConnectionManager;
  readonly #events: LinkEvents;
  readonly #handshake = new Deadline();
  readonly #silence = new Deadline();
  #frames = new FrameReader();
  #server = '';
  #reached = false;
  #trouble: string | null = null;
  #bytesSeenAt = 0;
  #isUp = false;
  #destroyed = false;

  /** Starts to connect; `servers` is a connection string. */
  constructor(options: { servers: string; sessionTimeoutMs: number; events: LinkEvents }) {
    this.#events = options.events;
    this.library = createClient(options.servers, {
      sessionTimeout: options.sessionTimeoutMs,
      spinDelay: Math.min(RECONNECT_DELAY_MS_MAX, options.sessionTimeoutMs / 10),
      // A request that is sent again blindly fails on its own first try: the create finds its own node, the set its own version.
      retries: 0,
    });
    this.#manager = this.library.connectionManager;
    this.#manager.xid = XID_FIRST;
    this.#takeOver();
    this.#manager.on('state', (state: number) => this.#onState(state));
    this.library.connect();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get session(): SessionId {
    return asSessionId(this.library.getSessionId());
  }

  /** As agreed with the server, once there was a handshake. */
  get sessionTimeoutMs(): number {
    return this.library.getSessionTimeout();
  }

  /** Before each request. */
  numberRequest(): void {
    if (this.#manager.xid > XID_LAST) this.#manager.xid = XID_FIRST;
  }

  /** Asks the server to end the session; it answers and closes the connection, which shows as `down`. */
  askForEnd(): void {
    this.#manager.close();
  }

  /** Ends everything at once; no event follows. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#isUp = false;
    this.#handshake.stop();
    this.#silence.stop();
    clearTimeout(this.#manager.connectTimeoutHandler ?? undefined);
    this.#manager.connect = () => undefined;
    this.#forgetQueue();
    this.#manager.socket?.destroy();
  }

  #takeOver(): void {
    const manager = this.#manager;
    const { findNextServer, onSocketConnected, onSocketData, onSocketError } = manager;
    manager.findNextServer = (use) =>
      findNextServer.call(manager, (server) => {
        if (this.#destroyed) return;
        this.#server = `${server.host}:${server.port}`;
        this.#reached = false;
        this.#trouble = null;
        use(server);
      });
    manager.onSocketConnected = () => {
      this.#reached = true;
      this.#frames = new FrameReader();
      this.#handshake.start(manager.connectTimeout, () => this.#cut(`no answer to the handshake within ${manager.connectTimeout} ms`));
      onSocketConnected.call(manager);
    };
    manager.onSocketError = (error) => {
      this.#trouble ??= describe(error);
      onSocketError.call(manager, error);
    };
    manager.onSocketData = (bytes) => this.#onBytes(bytes, (frame) => onSocketData.call(manager, frame));
  }

  /** Hands whole frames to the library. A frame it can't take ends the connection, not the process. */
  #onBytes(bytes: Buffer, take: (frame: Buffer) => void): void {
    this.#bytesSeenAt = performance.now();
    try {
      for (const frame of this.#frames.push(bytes)) {
        const seen = this.#manager.zxid;
        take(frame);
        // What this connection has seen only grows: the next server is refused if it is behind that.
        if (this.#manager.zxid.readBigInt64BE(0) < seen.readBigInt64BE(0)) this.#manager.zxid = seen;
        if (this.#destroyed || this.#manager.socket?.destroyed) return;
      }
    } catch (error) {
      this.#cut(`it does not speak ZooKeeper as expected (${error instanceof Error ? error.message : String(error)})`);
    }
  }

  #onState(state: number): void {
    if (this.#destroyed) return;
    if (state === CONNECTED) this.#onUp();
    else if (state === DISCONNECTED) this.#onDown();
    else if (state === SESSION_EXPIRED) {
      this.destroy();
      this.#events.expired();
    }
  }

  #onUp(): void {
    this.#handshake.stop();
    this.#isUp = true;
    this.#listen();
    this.#events.up();
  }

  #onDown(): void {
    this.#handshake.stop();
    this.#silence.stop();
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#manager.xid = XID_FIRST;
    this.#forgetQueue();
    this.#forgetWatches();
    this.#events.failed(this.#failure());
    if (wasUp) this.#events.down();
  }

  /** The library pings after a third of the session without traffic, so two thirds without a byte mean that nobody is there. */
  #listen(): void {
    const quietMs = performance.now() - this.#bytesSeenAt;
    const quietMsMax = (this.sessionTimeoutMs * 2) / 3;
    if (quietMs < quietMsMax) {
      // One turn later: bytes may have come while this process itself was stopped.
      this.#silence.start(quietMsMax - quietMs, () => setImmediate(() => this.#isUp && this.#listen()));
    } else {
      this.#cut(`it sent nothing for ${Math.round(quietMs)} ms`);
    }
  }

  #cut(trouble: string): void {
    this.#trouble ??= trouble;
    this.#manager.socket?.destroy();
  }

  /** What the library queued while there was no connection: it would send it after some later handshake, or never settle it. */
  #forgetQueue(): void {
    for (const { callback } of this.#manager.packetQueue.queue.splice(0)) callback?.(new ZookeeperFailure(CODES.NOT_SENT));
  }

  /** The library would set them all again in one packet, which a server refuses beyond 1 MiB; they are armed again by being read again. */
  #forgetWatches(): void {
    const watches = this.#manager.watcherManager;
    watches.dataWatchers = {};
    watches.childWatchers = {};
    watches.existenceWatchers = {};
  }

  #failure(): CodisError {
    const closed = this.#reached ? 'it closed the connection' : `no connection within ${this.#manager.connectTimeout} ms`;
    return new CodisError('CODIS_E_COORDINATOR_LOST', `ZooKeeper at ${this.#server}: ${this.#trouble ?? closed}`);
  }
}

/** A name with several addresses, all of which refuse, is an AggregateError without a message. */
function describe(error: Error & { code?: string }): string {
  return error.message || error.code || error.name;
}
