// One client's connection to one proxy: one command at a time, and what came of it, exactly. It is opened when it is needed. A client that has waited
// long enough hangs up: what it asked for may still happen.

import RedisParser from 'redis-parser';
import { encode, RawClient } from '../harness/raw-client.ts';
import { type Command, type Outcome, outcomeOf, type Reply } from './outcome.ts';

export interface ConnectionOptions {
  readonly port: number;
  readonly db: number;
  /** How long a reply may take. */
  readonly patienceMs: number;
  /** Counts as done only what this many replicas of each group have. */
  readonly replicas: number;
  /** How long they may take. */
  readonly replicasMs: number;
}

export class Connection {
  readonly #options: ConnectionOptions;
  #client: RawClient | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Sends them in one piece; the outcome is the last one's. */
  async run(commands: readonly Command[]): Promise<Outcome> {
    const client = await this.#open();
    if (client === null) return { kind: 'refused', why: 'the proxy takes no connection' };
    client.send(Buffer.concat(commands.map((command) => encode(command))));
    const outcome = await this.#replies(client, commands.length);
    if (outcome.kind !== 'done' || this.#options.replicas === 0) return outcome;
    return (await this.#isReplicated(client)) ? outcome : { kind: 'unknown', why: 'too few replicas have it' };
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }

  async #open(): Promise<RawClient | null> {
    if (this.#client !== null && this.#client.ending === null) return this.#client;
    this.close();
    const client = await RawClient.open(this.#options.port).catch(() => null);
    this.#client = client;
    if (client === null) return null;
    client.command('SELECT', this.#options.db);
    if ((await this.#replies(client, 1)).kind === 'done') return client;
    this.close();
    return null;
  }

  async #replies(client: RawClient, count: number): Promise<Outcome> {
    try {
      const replies = await client.replies(count, this.#options.patienceMs);
      return outcomeOf(decode(replies.at(-1) as Buffer));
    } catch (error) {
      this.close();
      return { kind: 'unknown', why: (error as Error).message };
    }
  }

  async #isReplicated(client: RawClient): Promise<boolean> {
    client.command('WAIT', this.#options.replicas, this.#options.replicasMs);
    const outcome = await this.#replies(client, 1);
    return outcome.kind === 'done' && Number(outcome.reply) >= this.#options.replicas;
  }
}

function decode(bytes: Buffer): Reply {
  let decoded: Reply = null;
  const take = (reply: unknown) => {
    decoded = reply as Reply;
  };
  new RedisParser({ returnReply: take, returnError: take, returnFatalError: take }).execute(bytes);
  return decoded;
}
