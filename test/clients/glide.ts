// valkey-glide, whose core is written in Rust, with the settings that somebody gets who sets nothing: RESP3.

import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Batch, GlideClient, Script, TimeUnit } from '@valkey/valkey-glide';
import { eventually } from '../harness/process.ts';
import { type Checks, type Library, numbered, runChecks, same } from './library.ts';

const TIMEOUT_MS = 5000;

const open = (port: number) => GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }], requestTimeout: TIMEOUT_MS });

/** It talks to its core over a socket in the temporary directory, one for each process, and leaves it there. */
export function removeSockets(): void {
  const mine = readdirSync(tmpdir()).filter((name) => name.startsWith(`glide-socket-${process.pid}-`));
  for (const name of mine) rmSync(join(tmpdir(), name));
}

export const glide: Library = {
  name: 'valkey-glide 2.5',
  language: 'Node.js, Rust',
  run: async (port, prefix) => {
    const client = await open(port);
    const other = await open(port);
    try {
      return await runChecks(checks(client, other, port, prefix));
    } finally {
      client.close();
      other.close();
    }
  },
};

function checks(client: GlideClient, other: GlideClient, port: number, prefix: string): Checks {
  const k = (rest: string) => `${prefix}:${rest}`;
  const t = (rest: string) => `{${prefix}}:${rest}`;
  return {
    connect: async () => same(await client.ping(), 'PONG'),
    types: async () => {
      same(await client.set(k('s'), 'v', { expiry: { type: TimeUnit.Seconds, count: 100 } }), 'OK');
      same(await client.get(k('s')), 'v');
      same(await client.mset({ [k('a')]: '1', [k('b')]: '2' }), 'OK');
      same(await client.mget([k('a'), k('b'), k('none')]), ['1', '2', null]);
      same(await client.hset(k('h'), { f: '1', g: '2' }), 2);
      same(await client.hgetall(k('h')), [
        { field: 'f', value: '1' },
        { field: 'g', value: '2' },
      ]);
      same(await client.rpush(k('l'), ['a', 'b', 'c']), 3);
      same(await client.lrange(k('l'), 0, -1), ['a', 'b', 'c']);
      same(await client.sadd(k('set'), ['x']), 1);
      same([...(await client.smembers(k('set')))], ['x']);
      same(await client.zadd(k('z'), { m: 1.5 }), 1);
      same(await client.zscore(k('z'), 'm'), 1.5);
      same(await client.xadd(k('x'), [['f', 'v']], { id: '1-1' }), '1-1');
      same(await client.xlen(k('x')), 1);
      same(await client.pfadd(k('hll'), ['a', 'b']), true);
      same(await client.pfcount([k('hll')]), 2);
      same(await client.geoadd(k('geo'), new Map([['Palermo', { longitude: 13.361389, latitude: 38.115556 }]])), 1);
      same(await client.setbit(k('bits'), 7, 1), 0);
      same(await client.bitcount(k('bits')), 1);
      same(await client.del([k('a'), k('b'), k('s')]), 3);
    },
    pipeline: async () => {
      const batch = new Batch(false);
      const wanted: string[] = [];
      for (let at = 0; at < 100; at++) {
        batch.set(k(`p${at}`), String(at)).get(k(`p${at}`));
        wanted.push('OK', String(at));
      }
      same(await client.exec(batch, true), wanted);
    },
    transaction: async () => {
      same(await client.exec(new Batch(true).set(t('tx'), '1').incr(t('tx')), true), ['OK', 2]);
      await client.watch([t('tx')]);
      await other.set(t('tx'), 'changed');
      same(await client.exec(new Batch(true).set(t('tx'), 'lost'), true), null);
      same(await client.get(t('tx')), 'changed');
    },
    pubsub: async () => {
      const subscriber = await GlideClient.createClient({
        addresses: [{ host: '127.0.0.1', port }],
        requestTimeout: TIMEOUT_MS,
        pubsubSubscriptions: { channelsAndPatterns: { 0: new Set([k('channel')]), 1: new Set([k('pat*')]) } },
      });
      await client.publish('hello', k('channel'));
      await client.publish('there', k('pattern'));
      const messages: string[] = [];
      for (let count = 0; count < 2; count++) messages.push(String((await subscriber.getPubSubMessage()).message));
      subscriber.close();
      same(messages.sort(), ['hello', 'there']);
    },
    blocking: async () => {
      same(await other.blpop([k('queue')], 0.2), null);
      const popped = other.blpop([k('queue')], 4);
      await client.rpush(k('queue'), ['job']);
      same(await popped, [k('queue'), 'job']);
    },
    script: async () => {
      const script = new Script("return redis.call('incrby', KEYS[1], ARGV[1])");
      same(await client.invokeScript(script, { keys: [k('n')], args: ['10'] }), 10);
      same(await client.invokeScript(script, { keys: [k('n')], args: ['1'] }), 11);
      script.release();
    },
    scan: async () => {
      for (let at = 0; at < 50; at++) await client.set(k(`scan:${at}`), String(at));
      const seen = new Set<string>();
      let cursor = '0';
      do {
        const [next, page] = await client.scan(cursor, { match: k('scan:*'), count: 20 });
        cursor = String(next);
        for (const key of page) seen.add(String(key));
      } while (cursor !== '0');
      same(
        [...seen].sort(),
        numbered(50, (at) => k(`scan:${at}`)),
      );
    },
    reconnect: async () => {
      await other.customCommand(['CLIENT', 'KILL', 'ID', String(await client.clientId())]);
      // The call that meets the broken connection may fail: whether it was carried out is for the application to ask.
      await eventually(async () => (await client.set(k('after'), '1').catch(() => null)) === 'OK', { what: 'glide to be connected again' });
      same(await client.get(k('after')), '1');
    },
  };
}
