// A peer that speaks enough of ZooKeeper's protocol to misbehave on purpose, and that remembers what it was sent. Real behaviour is tested
// against real servers; this one says what those say too seldom to wait for.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

export const OP = { exists: 3, getData: 4, getChildren: 12, ping: 11, multi: 14, closeSession: -11, setWatches: 101 } as const;

export interface Request {
  readonly xid: number;
  readonly type: number;
  /** Which connection it came over, from 0. */
  readonly connection: number;
}
export interface Handshake {
  readonly lastZxid: bigint;
  readonly session: bigint;
}
export interface Reply {
  readonly err?: number;
  readonly zxid?: bigint;
  readonly payload?: Buffer;
  /** Sent instead of a reply. */
  readonly raw?: Buffer;
}

export interface ScriptedZookeeper {
  readonly addr: string;
  readonly handshakes: readonly Handshake[];
  readonly requests: readonly Request[];
  /** Requests that came before the handshake was answered. */
  readonly earlyRequestsCount: number;
  cut(): void;
  /** Cuts, and tells whoever comes back that the session is over. */
  expire(): void;
  close(): Promise<void>;
}

/** `answer` returns null for the usual reply: every transaction is done, no node exists. */
export async function startScriptedZookeeper(
  answer: (request: Request) => Reply | null = () => null,
  options: { readonly sessionTimeoutMs?: number; readonly handshakeDelayMs?: number } = {},
): Promise<ScriptedZookeeper> {
  const handshakes: Handshake[] = [];
  const requests: Request[] = [];
  const sockets = new Set<Socket>();
  let earlyRequestsCount = 0;
  const expired = new Set<bigint>();
  let current = 0n;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const connection = handshakes.length;
    let greeted: 'no' | 'soon' | 'yes' = 'no';
    let pending = Buffer.alloc(0);
    const onFrame = (frame: Buffer) => {
      if (greeted === 'no') {
        greeted = 'soon';
        handshakes.push({ lastZxid: frame.readBigInt64BE(4), session: frame.readBigInt64BE(16) });
        const asked = handshakes.at(-1)?.session ?? 0n;
        const session = asked || 0x1234n + BigInt(handshakes.length - 1);
        const timeoutMs = expired.has(session) ? 0 : (options.sessionTimeoutMs ?? 2000);
        current = session;
        setTimeout(() => {
          greeted = 'yes';
          socket.write(framed(int(0), int(timeoutMs), long(session), int(16), Buffer.alloc(16)));
        }, options.handshakeDelayMs ?? 0);
        return;
      }
      if (greeted === 'soon') earlyRequestsCount++;
      const request = { xid: frame.readInt32BE(0), type: frame.readInt32BE(4), connection };
      requests.push(request);
      const reply = answer(request) ?? usual(request);
      socket.write(reply.raw ?? framed(int(request.xid), long(reply.zxid ?? 7n), int(reply.err ?? 0), reply.payload ?? Buffer.alloc(0)));
      if (request.type === OP.closeSession && !reply.raw) socket.end();
    };
    socket.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0);
        const frame = pending.subarray(4, end);
        pending = pending.subarray(end);
        onFrame(frame);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    addr: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    handshakes,
    requests,
    get earlyRequestsCount() {
      return earlyRequestsCount;
    },
    cut,
    expire: () => {
      expired.add(current);
      cut();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

function usual(request: Request): Reply {
  if (request.type === OP.multi) return { payload: CHECK_DONE };
  if (request.type === OP.exists || request.type === OP.getData || request.type === OP.getChildren) return { err: -101 };
  return {};
}

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};
export function framed(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int(body.length), body]);
}

/** The results of a transaction of one check. */
const CHECK_DONE = Buffer.concat([int(13), Buffer.from([0]), int(0), int(-1), Buffer.from([1]), int(-1)]);
