// A TCP proxy on 127.0.0.1 that does to connections what networks do: cuts them, also in the middle of something, stalls them, takes no new ones.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

type Direction = 'toServer' | 'toClient';

export interface TcpProxy {
  readonly port: number;
  readonly addr: string;
  /** Connections that are open now. */
  readonly connectionsCount: number;
  /** Connections that were ever made. */
  readonly acceptedCount: number;
  /** Breaks all connections. New ones are taken. */
  cut(): void;
  /** Breaks all connections, and new ones as soon as they are made, until `restore`. */
  refuse(): void;
  /** Keeps connections open and holds all bytes, both ways, until `restore`. */
  stall(): void;
  /** Lets `bytes` more through in one direction, then breaks all connections; once. */
  cutAfter(direction: Direction, bytes: number): void;
  /** Everything passes again; what was held is sent. */
  restore(): void;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  /** Asked once per connection: how long what it sends to the server takes. */
  readonly delayMs?: () => number;
  /** Asked for everything that the server sends: how long that takes. May grow, and must not shrink. */
  readonly lagMs?: () => number;
}

/** Starts one that passes everything to `127.0.0.1:targetPort`. */
export async function startTcpProxy(targetPort: number, options: TcpProxyOptions = {}): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: 'pass' | 'refuse' | 'stall' = 'pass';
  let budget: { readonly direction: Direction; bytes: number } | null = null;
  let acceptedCount = 0;

  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const pipe = (from: Socket, to: Socket, direction: Direction) => {
    const delayMs = direction === 'toServer' ? (options.delayMs?.() ?? 0) : 0;
    // What is delayed is not overtaken by what comes later, and nothing follows the last bytes before a cut.
    const send = (bytes: Buffer, sent: () => void) => {
      const takesMs = direction === 'toServer' ? delayMs : (options.lagMs?.() ?? 0);
      if (takesMs > 0) setTimeout(() => to.write(bytes, sent), takesMs);
      else to.write(bytes, sent);
    };
    from.on('data', (bytes: Buffer) => {
      if (budget?.direction !== direction) return send(bytes, () => undefined);
      const part = bytes.subarray(0, budget.bytes);
      budget.bytes -= part.length;
      if (budget.bytes > 0) return send(part, () => undefined);
      budget = null;
      from.pause();
      send(part, cut);
    });
  };
  const server = createServer((client) => {
    acceptedCount++;
    client.on('error', () => undefined);
    if (mode === 'refuse') {
      client.destroy();
      return;
    }
    const upstream = connect({ host: '127.0.0.1', port: targetPort });
    upstream.on('error', () => undefined);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    pipe(client, upstream, 'toServer');
    pipe(upstream, client, 'toClient');
    if (mode === 'stall') for (const socket of pair) socket.pause();
    for (const socket of pair) {
      socket.on('close', () => {
        pairs.delete(pair);
        for (const other of pair) other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    addr: `127.0.0.1:${port}`,
    get connectionsCount() {
      return pairs.size;
    },
    get acceptedCount() {
      return acceptedCount;
    },
    cut,
    refuse: () => {
      mode = 'refuse';
      cut();
    },
    stall: () => {
      mode = 'stall';
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    cutAfter: (direction, bytes) => {
      budget = { direction, bytes };
    },
    restore: () => {
      mode = 'pass';
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
