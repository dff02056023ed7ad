// Runs the cases of families on both sides: setup of all, then all acts, then what the keys hold; three pipelines, by both proxies in turn.

import { eventually } from '../harness/process.ts';
import { agree } from './compare.ts';
import type { Case } from './family.ts';
import type { Line, Words } from './line.ts';
import { difference, type Pair, type Protocol, type Sides } from './sides.ts';

/** What differs. `tryAgain`: a proxy may answer that a slot is in a move; then it is asked again. */
export async function runCases(
  sides: Sides,
  protocol: Protocol,
  cases: readonly Case[],
  options: { tryAgain: boolean } = { tryAgain: false },
): Promise<string[]> {
  const pairs = [await sides.connect(protocol), await sides.connect(protocol)] as const;
  const [first, second] = pairs;
  const found = [
    ...(await run(first, cases, (one) => one.setup.map(same), options)),
    ...(await run(second, cases, (one) => [one.act], options)),
    ...(await run(first, cases, (one) => (one.act.match === 'same' ? one.after : []), options)),
  ];
  for (const pair of pairs) pair.close();
  return found;
}

function same(words: Words): Line {
  return { words, match: 'same', oneDatabase: false };
}

async function run(
  pair: Pair,
  cases: readonly Case[],
  pick: (one: Case) => readonly Line[],
  options: { tryAgain: boolean },
): Promise<string[]> {
  const lines = cases.flatMap((one) => [
    { ...same(['SELECT', String(one.db)]), db: one.db },
    ...pick(one).map((line) => ({ ...line, db: one.db })),
  ]);
  const [expected, found] = await pair.replies(lines.map(({ words }) => words));
  const differences: string[] = [];
  for (const [at, { words, match, db }] of lines.entries()) {
    const redis = expected[at]!;
    const ours = options.tryAgain && isTryAgain(found[at]!) ? await again(pair, db, words) : found[at]!;
    if (!agree(redis, ours, match)) differences.push(difference(words.join(' '), redis, ours));
  }
  return differences;
}

async function again(pair: Pair, db: number, words: Words): Promise<Buffer> {
  await pair.askProxy(['SELECT', String(db)]);
  return eventually(
    async () => {
      const reply = await pair.askProxy(words);
      return isTryAgain(reply) ? undefined : reply;
    },
    { what: `${words.join(' ')} not to be answered TRYAGAIN`, timeoutMs: 20_000 },
  );
}

function isTryAgain(reply: Buffer): boolean {
  return reply.toString('latin1', 0, 10) === '-TRYAGAIN ';
}
