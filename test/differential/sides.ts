// The two sides of the comparison: one plain Redis, and a cluster of three groups behind two proxies; and pairs of connections to both.

import { slotOf } from '@codis/config/model';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { eventually } from '../harness/process.ts';
import { encode, RawClient } from '../harness/raw-client.ts';
import { type RedisServer, startRedis } from '../harness/redis.ts';
import { agree, shown } from './compare.ts';
import type { Match, Words } from './line.ts';

export type Protocol = 2 | 3;
export const PROTOCOLS: readonly Protocol[] = [2, 3];
const GROUPS = 3;
const REPLY_WAIT_MS = 20_000;
const STEP_WAIT_MS = 5000;

export interface Sides {
  readonly plain: RedisServer;
  readonly cluster: Cluster;
  /** Connects to both; the proxies are taken in turn. */
  connect(protocol: Protocol): Promise<Pair>;
  /** A word whose slot is in group number `group`, from 0, while slots are as they were at the start. */
  tagIn(group: number): string;
  /** How often the servers behind the proxies were asked each of these commands. */
  calls(names: readonly string[]): Promise<number[]>;
  /** Empties both sides, at the servers themselves. */
  flush(): Promise<void>;
  /** How many clients are blocked on the plain Redis, and on the servers behind the proxies. */
  blocked(): Promise<number[]>;
  /** Waits until there are as many. */
  untilBlocked(counts: readonly number[]): Promise<void>;
  stop(): Promise<void>;
}

export async function startSides(settings: Readonly<Record<string, string | number>> = {}): Promise<Sides> {
  const [cluster, plain] = await Promise.all([startCluster({ proxies: 2, groups: GROUPS, settings }), startRedis()]);
  const pairs: Pair[] = [];
  const servers = [[plain], cluster.servers.flat()].map((side) => side.map((server) => server.client()));
  const blockedAt = async (side: number) => {
    const texts = await Promise.all(servers[side]!.map((client) => client.info('clients')));
    return texts.reduce((sum, text) => sum + Number(/blocked_clients:(\d+)/.exec(text)?.[1]), 0);
  };
  const blocked = () => Promise.all([blockedAt(0), blockedAt(1)]);
  return {
    plain,
    cluster,
    connect: async (protocol) => {
      const proxy = cluster.proxies[pairs.length % cluster.proxies.length]!;
      const pair = await Pair.open([plain.port, proxy.port], protocol);
      pairs.push(pair);
      return pair;
    },
    tagIn: (group) => {
      const inGroup = (word: string) => Math.floor((slotOf(Buffer.from(word)) * GROUPS) / 1024) === group;
      return Array.from({ length: 1000 }, (_, number) => `tag${number}`).find(inGroup) ?? '';
    },
    calls: async (names) => {
      const texts = await Promise.all(servers[1]!.map((client) => client.info('commandstats')));
      const calls = (text: string, name: string) =>
        Number(new RegExp(`^cmdstat_${name.replace('|', '\\|')}:calls=(\\d+)`, 'm').exec(text)?.[1] ?? 0);
      return names.map((name) => texts.reduce((sum, text) => sum + calls(text, name), 0));
    },
    flush: async () => {
      await Promise.all(servers.flat().map((client) => client.flushall()));
    },
    blocked,
    untilBlocked: async (counts) => {
      const reached = async () => (await blocked()).every((count, side) => count === counts[side]);
      await eventually(reached, { what: `${counts.join(' and ')} clients blocked`, timeoutMs: 5000 });
    },
    stop: async () => {
      for (const pair of pairs) pair.close();
      await cluster.stop();
      await plain.stop();
    },
  };
}

/** One client, twice: connected to the plain Redis and to a proxy. */
export class Pair {
  readonly #plain: RawClient;
  readonly #ours: RawClient;

  private constructor(plain: RawClient, ours: RawClient) {
    this.#plain = plain;
    this.#ours = ours;
  }

  static async open(ports: readonly [plain: number, ours: number], protocol: Protocol): Promise<Pair> {
    const [plain, ours] = await Promise.all([RawClient.open(ports[0]), RawClient.open(ports[1])]);
    const pair = new Pair(plain, ours);
    if (protocol === 3) {
      pair.send(['HELLO', '3']);
      for (const greeting of (await pair.some(1)).flat()) if (greeting[0] === 0x2d) throw new Error(`HELLO 3: ${greeting.toString()}`);
    }
    return pair;
  }

  send(words: Words): void {
    const bytes = encode(words);
    this.#plain.send(bytes);
    this.#ours.send(bytes);
  }

  /** Sends all at once, and gives what differs between the replies. */
  async differences(commands: readonly Words[], match: (at: number) => Match = () => 'same'): Promise<string[]> {
    const [expected, found] = await this.replies(commands);
    return commands.flatMap((words, at) => {
      const [redis, ours] = [expected[at]!, found[at]!];
      return agree(redis, ours, match(at)) ? [] : [difference(words.join(' '), redis, ours)];
    });
  }

  /** As it stands. */
  sendBytes(bytes: string): void {
    this.#plain.send(bytes);
    this.#ours.send(bytes);
  }

  /** Asks the proxy alone. */
  askProxy(words: Words): Promise<Buffer> {
    return this.#ours.ask(...words);
  }

  /** The next `count` replies of both. When one side lacks some, that is an error which says what had come. */
  async some(count: number): Promise<(readonly [redis: Buffer, ours: Buffer])[]> {
    const [redis, ours] = await Promise.all([
      this.#plain.replies(count, STEP_WAIT_MS).catch(because('Redis')),
      this.#ours.replies(count, STEP_WAIT_MS).catch(because('the proxy')),
    ]);
    return redis.map((reply, at) => [reply, ours[at]!] as const);
  }

  async replies(commands: readonly Words[]): Promise<[redis: Buffer[], ours: Buffer[]]> {
    const bytes = Buffer.concat(commands.map(encode));
    this.#plain.send(bytes);
    this.#ours.send(bytes);
    return Promise.all([this.#plain.replies(commands.length, REPLY_WAIT_MS), this.#ours.replies(commands.length, REPLY_WAIT_MS)]);
  }

  /** How both connections end. */
  ends(): Promise<[redis: string, ours: string]> {
    return Promise.all([this.#plain.ended(), this.#ours.ended()]);
  }

  close(): void {
    this.#plain.close();
    this.#ours.close();
  }
}

function because(side: string): (error: Error) => never {
  return (error) => {
    throw new Error(`${side}: ${error.message}`, { cause: error });
  };
}

export function difference(what: string, redis: Buffer, ours: Buffer): string {
  return `${what.length > 200 ? `${what.slice(0, 200)}…` : what}\n  redis ${shown(redis)}\n  proxy ${shown(ours)}`;
}
