// The coordinator over ZooKeeper: one ZookeeperClient at a time, a new one when its session is over, and the same watches over all of them.
//
//   connecting ──greeted──▶ connected ◀──same session──▶ suspended
//        ▲                      ▲                            │ expired, by the server or by the clock
//        └── new client         └──── greeted ──── lost ◀────┘
//
// Invariant: `connected` is entered only after a new session has passed the fence, so nothing is ever read that is older than what an earlier session
// of this connection has read.

import { CodisError } from '../../model/index.ts';
import { checkOps, checkParentPath, checkPath } from '../checks.ts';
import type { CommitResult, Coordinator, Entry, Op, SessionState, Unsubscribe } from '../coordinator.ts';
import { closedError, SessionStates } from '../session-state.ts';
import { connectionString } from './addresses.ts';
import { ZookeeperClient } from './client.ts';
import { Deadline } from './deadline.ts';
import { entryOf, type Node, sameNode } from './node.ts';
import { explain, isLoss } from './replies.ts';
import { checkPacket } from './transaction.ts';
import { Watches } from './watches.ts';

const ROOT = '/codis';
const PRODUCT_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]+$/;
/** How long `close` tries to reach ZooKeeper. */
const CLOSE_MS = 2000;
const GREET_RETRY_MS = 1000;

export interface ZookeeperOptions {
  /** `host:port` of each server of the ensemble. */
  readonly servers: readonly string[];
  readonly product: string;
  /** What is asked for; the servers have bounds of their own. */
  readonly sessionTimeoutMs: number;
  /** Told of what was survived and may interest an operator: why there is no connection (each reason once until there is one), watches that could not be read. */
  readonly onError?: (error: unknown) => void;
}

/** Starts to connect, and returns at once. Throws CODIS_E_BAD_ADDRESS and CODIS_E_BAD_CONFIG. */
export function openZookeeperCoordinator(options: ZookeeperOptions): Coordinator {
  return new ZookeeperCoordinator(options);
}

class ZookeeperCoordinator implements Coordinator {
  readonly #root: string;
  readonly #servers: string;
  readonly #sessionTimeoutMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #states = new SessionStates();
  readonly #nodeWatches: Watches<Node | null>;
  readonly #nameWatches: Watches<readonly string[]>;
  readonly #greetRetry = new Deadline();
  /** Why there is no connection: what has been reported since there was one; the last is the newest. */
  readonly #failures = new Set<string>();
  #client: ZookeeperClient;
  /** This session has passed the fence. */
  #greeted = false;
  #closed: Promise<void> | undefined;

  constructor(options: ZookeeperOptions) {
    this.#servers = connectionString(options.servers);
    this.#root = `${ROOT}/${checkProduct(options.product)}`;
    this.#sessionTimeoutMs = options.sessionTimeoutMs;
    this.#onError = options.onError ?? (() => undefined);
    const failed = (path: string, error: unknown) => this.#watchFailed(path, error);
    this.#nodeWatches = new Watches({ read: (path, onChange) => readNode(this.#client, path, onChange), same: sameNode, failed });
    this.#nameWatches = new Watches({ read: (path, onChange) => readNames(this.#client, path, onChange), same: sameNames, failed });
    this.#client = this.#open();
  }

  get state(): SessionState {
    return this.#states.current;
  }

  onState(listener: (state: SessionState) => void): Unsubscribe {
    return this.#states.onState(listener);
  }

  ready(timeoutMs: number): Promise<void> {
    return this.#states.ready(timeoutMs);
  }

  async read(path: string): Promise<Entry | null> {
    checkPath(path);
    return entryOf(await this.#ask({ what: `read ${path}`, write: false }, (client) => client.getData(this.#full(path))));
  }

  async list(path: string): Promise<string[]> {
    checkParentPath(path);
    const names = await this.#ask({ what: `list ${path}`, write: false }, (client) => client.getChildren(this.#full(path)));
    return [...(names ?? [])].sort();
  }

  async commit(ops: readonly Op[]): Promise<CommitResult> {
    checkOps(ops);
    checkPacket(ops, this.#root);
    return this.#ask({ what: `commit ${describe(ops)}`, write: true }, (client) =>
      ops.length === 0 ? Promise.resolve({ ok: true, versions: [] }) : client.commit(ops, (path) => this.#full(path)),
    );
  }

  watch(path: string, listener: (entry: Entry | null) => void): Unsubscribe {
    checkPath(path);
    return this.#nodeWatches.add(this.#full(path), (node) => listener(entryOf(node)));
  }

  watchChildren(path: string, listener: (names: readonly string[]) => void): Unsubscribe {
    checkParentPath(path);
    return this.#nameWatches.add(this.#full(path), listener);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#greetRetry.stop();
    this.#nodeWatches.close();
    this.#nameWatches.close();
    this.#states.enter({ kind: 'closed' });
    await this.#client.close(CLOSE_MS);
  }

  #open(): ZookeeperClient {
    this.#greeted = false;
    return new ZookeeperClient({
      servers: this.#servers,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      events: {
        connected: () => this.#onConnected(),
        disconnected: () => this.#onDisconnected(),
        ended: () => this.#onEnded(),
        failed: (failure) => this.#onFailed(failure),
      },
    });
  }

  #onConnected(): void {
    if (this.#greeted) this.#enterConnected();
    else void this.#greet(this.#client);
  }

  /** The first thing on a new session: a read fence, which also makes the product's root where there is none. */
  async #greet(client: ZookeeperClient): Promise<void> {
    try {
      while (!(await client.fence(this.#root))) {
        await client.ensure(ROOT);
        await client.ensure(this.#root);
      }
    } catch (error) {
      // A lost connection comes back, and greets again.
      if (isLoss(error) || this.#closed) return;
      this.#report(explain(error, { what: `make ${this.#root}`, write: false }));
      this.#greetRetry.start(GREET_RETRY_MS, () => void this.#greet(client));
      return;
    }
    if (this.#closed || client !== this.#client) return;
    this.#greeted = true;
    this.#enterConnected();
  }

  #enterConnected(): void {
    this.#failures.clear();
    this.#states.enter({ kind: 'connected', session: this.#client.session });
    this.#nodeWatches.resume();
    this.#nameWatches.resume();
  }

  #onDisconnected(): void {
    this.#cutOff();
    const state = this.#states.current;
    if (state.kind === 'connected') this.#states.enter({ kind: 'suspended', session: state.session, since: Date.now() });
  }

  #onEnded(): void {
    this.#cutOff();
    const { kind } = this.#states.current;
    this.#client = this.#open();
    if (kind === 'connected' || kind === 'suspended') this.#states.enter({ kind: 'lost', since: Date.now() });
  }

  #cutOff(): void {
    this.#greetRetry.stop();
    this.#nodeWatches.pause();
    this.#nameWatches.pause();
  }

  #onFailed(failure: CodisError): void {
    if (this.#closed) return;
    this.#states.failed(failure);
    this.#report(failure);
  }

  /** Tells each reason once, until there is a connection again. */
  #report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const isNew = !this.#failures.delete(message);
    this.#failures.add(message);
    if (isNew) this.#onError(error);
  }

  /** Runs a call on the present session; what fails is told in the contract's errors. */
  async #ask<T>(call: { what: string; write: boolean }, send: (client: ZookeeperClient) => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    if (this.#states.current.kind !== 'connected') throw this.#notConnected(call.what);
    try {
      return await send(this.#client);
    } catch (error) {
      throw explain(error, call);
    }
  }

  #notConnected(what: string): CodisError {
    const why = [...this.#failures].at(-1) ?? `no session at ${this.#servers} yet`;
    return new CodisError('CODIS_E_COORDINATOR_LOST', `not connected to ZooKeeper (${what}); nothing was done. ${why}`);
  }

  #watchFailed(path: string, error: unknown): boolean {
    // The next connection reads it again.
    if (isLoss(error)) return false;
    this.#onError(explain(error, { what: `watch ${path}`, write: false }));
    return true;
  }

  #full(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}

function checkProduct(product: string): string {
  if (PRODUCT_NAME.test(product)) return product;
  throw new CodisError(
    'CODIS_E_BAD_CONFIG',
    `${JSON.stringify(product)} is not a product name: use A-Z a-z 0-9 _ . -, and not . or .. alone`,
  );
}

function describe(ops: readonly Op[]): string {
  const [first] = ops;
  if (!first) return 'nothing';
  return ops.length === 1 ? `${first.op} ${first.path}` : `${first.op} ${first.path} and ${ops.length - 1} more`;
}

/** Armed either way: a node that appears between the two looks is looked at again. */
async function readNode(client: ZookeeperClient, path: string, onChange: () => void): Promise<Node | null> {
  for (;;) {
    const node = await client.getData(path, onChange);
    if (node || !(await client.exists(path, onChange))) return node;
  }
}

/** As `readNode`; a node that does not exist has no children. */
async function readNames(client: ZookeeperClient, path: string, onChange: () => void): Promise<readonly string[]> {
  for (;;) {
    const names = await client.getChildren(path, onChange);
    if (names || !(await client.exists(path, onChange))) return [...(names ?? [])].sort();
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}
