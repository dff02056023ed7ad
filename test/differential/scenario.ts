// Conversations of one or more clients, as lines; and their comparison, step by step.
//
//   GET A              client a sends it and waits for the reply (for one reply per channel when it is SUBSCRIBE and the like)
//   b: GET A           the same by client b (c, d)
//   b&: BLPOP A 0      sends it, and goes on when it is blocked on both sides
//   b>: CLIENT REPLY…  sends it and waits for nothing
//   b<                 reads one reply more (`b< 3`: three), or a push
//   b$                 the connection has ended, in the same way on both sides
//   b!                 closes the connection
//
// Marks as in line.ts stand in front. A pair is a line and what the proxy answers where that differs from Redis on purpose: differences.ts says why.

import { agree, shown } from './compare.ts';
import { type Match, onOwnKeys, parseLine, type Words } from './line.ts';
import { difference, type Pair, type Protocol, type Sides } from './sides.ts';

export type Step = string | readonly [line: string, ours: RegExp];

export interface Scenario {
  /** A sentence. */
  readonly title: string;
  readonly steps: readonly Step[];
  /** Both unless given. */
  readonly protocols?: readonly Protocol[];
  /** It looks at the whole keyspace: both sides are emptied first. */
  readonly alone?: boolean;
  /** Who waited first matters, which a move may change, as docs/commands.md says. */
  readonly queues?: boolean;
}

export interface ParsedStep {
  readonly client: string;
  readonly act: 'ask' | 'send' | 'block' | 'read' | 'end' | 'close';
  readonly words: Words;
  readonly match: Match;
  /** Replies to wait for. */
  readonly count: number;
  readonly ours: RegExp | null;
}

const ACTS: Readonly<Record<string, ParsedStep['act']>> = { ':': 'ask', '>:': 'send', '&:': 'block', '<': 'read', $: 'end', '!': 'close' };
const PER_CHANNEL = /^[SP]?(?:UN)?SUBSCRIBE$/i;

export function parseStep(step: Step): ParsedStep {
  const [text, ours] = typeof step === 'string' ? [step, null] : step;
  const [, marks = '', client = 'a', sign = ':', rest = ''] = /^([~#%?@=]*)(?:([a-d])(:|>:|&:|<|\$|!)(?= |$))?(.*)$/s.exec(text) ?? [];
  const { words, match } = parseLine(marks + rest.trim());
  const act = ACTS[sign] ?? 'ask';
  if (act === 'read') return { client, act, words: [], match, count: Number(words[0] ?? 1), ours };
  const count = act === 'ask' ? (PER_CHANNEL.test(words[0] ?? '') ? Math.max(1, words.length - 1) : 1) : 0;
  return { client, act, words, match, count, ours };
}

/** What differs between both sides, in words; nothing when they agree. What can't be waited for ends the conversation. */
export async function play(sides: Sides, scenario: Scenario, protocol: Protocol): Promise<string[]> {
  const clients = new Map<string, Pair>();
  const own = ownWords(sides, scenario, protocol);
  const found: string[] = [];
  if (scenario.alone) await sides.flush();
  for (const parsed of scenario.steps.map(parseStep)) {
    const step = { ...parsed, words: own(parsed.words) };
    const pair = clients.get(step.client) ?? (await sides.connect(protocol));
    clients.set(step.client, pair);
    try {
      found.push(...(await take(sides, pair, step)));
    } catch (error) {
      found.push(`${said(step)}\n  ${(error as Error).message}`);
      break;
    }
  }
  for (const pair of clients.values()) pair.close();
  return found;
}

async function take(sides: Sides, pair: Pair, step: ParsedStep): Promise<string[]> {
  switch (step.act) {
    case 'ask':
    case 'send':
      pair.send(step.words);
      return replies(pair, step);
    case 'read':
      return replies(pair, step);
    case 'block': {
      const before = await sides.blocked();
      pair.send(step.words);
      await sides.untilBlocked(before.map((count) => count + 1));
      return [];
    }
    case 'end': {
      const [redis, ours] = await pair.ends();
      return redis === ours ? [] : [`${said(step)}\n  redis ${redis}\n  proxy ${ours}`];
    }
    case 'close':
      pair.close();
      await sides.untilBlocked([0, 0]);
      return [];
  }
}

async function replies(pair: Pair, step: ParsedStep): Promise<string[]> {
  return (await pair.some(step.count)).flatMap(([redis, ours]) => {
    if (step.ours === null) return agree(redis, ours, step.match) ? [] : [difference(said(step), redis, ours)];
    return step.ours.test(ours.toString('latin1')) ? [] : [`${said(step)}\n  expected ${step.ours}\n  proxy ${shown(ours)}`];
  });
}

function said({ client, act, words }: ParsedStep): string {
  return `${client} ${act} ${words.join(' ')}`;
}

let tags = 0;

/** A, B, C, D share a tag that nobody else has; X, Y, Z are in three groups. */
function ownWords(sides: Sides, scenario: Scenario, protocol: Protocol): (words: Words) => string[] {
  const number = ++tags;
  const tag = `${scenario.title.length}.${protocol}.${number}:`;
  return (words) =>
    onOwnKeys(words, tag).map((word) => {
      const group = ['X', 'Y', 'Z'].indexOf(word);
      return group < 0 ? word : `{${sides.tagIn(group)}}${word}${number}`;
    });
}
