// Goal: through the proxies a client can't tell that they aren't one Redis, byte for byte.
// Method: lists of commands (specs/), each in many variants on keys of its own, and conversations (scenarios/) run against a plain Redis and through two
// proxies with three groups; every raw reply is compared, and afterwards what the keys hold.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../packages/proxy/src/commands/command.ts';
import { stopAll } from '../harness/process.ts';
import { buildCases } from './family.ts';
import type { Words } from './line.ts';
import { namesInSpecs, namesOfRedis } from './named.ts';
import { runCases } from './run-cases.ts';
import { play } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { PROTOCOLS, type Protocol, type Sides, startSides } from './sides.ts';
import { FAMILIES } from './specs/all.ts';

let sides: Sides;

beforeAll(async () => {
  sides = await startSides();
});

afterAll(async () => {
  await sides.stop();
  await stopAll();
});

describe.each(PROTOCOLS)('through the proxies, in RESP%i,', (protocol) => {
  test('commands give the replies of one Redis, and do what they do there', async () => {
    expect(await runCases(sides, protocol, buildCases(FAMILIES, `still${protocol}:`))).toEqual([]);
  }, 60_000);

  test('commands that name many keys of all groups are answered as by one', async () => {
    const pair = await sides.connect(protocol);
    const inEach = Array.from({ length: 4 }, (_, db) => [['SELECT', String(db * 5)], ...manyKeys(protocol)]).flat();
    expect(await pair.differences(inEach)).toEqual([]);
  });

  test('commands may come as lines, as people type them', async () => {
    const pair = await sides.connect(protocol);
    pair.sendBytes(TYPED.map((line, at) => (at % 2 ? `${line}\r\n` : `${line}\n`)).join(''));
    for (const [redis, ours] of await pair.some(TYPED.length - 1)) expect(ours.toString()).toBe(redis.toString());
  });

  for (const [feature, scenarios] of Object.entries(SCENARIOS)) {
    const ofProtocol = scenarios.filter(({ protocols }) => protocols?.includes(protocol) ?? true);
    test.each(ofProtocol)(`${feature}: $title`, async (scenario) => {
      expect(await play(sides, scenario, protocol)).toEqual([]);
    });
  }
});

test('every command of this Redis stands in a list, or can’t go through', async () => {
  const ours = new Map(COMMANDS.map((command) => [command.name, command]));
  const without = new Set(COMMANDS.filter(({ class: { kind } }) => kind === 'refused' || kind === 'later').map(({ name }) => name));
  const listed = namesInSpecs(FAMILIES, SCENARIOS);
  const missing = (await namesOfRedis(sides.plain)).filter((name) => !listed.has(name) && !without.has(name));
  expect(missing).toEqual([]);
  expect((await namesOfRedis(sides.plain)).filter((name) => !ours.has(name) && !without.has(name))).toEqual([]);
});

test('what can’t go through says why, is sent nowhere, and leaves the connection as it was', async () => {
  const pair = await sides.connect(2);
  await pair.differences([
    ['SELECT', '3'],
    ['SET', 'db3', 'here'],
  ]);
  const refused = COMMANDS.filter(({ class: { kind }, subcommands }) => (kind === 'later' || kind === 'refused') && subcommands === null);
  const before = await sides.calls(refused.map(({ name }) => name));
  for (const { name, arity } of refused) {
    const parts = name.split('|');
    const reply = (await pair.askProxy([...parts, ...Array.from({ length: Math.abs(arity) - parts.length }, () => '1')])).toString();
    expect(reply, name).toMatch(/^-ERR '[a-z|-]+' (?:can't go through the proxy|is refused by the proxy): \S.{10,}\r\n$/);
    expect(reply, name).toContain(`'${name}'`);
  }
  expect(await sides.calls(refused.map(({ name }) => name))).toEqual(before);
  expect((await pair.askProxy(['GET', 'db3'])).toString()).toBe('$4\r\nhere\r\n');
  expect(refused.length).toBeGreaterThan(30);
});

test('commands of a newer Redis are answered by the servers’ own error', async () => {
  const pair = await sides.connect(2);
  expect((await pair.askProxy(['HEXPIRE', 'k', '1', 'FIELDS', '1', 'f'])).toString()).toMatch(/^-ERR unknown command 'HEXPIRE'/);
  expect((await pair.askProxy(['VADD', 'k', 'VALUES', '1', '1', 'e'])).toString()).toMatch(/^-ERR unknown command 'VADD'/);
});

const TYPED = [
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
  'DEL typed:1 typed:2 typed:3',
  '',
];

/** Half of the keys are there; some are named more than once. */
function manyKeys(protocol: Protocol): Words[] {
  const keys = Array.from({ length: 600 }, (_, number) => `many${protocol}:${number}`);
  const odd = keys.filter((_, at) => at % 2 === 1);
  const repeated = [...odd.slice(0, 50), ...odd.slice(0, 50), 'many:none', ...odd.slice(0, 3)];
  const one = odd[0]!;
  return [
    ['MSET', ...odd.flatMap((key) => [key, `value of ${key}`])],
    ['MSET', ...repeated.flatMap((key, at) => [key, `${at}`])],
    ['MSET', one, 'a', odd[1]!],
    ['RPUSH', 'many:list', 'x'],
    ['MGET', ...keys, 'many:list'],
    ['MGET', ...repeated],
    ['EXISTS', ...keys, ...repeated],
    ['TOUCH', ...repeated],
    ['TOUCH', one],
    ['UNLINK', ...repeated],
    ['DEL', ...repeated],
    ['DEL', ...keys.slice(0, 300), ...keys.slice(0, 300)],
    ['EXISTS', ...keys],
    ['MGET', ...keys],
    ['DEL', 'many:list', ...keys],
  ];
}
