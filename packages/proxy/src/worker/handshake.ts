// What is said on a new backend connection before any request: password, name, fence, database, version. Pure: bytes in, verdict out.

import { fenceKey } from '@codis/config/model';
import { encodeRequest, type Protocol } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';

export type HandshakeResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'ok'; readonly version: string; readonly runId: string; readonly clientId: number }
  /** `behind`: the fence is newer than our table. */
  | { readonly kind: 'failed'; readonly reason: string; readonly behind: boolean };

/** All answers together are a few KB; whoever sends this much is no Redis. */
const ANSWER_BYTES_MAX = 1024 * 1024;
const EPOCH = /^\d{1,15}$/;

type Step = 'auth' | 'hello' | 'name' | 'fence' | 'select' | 'id' | 'info';

interface HandshakeOptions {
  readonly product: string;
  /** proxyClientName of this process. */
  readonly clientName: string;
  readonly password: string;
  readonly db: number;
  readonly protocol: Protocol;
  /** Asked when the fence's answer is there, for the table may have changed meanwhile. */
  readonly epoch: () => number;
}

export class Handshake {
  /** What to send. */
  readonly request: Buffer;
  readonly #options: HandshakeOptions;
  readonly #steps: readonly Step[];
  readonly #scanner = new ReplyScanner();
  #received: Buffer = Buffer.alloc(0);
  #scanned = 0;
  #replyStart = 0;
  #step = 0;
  #version = '';
  #runId = '';
  #clientId = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    const steps: [Step, string[]][] = [];
    if (options.password !== '') steps.push(['auth', ['AUTH', options.password]]);
    if (options.protocol === 3) steps.push(['hello', ['HELLO', '3']]);
    steps.push(
      ['name', ['CLIENT', 'SETNAME', options.clientName]],
      ['fence', ['GET', fenceKey(options.product)]],
      ['select', ['SELECT', String(options.db)]],
      ['id', ['CLIENT', 'ID']],
      ['info', ['INFO', 'server']],
    );
    this.request = Buffer.concat(steps.map(([, request]) => encodeRequest(request)));
    this.#steps = steps.map(([step]) => step);
  }

  /** Takes what the server sent; throws CODIS_E_NOT_REDIS when it isn't RESP. */
  feed(chunk: Buffer): HandshakeResult {
    this.#received = Buffer.concat([this.#received, chunk]);
    if (this.#received.length > ANSWER_BYTES_MAX) return refused(`its answer to the handshake is larger than ${ANSWER_BYTES_MAX} bytes`);
    while (this.#step < this.#steps.length) {
      const end = this.#scanner.scan(this.#received, this.#scanned, this.#received.length);
      if (end < 0) {
        this.#scanned = this.#received.length;
        return { kind: 'more' };
      }
      const failed = this.#check(this.#received.toString('utf8', this.#replyStart, end));
      if (failed) return failed;
      this.#scanned = end;
      this.#replyStart = end;
      this.#step++;
    }
    return { kind: 'ok', version: this.#version, runId: this.#runId, clientId: this.#clientId };
  }

  #check(reply: string): HandshakeResult | null {
    const step = this.#steps[this.#step];
    // CLIENT ID came with Redis 5; only blocking commands need it.
    if (step === 'id') this.#clientId = reply.startsWith(':') ? Number(reply.slice(1)) : 0;
    else if (reply.startsWith('-') && step === 'hello')
      return refused(`it does not speak RESP3, which Redis 6 and newer do: ${reply.slice(1).trim()}`);
    else if (reply.startsWith('-')) return refused(`it answered the handshake with ${reply.slice(1).trim()}`);
    if (step === 'info') {
      this.#version = /redis_version:(\S+)/.exec(reply)?.[1] ?? '';
      this.#runId = /run_id:(\S+)/.exec(reply)?.[1] ?? '';
    }
    if (step !== 'fence' || reply.startsWith('$-1') || reply.startsWith('_')) return null;
    const marker = reply.split('\r\n')[1] ?? '';
    if (!EPOCH.test(marker))
      return refused(`${fenceKey(this.#options.product)} in its database 0 is no epoch but ${JSON.stringify(marker)}`);
    const fence = Number(marker);
    const epoch = this.#options.epoch();
    if (epoch >= fence) return null;
    return {
      kind: 'failed',
      reason: `this proxy's slot table is behind: it holds epoch ${epoch}, the server is fenced below ${fence}`,
      behind: true,
    };
  }
}

function refused(reason: string): HandshakeResult {
  return { kind: 'failed', reason, behind: false };
}
