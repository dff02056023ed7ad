// Goal: a command over keys of several groups answers what one Redis with all the keys would.
// Method: the parts by themselves, over random keys and owners; then a worker with three real servers, side by side with one real server.

import { asGroupId, SLOT_COUNT, slotOf } from '@codis/config/model';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { type Command, findCommand } from '../../src/commands/command.ts';
import type { Frame } from '../../src/resp/request-scanner.ts';
import { encodeParts, type Parts, partition, release } from '../../src/worker/split.ts';
import { frameOf } from '../commands/frames.ts';
import { scanAll } from '../resp/scan.ts';
import { dealtOut, type OneWorker, startWorker } from './one-worker.ts';

interface Taken {
  readonly frame: Frame;
  readonly command: Command;
}

function take(args: readonly (string | Buffer)[]): Taken {
  const frame = frameOf(args);
  const command = findCommand(frame.buf, frame.args[0]!, frame.args[1]!)!;
  return { frame, command };
}

function partsOf({ frame, command }: Taken, place: (slot: number) => number): Parts {
  return partition(
    frame,
    command.name === 'mset' ? 2 : 1,
    Int16Array.from({ length: SLOT_COUNT }, (_, slot) => place(slot)),
  );
}

function keysOf({ ofKey }: Parts, part: number): number[] {
  return [...ofKey.keys()].filter((key) => ofKey[key] === part);
}

/** What is sent for each part. All are encoded before any is read, for reading one moves what `taken.frame` says. */
function sentFor({ frame, command }: Taken, parts: Parts): string[][] {
  const encoded = encodeParts(frame, command, parts);
  const all = Buffer.from(encoded.buf.subarray(encoded.start, encoded.ends.at(-1)));
  release(encoded);
  return encoded.ends.map((end, part) => {
    const request = all.subarray((encoded.ends[part - 1] ?? encoded.start) - encoded.start, end - encoded.start);
    const { requests } = scanAll([request]);
    expect(requests).toHaveLength(1);
    return requests[0]!.map((arg) => arg.toString('latin1'));
  });
}

const key = fc.string({ unit: fc.constantFrom(...'abcdef{}\r\n\xff'), maxLength: 6 });

describe('the parts', () => {
  test('hold every key once, in order, with the keys of their destination', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 5 }), (keys, groups) => {
        const taken = take(['MGET', ...keys.map((text) => Buffer.from(text, 'latin1'))]);
        const parts = partsOf(taken, (slot) => slot % groups);
        const sent = sentFor(taken, parts);
        const found = keys.map(() => -1);
        for (const [index, its] of parts.slots.entries()) {
          const mine = keysOf(parts, index);
          expect(parts.keyCounts[index]).toBe(mine.length);
          expect(new Set(its).size).toBe(its.length);
          expect(new Set(its.map((slot) => slot % groups)).size).toBe(1);
          const slots = new Set(mine.map((at) => slotOf(Buffer.from(keys[at]!, 'latin1')) as number));
          expect(slots).toEqual(new Set(its));
          for (const at of mine) found[at] = index;
          expect(sent[index]).toEqual(['mget', ...mine.map((at) => keys[at])]);
        }
        expect(found).not.toContain(-1);
        expect(parts.ofKey.length).toBe(keys.length);
      }),
    );
  });

  test('of MSET keep each value with its key', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(key, key), { minLength: 1, maxLength: 20 }), (pairs) => {
        const taken = take(['mSeT', ...pairs.flat().map((text) => Buffer.from(text, 'latin1'))]);
        const parts = partsOf(taken, (slot) => slot % 3);
        expect(sentFor(taken, parts)).toEqual(parts.slots.map((_, part) => ['mset', ...keysOf(parts, part).flatMap((at) => pairs[at]!)]));
      }),
    );
  });

  test('stay as they are while another command is taken apart before they were sent', () => {
    const first = take(['MGET', 'a', 'b']);
    const sent = encodeParts(
      first.frame,
      first.command,
      partsOf(first, (slot) => slot),
    );
    const before = Buffer.from(sent.buf.subarray(sent.start, sent.ends.at(-1)));
    const second = take(['MGET', 'c', 'd']);
    release(
      encodeParts(
        second.frame,
        second.command,
        partsOf(second, (slot) => slot),
      ),
    );
    expect(sent.buf.subarray(sent.start, sent.ends.at(-1)).equals(before)).toBe(true);
    release(sent);
  });

  test('that are too long for the scratch are never written to again', () => {
    const value = 'v'.repeat(64 * 1024);
    const taken = take(['MSET', 'a', value, 'b', 'w']);
    const sent = encodeParts(
      taken.frame,
      taken.command,
      partsOf(taken, (slot) => slot),
    );
    expect(sent.reused).toBe(false);
    release(sent);
    sentFor(
      take(['MGET', 'c', 'd']),
      partsOf(take(['MGET', 'c', 'd']), (slot) => slot),
    );
    expect(sent.buf.includes(value)).toBe(true);
  });

  test('of a hundred thousand keys carry them all', () => {
    const keys = Array.from({ length: 100_000 }, (_, at) => `key:${at}`);
    const taken = take(['EXISTS', ...keys]);
    const sent = sentFor(
      taken,
      partsOf(taken, (slot) => slot % 4),
    ).flatMap(([, ...args]) => args);
    expect(sent.length).toBe(keys.length);
    expect(new Set(sent)).toEqual(new Set(keys));
  });
});

describe('through a worker with three groups', () => {
  let servers: RedisServer[];
  let alone: RedisServer;
  let worker: OneWorker;
  let split: Redis;
  let whole: Redis;

  beforeAll(async () => {
    [alone, ...servers] = (await Promise.all([0, 1, 2, 3].map(() => startRedis()))) as [RedisServer, ...RedisServer[]];
    worker = await startWorker();
    worker.route(servers);
    split = worker.client();
    whole = alone.client();
  });

  afterAll(async () => {
    worker.close();
    await Promise.all([alone, ...servers].map((server) => server.stop()));
  });

  const small = fc.constantFrom(...Array.from({ length: 12 }, (_, at) => `k${at}`));
  const keys = fc.array(small, { minLength: 1, maxLength: 15 });
  const command = fc.oneof(
    fc.tuple(fc.constantFrom('MGET', 'DEL', 'UNLINK', 'EXISTS', 'TOUCH'), keys).map(([name, all]) => [name, ...all]),
    fc.array(fc.tuple(small, fc.string({ maxLength: 20 })), { minLength: 1, maxLength: 10 }).map((pairs) => ['MSET', ...pairs.flat()]),
    fc.tuple(small, small).map(([at, value]) => ['SET', at, value]),
  );

  test('every reply is that of one server alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 20 }), async (commands) => {
        await Promise.all([...servers, alone].map((server) => server.client().flushall()));
        const ask = (client: Redis) => Promise.all(commands.map(([name, ...args]) => client.call(name!, ...args)));
        expect(await ask(split)).toEqual(await ask(whole));
      }),
      { numRuns: 60 },
    );
  });

  test('the keys really are on several servers', async () => {
    await split.mset('k0', 'a', 'k1', 'b', 'k2', 'c', 'k3', 'd', 'k4', 'e', 'k5', 'f', 'k6', 'g');
    const sizes = await Promise.all(servers.map((server) => server.client().dbsize()));
    expect(sizes.filter((size) => size > 0).length).toBeGreaterThan(1);
  });

  test('a value of another type is a nil of MGET, not an error', async () => {
    await split.del('k0', 'k1');
    await split.rpush('k0', 'x');
    await split.set('k1', 'y');
    expect(await split.mget('k0', 'k1')).toEqual([null, 'y']);
  });

  test('MSET with a key too many is refused before anything is written', async () => {
    await split.del('k0', 'k1');
    await expect(split.call('MSET', 'k0', 'a', 'k1')).rejects.toThrow("ERR wrong number of arguments for 'mset' command");
    expect(await split.exists('k0', 'k1')).toBe(0);
  });

  test('the first part that fails is the reply, and the client goes on', async () => {
    worker.route(servers, (slot) => (slot % 3 === 1 ? { kind: 'offline' } : dealtOut(3)(slot)));
    const all = Array.from({ length: 12 }, (_, at) => `k${at}`);
    await expect(split.mget(...all)).rejects.toThrow(/^ERR slot \d+ is offline/);
    expect(await split.ping()).toBe('PONG');
    worker.route(servers);
    expect(await split.mget(...all)).toHaveLength(12);
  });

  test('nothing is left counted as under way', async () => {
    await split.mget('k0', 'k1', 'k2', 'k3');
    const from = worker.messages.length;
    worker.route(servers, (slot) => ({
      kind: 'locked',
      from: asGroupId(1 + (slot % 3)),
      to: asGroupId(1 + ((slot + 1) % 3)),
      migration: 1 as never,
      epoch: 1 as never,
      leaseMs: 1000,
    }));
    expect(worker.messages.slice(from).map(({ type }) => type)).toContain('applied');
    worker.route(servers);
  });
});

describe('replies that are too large to be merged', () => {
  test('get an error that names the limit, and the client goes on', async () => {
    const servers = await Promise.all([startRedis(), startRedis()]);
    const worker = await startWorker({ session_max_bufsize: 1_048_576 });
    worker.route(servers);
    const client = worker.client();
    const keys = Array.from({ length: 6 }, (_, number) => `large:${number}`);
    for (const each of keys) await client.set(each, 'v'.repeat(300_000));
    const error = await client.mget(keys).then(String, (reason: Error) => reason.message);
    expect(error).toMatch(/^ERR .*session_max_bufsize; ask for fewer keys/);
    const fitting = await client.mget(keys[0]!, keys[1]!, 'none');
    expect(fitting.map((value) => value?.length)).toEqual([300_000, 300_000, undefined]);
    expect(await client.exists(keys)).toBe(6);
    worker.close();
    await Promise.all(servers.map((server) => server.stop()));
  });
});
