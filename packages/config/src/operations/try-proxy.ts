// Whether a proxy serves, found out as a client would: a key is set, read and deleted through it, and what came back is told with how long it took.

import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { asServerAddr, CodisError, type ProxyId, type Slot, slotOf } from '../model/index.ts';
import { connectRedis } from '../redis/connection.ts';
import type { Caller } from './caller.ts';
import { commitAudited } from './commit.ts';
import { readProxy } from './proxies.ts';

export interface ProxyTrial {
  readonly addr: string;
  /** In this slot lies the key that was taken: another one each time. */
  readonly slot: Slot;
  /** What was sent, in order, as far as it got. */
  readonly steps: readonly { readonly command: string; readonly reply: string; readonly ms: number }[];
  /** From the first connection to the last reply. */
  readonly totalMs: number;
  /** What is wrong, in words; null: all came back as it should. */
  readonly problem: string | null;
}

const VALUE = 'hello';
/** Should the proxy be lost in between, the key is soon gone all the same. */
const KEY_MS = 10_000;
const CONNECT_MS = 2000;
const COMMAND_MS = 3000;
const REPLY_LENGTH_MAX = 200;

/** `password`: session_auth, empty for none. Throws CODIS_E_UNKNOWN_PROXY; what is wrong with the proxy is told, not thrown. */
export async function tryProxy(caller: Caller, { id, password }: { id: ProxyId; password: string }): Promise<ProxyTrial> {
  const { addr } = await readProxy(caller.coordinator, id);
  await commitAudited(caller, async () => ({
    ops: [],
    event: {
      action: 'proxy.try',
      object: `proxy ${id}`,
      epoch: null,
      before: 'as it serves',
      after: 'a key of its own is set, read and deleted through it',
    },
    value: undefined,
  }));
  const key = `codis:try:${randomBytes(6).toString('hex')}`;
  const steps: ProxyTrial['steps'][number][] = [];
  const from = performance.now();
  let problem: string | null = null;
  try {
    const options = { password, connectTimeoutMs: CONNECT_MS, commandTimeoutMs: COMMAND_MS };
    const redis = await connectRedis(asServerAddr(addr), options);
    try {
      problem = await takeSteps(redis, key, steps);
    } finally {
      redis.disconnect();
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    problem = inWords(error, addr);
  }
  return { addr, slot: slotOf(Buffer.from(key)), steps, totalMs: rounded(performance.now() - from), problem };
}

/** What is wrong; null when nothing is. An error reply is an answer too. */
async function takeSteps(redis: Redis, key: string, steps: ProxyTrial['steps'][number][]): Promise<string | null> {
  const script = [
    { words: ['SET', key, VALUE, 'PX', String(KEY_MS)], wanted: 'OK' },
    { words: ['GET', key], wanted: VALUE },
    { words: ['DEL', key], wanted: '1' },
  ] as const;
  for (const { words, wanted } of script) {
    const [name, ...args] = words;
    const from = performance.now();
    const answer: unknown = await redis.call(name, ...args).catch((error: unknown) => error);
    if (answer instanceof Error && answer.name !== 'ReplyError') throw answer;
    const reply = textOf(answer);
    steps.push({ command: words.join(' '), reply, ms: rounded(performance.now() - from) });
    if (answer instanceof Error) return `it answered ${name} with an error: ${reply}`;
    if (reply !== wanted) return `it answered ${name} with ${JSON.stringify(reply)}, and not with ${JSON.stringify(wanted)}`;
  }
  return null;
}

/** Whatever answers there, a line of it is enough. */
function textOf(answer: unknown): string {
  const text = answer instanceof Error ? answer.message : typeof answer === 'string' ? answer : JSON.stringify(answer);
  return text.slice(0, REPLY_LENGTH_MAX);
}

function inWords(error: Error, addr: string): string {
  if (/NOAUTH|WRONGPASS|AUTH/.test(error.message)) {
    return `it wants another password: session_auth must be the same in the config.ini of the dashboard and of the proxies (${error.message})`;
  }
  if (error instanceof CodisError && error.code === 'CODIS_E_NOT_REDIS') {
    return `what answers at ${addr} does not speak Redis’s protocol: is that the address clients connect to? (${error.message})`;
  }
  if (error instanceof CodisError) return `${error.message}; that is from where the dashboard runs`;
  return `it did not answer: ${error.message}`;
}

function rounded(ms: number): number {
  return Number(ms.toFixed(2));
}
