// Goal: who names a command that does not exist reads what Redis would have said, to the byte, whatever was sent.
// Method: the same requests go to a real redis-server.

import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { findCommand } from '../../src/commands/command.ts';
import { unknownCommand, unknownSubcommand } from '../../src/commands/unknown.ts';
import { encodeRequest } from '../../src/resp/replies.ts';
import { frameOf } from './frames.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

/** Its replies to all of them. */
function askRedis(requests: readonly Buffer[][]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    const socket = connect({ port: redis.port, host: '127.0.0.1' }, () =>
      socket.write(Buffer.concat([...requests, [Buffer.from('QUIT')]].map(encodeRequest))),
    );
    socket.setTimeout(10_000, () => socket.destroy(new Error('Redis does not answer')));
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const lines = Buffer.concat(received).toString('latin1').split('\r\n').slice(0, -2);
      resolve(lines.map((line) => Buffer.from(`${line}\r\n`, 'latin1')));
    });
  });
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => Buffer.from(value));
const args = fc.array(fc.oneof(bytes(20), bytes(200)), { maxLength: 12 });

test('an unknown command is answered as Redis answers it', async () => {
  const requests = fc
    .sample(fc.tuple(bytes(200), args), 500)
    .map(([name, rest]) => [Buffer.concat([Buffer.from('no-such-'), name]), ...rest]);
  requests.push([Buffer.alloc(0)], [Buffer.from('x')], [Buffer.from('x'), ...Array.from({ length: 100 }, () => Buffer.alloc(0))]);
  const theirs = await askRedis(requests);
  expect(theirs).toHaveLength(requests.length);
  for (const [at, request] of requests.entries())
    expect(unknownCommand(frameOf(request)).toString('latin1')).toBe(theirs[at]!.toString('latin1'));
});

test('an unknown subcommand is answered as Redis answers it', async () => {
  const parents = ['client', 'object', 'config'].map((name) => findCommand(Buffer.from(name), 0, name.length)!);
  const samples = fc.sample(fc.tuple(fc.constantFrom(...parents), bytes(200), args), 200);
  const requests = samples.map(([{ name }, sub, rest]) => [Buffer.from(name), Buffer.concat([Buffer.from('no-such-'), sub]), ...rest]);
  const theirs = await askRedis(requests);
  for (const [at, request] of requests.entries()) {
    expect(unknownSubcommand(samples[at]![0], frameOf(request)).toString('latin1')).toBe(theirs[at]!.toString('latin1'));
  }
});
