// Goal: transactions and clients that block, through two proxies, while real migrations carry the slots to and fro: no transaction is half done, done twice
// or done unseen, and every element is popped by exactly one client, also when clients are killed while they wait.
// Method: transfers between accounts under WATCH, whose sum stays; counters whose acknowledged increments are counted; queues whose tokens are numbered.

import type { MigrationsView } from '@codis/config/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { RawClient } from './harness/raw-client.ts';

const TAGS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const ACCOUNTS = 4;
const BALANCE = 1000;
const ROUNDS = 2;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ proxies: 2, groups: 2 });
}, 60_000);

afterAll(async () => {
  await cluster.stop();
  await stopAll();
});

/** All slots go to one group, and to the other, and back. */
async function moveToAndFro(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const group of ['2', '1']) {
      const [first, last] = round % 2 === 0 ? ['0', '511'] : ['300', '800'];
      await cluster.cliOk('slot', 'migrate', first, last, group);
      await eventually(
        async () => {
          const { migrations } = await cluster.ask<MigrationsView>('GET', '/migrations');
          return migrations.every(({ state }) => state === 'done');
        },
        { what: 'the migration to be done', timeoutMs: 60_000, everyMs: 50 },
      );
    }
  }
}

/** Runs `turn` over and over, one after another, for each of `count` clients spread over the proxies, until `until` is settled. */
async function clientsUntil(
  until: Promise<unknown>,
  count: number,
  turn: (client: RawClient, number: number) => Promise<void>,
): Promise<void> {
  let running = true;
  const stop = () => {
    running = false;
  };
  const all = Array.from({ length: count }, async (_, number) => {
    const client = await RawClient.open(cluster.proxies[number % 2]?.port ?? 0);
    while (running) await turn(client, number);
    client.close();
  });
  await Promise.all([until.finally(stop), ...all]);
}

const text = (reply: Buffer): string => reply.toString();
const numberIn = (reply: Buffer): number => Number(text(reply).split('\r\n')[1]);

describe('while slots move to and fro', () => {
  test('transfers under WATCH keep the sum, and an acknowledged EXEC is done exactly once', async () => {
    const admin = await RawClient.open(cluster.proxies[0]?.port ?? 0);
    for (const tag of TAGS) for (let account = 0; account < ACCOUNTS; account++) await admin.ask('SET', `{${tag}}${account}`, BALANCE);
    const done = new Map<string, number>();
    const odd: string[] = [];
    let broken = 0;
    await clientsUntil(moveToAndFro(), 8, async (client, number) => {
      const tag = TAGS[(number + Math.floor(performance.now())) % TAGS.length] ?? 'a';
      const [from, to] = [`{${tag}}${number % ACCOUNTS}`, `{${tag}}${(number + 1) % ACCOUNTS}`];
      client.command('WATCH', from, to);
      client.command('GET', from);
      client.command('GET', to);
      const [watched, left, right] = (await client.replies(3)) as [Buffer, Buffer, Buffer];
      if (text(watched) !== '+OK\r\n') odd.push(text(watched));
      client.command('MULTI');
      client.command('SET', from, numberIn(left) - 1);
      client.command('SET', to, numberIn(right) + 1);
      client.command('INCR', `{${tag}}transfers`);
      client.command('EXEC');
      const exec = text((await client.replies(5))[4] as Buffer);
      if (exec.startsWith('*3')) done.set(tag, (done.get(tag) ?? 0) + 1);
      else if (exec === '*-1\r\n') broken++;
      else odd.push(exec);
    });
    expect(odd).toEqual([]);
    expect(broken).toBeGreaterThan(0);
    for (const tag of TAGS) {
      expect(numberIn(await admin.ask('GET', `{${tag}}transfers`))).toBe(done.get(tag));
      let sum = 0;
      for (let account = 0; account < ACCOUNTS; account++) sum += numberIn(await admin.ask('GET', `{${tag}}${account}`));
      expect(sum).toBe(ACCOUNTS * BALANCE);
    }
    admin.close();
  }, 180_000);

  test('every token is popped by exactly one of the clients that wait, and no killed one takes any along', async () => {
    const popped: string[] = [];
    const odd: string[] = [];
    let pushed = 0;
    const consume = async (client: RawClient, number: number): Promise<void> => {
      const tag = TAGS[number % TAGS.length];
      client.command(
        ...(number % 3 === 0 ? ['BLMPOP', '1', '1', `{${tag}}queue`, 'LEFT'] : ['BLPOP', `{${tag}}none`, `{${tag}}queue`, '1']),
      );
      const reply = text(await client.reply());
      if (reply.startsWith('-')) odd.push(reply);
      popped.push(...(reply.match(/token-\d+/g) ?? []));
    };
    const produce = async (client: RawClient): Promise<void> => {
      const token = pushed++;
      const reply = text(await client.ask('RPUSH', `{${TAGS[token % TAGS.length]}}queue`, `token-${token}`));
      if (!reply.startsWith(':')) odd.push(reply);
    };
    // A client that is killed in the very moment of its pop has lost it, with a plain Redis too: these wait for what nobody pushes.
    const leave = async (_: RawClient, number: number): Promise<void> => {
      const leaver = await RawClient.open(cluster.proxies[number % 2]?.port ?? 0);
      await leaver.sendAll(`BLPOP {${TAGS[number % TAGS.length]}}nothing 0\r\n`);
      leaver.reset();
    };
    await clientsUntil(moveToAndFro(), 24, (client, number) =>
      number < 16 ? consume(client, number) : number < 20 ? produce(client) : leave(client, number),
    );
    const rest = await RawClient.open(cluster.proxies[1]?.port ?? 0);
    for (const tag of TAGS) popped.push(...(text(await rest.ask('LRANGE', `{${tag}}queue`, '0', '-1')).match(/token-\d+/g) ?? []));
    rest.close();
    expect(odd).toEqual([]);
    expect(popped.length).toBe(pushed);
    expect(new Set(popped).size).toBe(pushed);
  }, 180_000);

  test('nobody is blocked at any server when all clients are gone', async () => {
    for (const server of cluster.servers.flat()) {
      await eventually(async () => /blocked_clients:0/.test(await server.client().info('clients')), {
        what: `nobody to wait at ${server.addr}`,
      });
    }
  });
});
