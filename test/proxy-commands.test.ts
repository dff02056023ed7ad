// Goal: through the proxy a client can't tell that it isn't one Redis, byte for byte, also while the slots of its keys move underneath.
// Method: one list of commands (proxy-command-specs.ts), each in many variants on keys of its own, runs against a plain Redis and through the proxy;
// every raw reply is compared, and afterwards what the keys hold.

import { slotOf } from '@codis/config/model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { COMMANDS } from '../packages/proxy/src/commands/command.ts';
import { type Cluster, type ProxyProcess, startCluster } from './harness/cluster.ts';
import { eventually, stopAll } from './harness/process.ts';
import { encode, RawClient } from './harness/raw-client.ts';
import { type RedisServer, startRedis } from './harness/redis.ts';
import { FAMILIES, SCRIPTS, SCRIPTS_SETUP } from './proxy-command-specs.ts';

type Words = readonly string[];

/** How two replies are compared. */
type Match = 'same' | 'near' | 'kind';

/** One variant of one line, on keys of its own. */
interface Case {
  readonly db: number;
  readonly setup: readonly Words[];
  readonly act: Words;
  readonly after: readonly Words[];
  readonly match: Match;
  readonly oneDatabase: boolean;
}

const DATABASES = 16;
const OTHER_TYPE: Readonly<Record<string, Words>> = { string: ['RPUSH', 'A', 'x'], any: ['ZADD', 'A', '1', 'x'] };
const KEYS = ['A', 'B', 'C', 'D'];
/** One argument too many. It has the tag of the keys, for it may be taken for one. */
const EXTRA = 'extra';

describe('commands through the proxy', () => {
  let cluster: Cluster;
  let plain: RedisServer;
  let proxy: ProxyProcess;
  let direct: RawClient;
  let proxied: RawClient;

  beforeAll(async () => {
    [cluster, plain] = await Promise.all([
      startCluster({ proxies: 1, settings: { migration_batch_slots: 1024 } }),
      startRedis({ config: { 'enable-debug-command': 'yes' } }),
    ]);
    proxy = cluster.proxies[0]!;
  });

  beforeEach(async () => {
    [direct, proxied] = await Promise.all([RawClient.open(plain.port), RawClient.open(proxy.port)]);
  });

  afterEach(() => {
    direct.close();
    proxied.close();
  });

  afterAll(async () => {
    await cluster.stop();
    await plain.stop();
    await stopAll();
  });

  async function slotState(slot: number): Promise<string> {
    return (JSON.parse(await cluster.cliOk('slot', 'info', String(slot), '-o', 'json')) as { state: string }).state;
  }

  /** The replies of both to the same commands that differ. */
  async function differences(commands: readonly Words[], match: (at: number) => Match = () => 'same'): Promise<string[]> {
    const bytes = Buffer.concat(commands.map(encode));
    direct.send(bytes);
    proxied.send(bytes);
    const [expected, found] = await Promise.all([direct.replies(commands.length, 20_000), proxied.replies(commands.length, 20_000)]);
    return commands.flatMap((words, at) => {
      const [redis, ours] = [expected[at]!.toString('latin1'), found[at]!.toString('latin1')];
      return agree(redis, ours, match(at)) ? [] : [`${words.join(' ')}\n  redis ${short(redis)}\n  proxy ${short(ours)}`];
    });
  }

  /** Setup of all cases, then all acts, then what the keys hold: three pipelines, with `between` before the acts. */
  async function runCases(cases: readonly Case[], between: () => Promise<void> = async () => undefined): Promise<string[]> {
    const inDatabase = (pick: (one: Case) => readonly Words[]) => cases.map((one) => [['SELECT', String(one.db)], ...pick(one)]);
    const found = await differences(inDatabase((one) => one.setup).flat());
    await between();
    const matches = cases.flatMap((one): Match[] => ['same', one.match]);
    found.push(...(await differences(inDatabase((one) => [one.act]).flat(), (at) => matches[at]!)));
    found.push(...(await differences(inDatabase((one) => (one.match === 'same' ? one.after : [])).flat())));
    return found;
  }

  test('give the replies of one Redis, and do what they do there', async () => {
    expect(await runCases(buildCases('still'))).toEqual([]);
  });

  test('of every kind are answered as Redis does when many keys of both groups are named', async () => {
    const keys = Array.from({ length: 600 }, (_, number) => `many:${number}`);
    const odd = keys.filter((_, at) => at % 2 === 1);
    const repeated = [...odd.slice(0, 50), ...odd.slice(0, 50), 'many:none', ...odd.slice(0, 3)];
    const commands: Words[] = [
      ['MSET', ...odd.flatMap((key) => [key, `value of ${key}`])],
      ['MSET', ...repeated.flatMap((key, at) => [key, `${at}`])],
      ['MSET', 'many:1', 'a', 'many:3'],
      ['MSET'],
      ['RPUSH', 'many:list', 'x'],
      ['MGET', ...keys, 'many:list'],
      ['MGET', ...repeated],
      ['MGET'],
      ['EXISTS', ...keys, ...repeated],
      ['TOUCH', ...repeated],
      ['TOUCH', 'many:1'],
      ['UNLINK', ...repeated],
      ['DEL', ...repeated],
      ['DEL', ...keys.slice(0, 300), ...keys.slice(0, 300)],
      ['EXISTS', ...keys],
      ['MGET', ...keys],
    ];
    const inEach = Array.from({ length: DATABASES }, (_, db) => [['SELECT', String(db)], ...commands]).flat();
    expect(await differences(inEach)).toEqual([]);
  });

  test('may come as lines, as people type them', async () => {
    const lines = [
      'SET typed:1 one',
      'set typed:2 "two words\\n\\x41"',
      "SET typed:3 'single \\'quoted\\''",
      '  GET   typed:1  ',
      'GET typed:2',
      'GET typed:3',
      'MGET typed:1 typed:2 typed:3',
      'NOSUCH thing',
      'GET',
      'PING',
      'EXISTS typed:1 typed:2',
      '',
    ];
    const bytes = lines.map((line, at) => (at % 2 ? `${line}\r\n` : `${line}\n`)).join('');
    direct.send(bytes);
    proxied.send(bytes);
    const count = lines.length - 1;
    expect(texts(await proxied.replies(count))).toEqual(texts(await direct.replies(count)));
  });

  test('on keys of different slots are refused as Redis Cluster does, and nothing is done', async () => {
    const [here, there] = ['{one}a', '{two}b'];
    const commands = ['SINTER', 'SDIFF', 'SUNIONSTORE', 'RENAME', 'RENAMENX', 'RPOPLPUSH', 'PFMERGE', 'LCS', 'SMOVE x', 'MSETNX'];
    await proxied.ask('SELECT', 0);
    await proxied.ask('SET', here, 'kept');
    for (const command of commands) {
      const [name = '', ...rest] = command.split(' ');
      const values = name === 'MSETNX' ? [here, '1', there, '2'] : [here, there, ...rest];
      expect(await proxied.askText(name, ...values), command).toBe("-CROSSSLOT Keys in request don't hash to the same slot\r\n");
    }
    expect(await proxied.askText('EVAL', 'return 1', 2, here, there)).toMatch(/^-CROSSSLOT /);
    expect(await proxied.askText('ZUNIONSTORE', here, 1, there)).toMatch(/^-CROSSSLOT /);
    expect(await proxied.askText('XREAD', 'STREAMS', here, there, 0, 0)).toMatch(/^-CROSSSLOT /);
    expect(await proxied.askText('MGET', here, there)).toBe('*2\r\n$4\r\nkept\r\n$-1\r\n');
  });

  test('that nobody knows are refused in Redis’s words', async () => {
    const long = 'x'.repeat(300);
    expect(
      await differences([
        ['NOSUCH'],
        ['NOSUCH', 'a', 'b c', ''],
        ['NOSUCH', long, long],
        [long, 'a'],
        ['nosuch\r\n', 'line\nbreak'],
        [''],
        ['OBJECT', 'NOSUCH', 'k'],
        ['XINFO', 'NOSUCH'],
        ['XGROUP', 'x y', 'k'],
        ['CLIENT', 'NOSUCH'],
        ['COMMAND', 'NOSUCH'],
        ['MEMORY', 'NOSUCH', 'k'],
        ['OBJECT'],
        ['XINFO'],
        ['CLIENT'],
        ['OBJECT', 'ENCODING'],
        ['XGROUP', 'CREATE', 'k'],
        ['MEMORY', 'USAGE'],
      ]),
    ).toEqual([]);
  });

  test('about the connection are answered by the proxy in Redis’s words', async () => {
    const lines = [
      'PING',
      'PING hello',
      'PING a b',
      'ECHO hello',
      'ECHO',
      'SELECT 15',
      'SELECT 16',
      'SELECT -1',
      'SELECT words',
      'SELECT 99999999999999999999',
      'SELECT 1.5',
      'SELECT',
      'CLIENT GETNAME',
      'CLIENT SETNAME me',
      'CLIENT GETNAME',
      'CLIENT SETNAME ""',
      'CLIENT GETNAME',
      'CLIENT SETNAME one\ntwo',
      'CLIENT NO-EVICT ON',
      'CLIENT NO-EVICT perhaps',
      'CLIENT GETNAME extra',
      'AUTH secret',
      'AUTH default secret',
      'AUTH nobody secret',
      'AUTH',
      'AUTH a b c',
      'HELLO 4',
      'HELLO words',
      'HELLO 2 AUTH nobody secret',
      'HELLO 2 NONSENSE',
      'HELLO 2 AUTH',
      'HELLO 2 SETNAME one\ntwo',
      'TIME extra',
      'COMMAND GETKEYS GET k',
      'COMMAND GETKEYS MSET a 1 b 2',
      'COMMAND GETKEYS EVAL script 2 a b c',
      'COMMAND GETKEYS ZUNIONSTORE out 2 a b',
      'COMMAND GETKEYS XREAD COUNT 2 STREAMS a b 0 0',
      'COMMAND GETKEYS ECHO x',
      'COMMAND GETKEYS NOSUCH a',
      'COMMAND GETKEYS GET a b',
      'COMMAND INFO nosuch',
      'RESET',
      'CLIENT GETNAME',
      'QUIT',
    ];
    expect(await differences(lines.map((line) => split(line).map((word) => (word === '""' ? '' : word))))).toEqual([]);
    expect(await Promise.all([direct.ended(), proxied.ended()])).toEqual(['end', 'end']);
  });

  test('about the connection that have answers of their own have them in Redis’s form', async () => {
    const [seconds, micros] = bulksIn(await proxied.askText('TIME')).map(Number) as [number, number];
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60);
    expect(micros).toBeLessThan(1_000_000);
    expect(bulksIn(await proxied.askText('HELLO', 2))).toEqual([
      'server',
      'redis',
      'version',
      '7.0.15',
      'proto',
      'id',
      'mode',
      'standalone',
      'role',
      'master',
      'modules',
    ]);
    expect(await proxied.askText('HELLO', 3)).toMatch(/^-NOPROTO /);
    expect(await proxied.askText('HELLO', 2, 'SETNAME', 'greeted')).toMatch(/^\*14\r\n/);
    expect(bulksIn(await proxied.askText('CLIENT', 'GETNAME'))).toEqual(['greeted']);
    expect(await proxied.askText('CLIENT', 'ID')).toMatch(/^:\d+\r\n$/);
    expect(await proxied.askText('CLIENT', 'SETINFO', 'lib-name', 'mine')).toBe('+OK\r\n');
    await proxied.ask('SELECT', 9);
    expect(await proxied.askText('CLIENT', 'INFO')).toMatch(/id=\d+ addr=127\.0\.0\.1:\d+ name=greeted .* db=9 .*lib-name=mine/);
    expect(await proxied.askText('RESET')).toBe('+RESET\r\n');
    expect(await proxied.askText('CLIENT', 'INFO')).toMatch(/ name= .* db=0 /);
  });

  test('about the proxy: INFO and COMMAND', async () => {
    const info = await proxied.askText('INFO');
    for (const field of ['redis_version:7.0.15', 'connected_clients:', 'role:master', 'loading:0', 'proxy_id:proxy_1'])
      expect(info).toContain(field);
    expect(await proxied.askText('INFO', 'Replication')).toBe('$28\r\n# Replication\r\nrole:master\r\n\r\n');
    expect(await proxied.askText('INFO', 'nosuch')).toBe('$0\r\n\r\n');
    const count = Number((await proxied.askText('COMMAND', 'COUNT')).slice(1));
    expect(bulksIn(await proxied.askText('COMMAND', 'LIST'))).toHaveLength(count);
    expect(await proxied.askText('COMMAND')).toMatch(new RegExp(`^\\*${count}\\r\\n`));
    expect(await proxied.askText('COMMAND', 'INFO', 'get', 'nosuch')).toMatch(/^\*2\r\n\*10\r\n\$3\r\nget\r\n:2\r\n[\s\S]*\$-1\r\n$/);
    expect(await proxied.askText('COMMAND', 'DOCS')).toMatch(/^-ERR 'command docs' is not supported by the proxy yet/);
    expect(await proxied.askText('CLIENT', 'LIST')).toMatch(/^-ERR 'client list' is not supported by the proxy yet/);
  });

  test('that can’t go through yet, or never will, say so and leave the connection as it was', async () => {
    const unroutable = COMMANDS.filter(({ class: { kind }, name }) => (kind === 'later' || kind === 'refused') && !name.endsWith('|help'));
    await proxied.ask('SELECT', 3);
    await proxied.ask('SET', 'db3', 'here');
    for (const { name, arity, subcommands } of unroutable) {
      if (subcommands !== null) continue;
      const words = [...name.split('|'), ...Array.from({ length: Math.abs(arity) - name.split('|').length }, () => '1')];
      const reply = await proxied.askText(...words);
      expect(reply, name).toMatch(/^-ERR '[a-z|-]+' (?:can't go through the proxy|is refused by the proxy): \S.{10,}\r\n$/);
      expect(reply, name).toContain(`'${name}'`);
    }
    expect(await proxied.askText('GET', 'db3')).toBe('$4\r\nhere\r\n');
    expect(unroutable.length).toBeGreaterThan(20);
  });

  test('that block do not go through, whatever place they say it in', async () => {
    for (const words of [
      'BLPOP k 0',
      'BLMOVE a{t} b{t} LEFT RIGHT 0',
      'XREAD BLOCK 0 STREAMS k $',
      'XREAD COUNT 1 BLOCK 5 STREAMS k 0',
      'WAIT 0 0',
    ])
      expect(await proxied.askText(...words.split(' ')), words).toMatch(/^-ERR '.*block/);
    expect(await proxied.askText('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', 'k', '>')).toMatch(/^-ERR '.*block/);
    expect(await proxied.askText('PING')).toBe('+PONG\r\n');
  });

  test('that a newer Redis has are answered by the servers’ own error', async () => {
    expect(await proxied.askText('HEXPIRE', 'k', 1, 'FIELDS', 1, 'f')).toMatch(/^-ERR unknown command 'HEXPIRE'/);
    expect(await proxied.askText('VADD', 'k', 'VALUES', 1, 1, 'e')).toMatch(/^-ERR unknown command 'VADD'/);
  });

  test('are all in the list, as far as this Redis has them', async () => {
    const listed = new Set<string>();
    for (const words of [...FAMILIES.flatMap(({ lines }) => lines.map((line) => line.replace(/^[~?=]/, '').split(' '))), ...SCRIPTS]) {
      const [first = '', second = ''] = words.map((word) => word.toLowerCase());
      listed.add(first).add(`${first}|${second}`);
    }
    const routable = COMMANDS.filter(({ class: { kind } }) => kind === 'slot' || kind === 'split').map(({ name }) => name);
    const client = plain.client();
    const known = await Promise.all(routable.map(async (name) => ((await client.call('COMMAND', 'INFO', name)) as unknown[])[0] !== null));
    expect(routable.filter((name, at) => known[at] && !listed.has(name))).toEqual([]);
    expect(known.filter(Boolean).length).toBeGreaterThan(150);
  });

  test('give the same replies while the slots of their keys migrate', async () => {
    const cases = buildCases('moving').filter((one) => !one.oneDatabase);
    const found = await runCases(cases, async () => {
      await cluster.cliOk('slot', 'migrate', '0', '511', '2', '--delay=60000');
      await eventually(async () => (await slotState(0)) === 'migrating', { what: 'the slots to migrate' });
    });
    expect(found).toEqual([]);
    expect((await proxy.status()).workers[0]!.handOvers).toBeGreaterThan(1000);
    const key = cases.map(({ setup }) => setup[0]?.[1] ?? '').find((name) => name !== '' && slotOf(Buffer.from(name)) <= 511) ?? '';
    expect(await proxied.askText('MOVE', key, 5)).toMatch(/^-TRYAGAIN .*another database/);
    expect(await proxied.askText('COPY', key, `${key.split('}')[0]}}copy`, 'DB', 5)).toMatch(/^-TRYAGAIN .*another database/);
  });
});

function buildCases(salt: string): Case[] {
  const cases: Case[] = [];
  const add = (family: (typeof FAMILIES)[number], words: Words, marks: Pick<Case, 'match' | 'oneDatabase'>) => {
    const otherType = OTHER_TYPE[family.type] ?? ['SET', 'A', 'text'];
    const setups: readonly (readonly Words[])[] = [family.setup.map(split), [], [otherType]];
    const variants = [words, words.slice(0, -1), [...words, EXTRA], words.map((word) => (/^-?\d+$/.test(word) ? 'words' : word))];
    for (const setup of setups) {
      for (const variant of variants) {
        const number = cases.length;
        const own = (command: Words) =>
          command.map((word) => (KEYS.includes(word) || word === EXTRA ? `{${salt}${number}}${word}` : word === '""' ? '' : word));
        const after = (family.after ?? KEYS.map((key) => `DUMP ${key}`)).map((line) => own(split(line)));
        cases.push({ ...marks, db: number % DATABASES, setup: setup.map(own), act: own(variant), after });
      }
    }
  };
  for (const family of FAMILIES) {
    for (const line of family.lines) {
      const mark = line[0];
      const match = mark === '~' ? 'near' : mark === '?' ? 'kind' : 'same';
      add(family, split(line.replace(/^[~?=]/, '')), { match, oneDatabase: mark === '=' });
    }
  }
  for (const words of SCRIPTS) add({ ...FAMILIES[0]!, setup: SCRIPTS_SETUP }, words, { match: 'same', oneDatabase: false });
  return cases;
}

function texts(replies: readonly Buffer[]): string[] {
  return replies.map((reply) => reply.toString('latin1'));
}

/** The bulk strings of a reply, whatever they stand in. */
function bulksIn(reply: string): string[] {
  return [...reply.matchAll(/\$\d+\r\n([\s\S]*?)\r\n/g)].map((match) => match[1] ?? '');
}

function split(line: string): string[] {
  return line.split(' ');
}

/** What the proxy says where it can't tell which arguments are keys. It does not send such a request anywhere to hear Redis's own words for it. */
const OWN_WORDS = /^-ERR (?:syntax error|'\S+' (?:without a key|with a pattern after BY or GET) can't go through)/;

function agree(redis: string, ours: string, match: Match): boolean {
  if (redis.startsWith('-') && OWN_WORDS.test(ours)) return true;
  if (match === 'same' || redis[0] === '-') return redis === ours;
  if (match === 'kind') return redis[0] === ours[0];
  if (redis.replace(/\d+/g, '#') !== ours.replace(/\d+/g, '#')) return false;
  const found = numbersIn(ours);
  return numbersIn(redis).every((number, at) => Math.abs(number - found[at]!) <= 20_000);
}

function numbersIn(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}

function short(reply: string): string {
  return JSON.stringify(reply.length > 300 ? `${reply.slice(0, 300)}…` : reply);
}
