// One ZooKeeper session, from its first handshake to its end: the calls under way on it, how long it may be cut off, and its close.
// A session that is over is never revived; zookeeper.ts makes another client.
//
// Invariant: every call is settled, at the latest when its connection breaks, and none is made while there is no connection.

import { CreateMode, type Failure, type OpResult, type Transaction } from 'node-zookeeper-client';
import type { CodisError } from '../../model/index.ts';
import type { CommitResult, Op, SessionId } from '../coordinator.ts';
import { Deadline } from './deadline.ts';
import { Link } from './link.ts';
import { asNode, type Node } from './node.ts';
import { CODES, hasCode, ZookeeperFailure } from './replies.ts';
import { addStep, commitResult } from './transaction.ts';

/** Cut off for so many session timeouts, a session can't be alive any more, whatever a server (an empty one, say) can tell of it. */
const EXPIRY_TIMEOUTS = 4 / 3;

export interface ClientEvents {
  /** There is a connection for the session: the first, or another. */
  connected(): void;
  /** Cut off; the session may be alive. */
  disconnected(): void;
  /** The session is over. Nothing follows. */
  ended(): void;
  /** Why a connection, or an attempt to make one, has ended. */
  failed(failure: CodisError): void;
}

type Settle<T> = (error: Failure | null | undefined, value: T) => void;

export class ZookeeperClient {
  readonly #link: Link;
  readonly #events: ClientEvents;
  readonly #expiry = new Deadline();
  readonly #closing = new Deadline();
  /** How to fail each call under way. */
  readonly #calls = new Set<(failure: ZookeeperFailure) => void>();
  #phase: 'new' | 'live' | 'closing' | 'over' = 'new';
  #endAsked = false;
  #onOver: () => void = () => undefined;

  /** Starts to connect; `servers` is a connection string. */
  constructor(options: { servers: string; sessionTimeoutMs: number; events: ClientEvents }) {
    this.#events = options.events;
    this.#link = new Link({
      servers: options.servers,
      sessionTimeoutMs: options.sessionTimeoutMs,
      events: {
        up: () => this.#onUp(),
        down: () => this.#onDown(),
        expired: () => this.#onExpired(),
        failed: (failure) => this.#events.failed(failure),
      },
    });
  }

  /** All zeros before the first handshake. */
  get session(): SessionId {
    return this.#link.session;
  }

  /** Null where there is no node; `onChange` is not armed then, `exists` can do that. */
  getData(path: string, onChange?: () => void): Promise<Node | null> {
    const node = this.#call<Node | null>((settle) => {
      this.#link.library.getData(path, onChange, (error, data, stat) => settle(error, stat ? asNode(data, stat) : null));
    });
    return node.catch(nullWhereMissing);
  }

  /** As `getData`, for the children's names, in no order. */
  getChildren(path: string, onChange?: () => void): Promise<readonly string[] | null> {
    const names = this.#call<readonly string[] | null>((settle) => {
      this.#link.library.getChildren(path, onChange, (error, children) => settle(error, children ?? []));
    });
    return names.catch(nullWhereMissing);
  }

  /** Arms `onChange` whether there is a node or not. */
  exists(path: string, onChange: () => void): Promise<boolean> {
    return this.#call<boolean>((settle) => {
      this.#link.library.exists(path, onChange, (error, stat) => settle(error, Boolean(stat)));
    });
  }

  /** Makes a persistent node without a value, unless there is a node. */
  async ensure(path: string): Promise<void> {
    try {
      await this.#call<void>((settle) => {
        this.#link.library.create(path, Buffer.alloc(0), CreateMode.PERSISTENT, (error) => settle(error));
      });
    } catch (error) {
      if (!hasCode(error, CODES.NODE_EXISTS)) throw error;
    }
  }

  /** Whether there is a node, as the leader knows it: what is read afterwards is not older than this moment, whichever server answers. */
  async fence(path: string): Promise<boolean> {
    const [result] = await this.#transact((transaction) => transaction.check(path));
    return result?.err === undefined || result.err === CODES.OK;
  }

  /** `pathOf` makes ZooKeeper's path of the contract's. */
  async commit(ops: readonly Op[], pathOf: (path: string) => string): Promise<CommitResult> {
    const results = await this.#transact((transaction) => {
      for (const op of ops) addStep(transaction, op, pathOf(op.path));
    });
    return commitResult(ops, results);
  }

  /** Ends the session, once the calls under way are answered. A session that can't be reached within `timeoutMs` is left to the server to expire. */
  close(timeoutMs: number): Promise<void> {
    if (this.#phase === 'over') return Promise.resolve();
    const hasSession = this.#phase === 'live';
    this.#phase = 'closing';
    const over = new Promise<void>((resolve) => {
      this.#onOver = resolve;
    });
    this.#closing.start(timeoutMs, () => this.#finish());
    if (!hasSession) this.#finish();
    else if (this.#link.isUp) this.#askForEnd();
    return over;
  }

  #transact(build: (transaction: Transaction) => void): Promise<readonly OpResult[]> {
    return this.#call<readonly OpResult[]>((settle) => {
      const transaction = this.#link.library.transaction();
      build(transaction);
      // A refused transaction is an error with results: they say which step it was.
      transaction.commit((error, results) => settle(results ? null : error, results ?? []));
    });
  }

  #call<T>(send: (settle: Settle<T>) => void): Promise<T> {
    if (!this.#link.isUp || this.#phase !== 'live') return Promise.reject(new ZookeeperFailure(CODES.NOT_SENT));
    this.#link.numberRequest();
    return new Promise((resolve, reject) => {
      const fail = (failure: Error) => {
        this.#calls.delete(fail);
        reject(failure);
      };
      this.#calls.add(fail);
      try {
        send((error, value) => {
          if (error) return fail(error);
          this.#calls.delete(fail);
          resolve(value);
        });
      } catch (error) {
        this.#calls.delete(fail);
        throw error;
      }
    });
  }

  #onUp(): void {
    this.#expiry.stop();
    if (this.#phase === 'closing') {
      this.#askForEnd();
    } else {
      this.#phase = 'live';
      this.#events.connected();
    }
  }

  #onDown(): void {
    this.#failCalls();
    if (this.#endAsked) {
      this.#finish();
      return;
    }
    this.#expiry.start(this.#link.sessionTimeoutMs * EXPIRY_TIMEOUTS, () => this.#onExpired());
    if (this.#phase !== 'closing') this.#events.disconnected();
  }

  #onExpired(): void {
    const closing = this.#phase === 'closing';
    this.#finish();
    if (!closing) this.#events.ended();
  }

  #askForEnd(): void {
    this.#endAsked = true;
    this.#link.askForEnd();
  }

  #finish(): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#expiry.stop();
    this.#closing.stop();
    this.#link.destroy();
    this.#failCalls();
    this.#onOver();
  }

  /** Those that the library has forgotten; it has told all others before. */
  #failCalls(): void {
    for (const fail of [...this.#calls]) fail(new ZookeeperFailure(CODES.CONNECTION_LOSS));
  }
}

function nullWhereMissing(error: unknown): null {
  if (hasCode(error, CODES.NO_NODE)) return null;
  throw error;
}
