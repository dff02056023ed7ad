// One real ZooKeeper for a test file, and coordinators on it, directly or through a proxy of their own that breaks their connections alone.

import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { startZookeeper, type ZookeeperServer } from '../../../../test/harness/zookeeper.ts';
import type { Coordinator, SessionState } from '../../src/coordinator/coordinator.ts';
import type { Link } from '../../src/coordinator/zookeeper/link.ts';
import { openZookeeperCoordinator } from '../../src/coordinator/zookeeper/zookeeper.ts';

export const LOST = { code: 'CODIS_E_COORDINATOR_LOST' };
export const UNKNOWN = { code: 'CODIS_E_COORDINATOR_UNKNOWN' };

export interface ConnectOptions {
  readonly product?: string;
  readonly sessionTimeoutMs?: number;
  readonly onError?: (error: unknown) => void;
}

let productCount = 0;

/** A product that no other test uses. */
export const newProduct = (): string => `zookeeper-${process.pid}-${++productCount}`;

/** A coordinator that the end of the test closes. */
export function open(servers: readonly string[], options: ConnectOptions = {}): Coordinator {
  const coordinator = openZookeeperCoordinator({ servers, product: newProduct(), sessionTimeoutMs: 2000, ...options });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

export async function reaches(coordinator: Coordinator, kind: SessionState['kind']): Promise<void> {
  await eventually(() => coordinator.state.kind === kind, { what: `the state ${kind}`, timeoutMs: 15_000 });
}

export class ZookeeperBench {
  #server: ZookeeperServer | undefined;

  /** Called at the top of a test file. */
  constructor() {
    beforeAll(async () => {
      this.#server = await startZookeeper();
    });
    afterAll(() => this.#server?.stop());
  }

  get server(): ZookeeperServer {
    if (!this.#server) throw new Error('the server is started in beforeAll; use it inside tests only');
    return this.#server;
  }

  async connect(options: ConnectOptions = {}): Promise<Coordinator> {
    const coordinator = open([this.server.addr], options);
    await coordinator.ready(10_000);
    return coordinator;
  }

  async connectThroughProxy(options: ConnectOptions = {}): Promise<[Coordinator, TcpProxy]> {
    const proxy = await this.proxy();
    const coordinator = open([proxy.addr], options);
    await coordinator.ready(10_000);
    return [coordinator, proxy];
  }

  async proxy(): Promise<TcpProxy> {
    const proxy = await startTcpProxy(this.server.port);
    onTestFinished(() => proxy.close());
    return proxy;
  }

  /** How many watches the server holds, for everybody. */
  async watchesCount(): Promise<number> {
    return Number(/Total watches:(\d+)/.exec(await this.server.ask('wchs'))?.[1]);
  }

  /** Whether the server still knows the session. */
  async knows(session: string): Promise<boolean> {
    return (await this.server.ask('dump')).includes(session);
  }
}

/** What tests look at inside the library; its full types are known where it is used only (src/coordinator/zookeeper). */
export interface LibraryInside {
  readonly connectionManager: {
    readonly packetQueue: { readonly queue: readonly unknown[] };
    readonly pendingQueue: readonly unknown[];
    readonly pendingBuffer: Buffer | null;
    readonly watcherManager: { readonly dataWatchers: object; readonly existenceWatchers: object };
    xid: number;
    listenerCount(name: string): number;
  };
  exists(path: string, watcher: () => void, callback: (error: unknown) => void): void;
  getData(path: string, watcher: undefined, callback: (error: unknown, data?: Buffer) => void): void;
  transaction(): { setData(path: string, data: null): { commit(callback: () => void): void } };
}

export function insideOf(link: Link): LibraryInside {
  return link.library as unknown as LibraryInside;
}
