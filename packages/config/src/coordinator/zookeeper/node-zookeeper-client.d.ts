// What this driver uses of node-zookeeper-client 1.1.3, private parts included: the package has no types, and those on the registry are wrong in
// places (DEPENDENCIES). The private parts are why the version is pinned; each is used in client.ts, with its reason beside it.

declare module 'node-zookeeper-client' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  /** Longs are 8 bytes, big-endian. */
  export interface Stat {
    readonly czxid: Buffer;
    readonly version: number;
    readonly ephemeralOwner: Buffer;
  }
  /** What callbacks get; `Exception.create` makes them. */
  export interface Failure extends Error {
    readonly code: number;
    getCode(): number;
  }
  export type Watcher = () => void;
  export interface OpResult {
    readonly type: number;
    /** Of set. */
    readonly stat?: Stat;
    /** Of a refused step; 0 for one that was not at fault. */
    readonly err?: number;
  }
  export interface Transaction {
    readonly ops: { version?: number }[];
    create(path: string, data: Buffer, mode: number): this;
    check(path: string): this;
    setData(path: string, data: Buffer): this;
    remove(path: string): this;
    commit(callback: (error: Failure | null | undefined, results?: readonly OpResult[]) => void): void;
  }
  interface Packet {
    readonly callback?: (error: Failure) => void;
  }
  export interface HostPort {
    readonly host: string;
    readonly port: string | number;
  }
  export interface ConnectionManager extends EventEmitter {
    readonly state: number;
    xid: number;
    readonly pendingBuffer: Buffer | null;
    /** The newest transaction that a reply has told of. */
    zxid: Buffer;
    socket?: Socket;
    readonly connectTimeout: number;
    readonly connectTimeoutHandler: NodeJS.Timeout | null;
    readonly packetQueue: { queue: Packet[] };
    readonly pendingQueue: Packet[];
    readonly watcherManager: { dataWatchers: object; childWatchers: object; existenceWatchers: object };
    connect(): void;
    close(): void;
    findNextServer(callback: (server: HostPort) => void): void;
    onSocketConnected(): void;
    onSocketData(bytes: Buffer): void;
    onSocketError(error: Error): void;
  }
  export interface Client {
    readonly connectionManager: ConnectionManager;
    connect(): void;
    getSessionId(): Buffer;
    getSessionTimeout(): number;
    create(path: string, data: Buffer, mode: number, callback: (error?: Failure | null) => void): void;
    exists(path: string, watcher: Watcher | undefined, callback: (error: Failure | null | undefined, stat?: Stat | null) => void): void;
    getData(
      path: string,
      watcher: Watcher | undefined,
      callback: (error: Failure | null | undefined, data?: Buffer, stat?: Stat) => void,
    ): void;
    getChildren(
      path: string,
      watcher: Watcher | undefined,
      callback: (error: Failure | null | undefined, children?: readonly string[]) => void,
    ): void;
    transaction(): Transaction;
  }
  export function createClient(servers: string, options: { sessionTimeout: number; spinDelay: number; retries: number }): Client;
  export const CreateMode: { readonly PERSISTENT: number; readonly EPHEMERAL: number };
  export const Exception: { create(code: number, path?: string): Failure };
}
