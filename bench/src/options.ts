// The command line of the benchmarks.

import { basename, isAbsolute } from 'node:path';
import { parseArgs } from 'node:util';
import type { Load } from './load.ts';

export interface CostOptions {
  /** Checkouts, built. */
  readonly before: string;
  readonly after: string;
  readonly rounds: number;
  readonly commands: readonly Load['command'][];
  /** Requests of one run, by pipeline depth 1; deeper pipelines get more of them. */
  readonly requests: number;
  /** Where the table is also written; null for nowhere. */
  readonly out: string | null;
}

export const COST_HELP = `npm run bench:cost -- --before DIR [--after DIR] [--rounds N] [--quick] [--out FILE]

What a request costs a worker in CPU time, in two builds of the proxy.

  --before DIR   a checkout of the older commit, built
  --after DIR    the newer one; this checkout unless given
  --rounds N     rounds of every load (21)
  --only NAMES   some commands: SET GET MSET MGET
  --quick        few rounds, few requests: to see that it works
  --out FILE     write the table there too
`;

const COMMANDS: readonly Load['command'][] = ['SET', 'GET', 'MSET', 'MGET'];

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readCostOptions(argv: readonly string[]): CostOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { before: text, after: text, rounds: text, only: text, out: text, quick: flag, help: flag },
  });
  if (values.help) return null;
  if (values.before === undefined) throw new Error('--before names the checkout to compare with');
  const named = values.only?.split(',') ?? COMMANDS;
  const unknown = named.find((name) => !COMMANDS.some((command) => command === name));
  if (unknown !== undefined) throw new Error(`--only names some of ${COMMANDS.join(' ')}, not ${unknown}`);
  return {
    before: values.before,
    after: values.after ?? '.',
    rounds: roundsOf(values.rounds) ?? (values.quick ? 2 : 21),
    commands: COMMANDS.filter((command) => named.includes(command)),
    requests: values.quick ? 5_000 : 20_000,
    out: values.out ?? null,
  };
}

export interface MoveOptions {
  /** At the source; half of them move. */
  readonly keysCount: number;
  readonly rounds: number;
  /** How long clients are watched before and after a move. */
  readonly watchMs: number;
  readonly out: string | null;
}

export const MOVE_HELP = `npm run bench:move -- [--keys N] [--rounds N] [--quick] [--out FILE]

How long a move of half of all slots takes, beside a bare loop of MIGRATE over the same keys; and what clients notice of it.

  --keys N       keys of 100 bytes at the source; half of them move (1000000)
  --rounds N     rounds of everything (3)
  --quick        50000 keys, one round: to see that it works
  --out FILE     write the tables there too
`;

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readMoveOptions(argv: readonly string[]): MoveOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ args: [...argv], options: { keys: text, rounds: text, out: text, quick: flag, help: flag } });
  if (values.help) return null;
  const count = (name: 'keys' | 'rounds', usual: number, least: number) => {
    const number = Number(values[name] ?? usual);
    if (!Number.isInteger(number) || number < least) throw new Error(`--${name} is a whole number from ${least}, not ${values[name]}`);
    return number;
  };
  return {
    keysCount: count('keys', values.quick ? 50_000 : 1_000_000, 1000),
    rounds: count('rounds', values.quick ? 1 : 3, 1),
    watchMs: values.quick ? 1000 : 4000,
    out: values.out ?? null,
  };
}

export interface BenchOptions {
  readonly quick: boolean;
  /** Null: as many as usual. */
  readonly rounds: number | null;
  /** Sections, in any order. */
  readonly only: readonly string[];
  /** Path of both files, without .md and .json. */
  readonly out: string;
}

export const BENCH_HELP = `npm run bench -- [--quick] [--only SECTION,…] [--rounds N] [--out PATH]

The proxy beside twemproxy, HAProxy (relaying bytes) and Redis, in turns.

  --quick        the main table in less than two minutes: few rounds, few requests
  --only NAMES   some sections: main clients paced large workers start fairness growth
  --rounds N     rounds of every load (5)
  --out PATH     writes PATH.md, a page to read, and PATH.json, for npm run bench:compare
                 (bench/results/bench; with --quick, data/bench-quick)
`;

/** What --quick measures. */
const QUICK_SECTIONS = ['main', 'clients'];

/** Null when help was asked for. Throws an Error for what can't be meant. `sections`: all there are. */
export function readBenchOptions(argv: readonly string[], sections: readonly string[]): BenchOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ args: [...argv], options: { only: text, rounds: text, out: text, quick: flag, help: flag } });
  if (values.help) return null;
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  if (rounds !== null && (!Number.isInteger(rounds) || rounds < 1))
    throw new Error(`--rounds is a whole number from 1, not ${values.rounds}`);
  const only = values.only?.split(',') ?? (values.quick ? QUICK_SECTIONS : sections);
  const unknown = only.find((name) => !sections.includes(name));
  if (unknown !== undefined) throw new Error(`there is no section ${unknown}; there are: ${sections.join(' ')}`);
  return { quick: values.quick, rounds, only, out: values.out ?? (values.quick ? 'data/bench-quick' : 'bench/results/bench') };
}

export interface MicroOptions {
  readonly checkout: string;
  /** This process is one round, and prints its numbers as JSON. */
  readonly isRound: boolean;
  readonly rounds: number;
  /** Path of both files, without .md and .json; null for none. */
  readonly out: string | null;
}

export const MICRO_HELP = `npm run bench:micro -- [--checkout DIR] [--rounds N] [--out PATH]

What the functions that run for every request cost, in nanoseconds.

  --checkout DIR   a checkout, built; this one unless given
  --rounds N       rounds, each a process of its own (11)
  --out PATH       writes PATH.md and PATH.json, for npm run bench:compare
`;

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readMicroOptions(argv: readonly string[]): MicroOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { checkout: text, rounds: text, out: text, round: flag, help: flag },
  });
  if (values.help) return null;
  return { checkout: values.checkout ?? '.', isRound: values.round, rounds: roundsOf(values.rounds) ?? 11, out: values.out ?? null };
}

export interface ProfileOptions {
  /** Of one run at pipeline depth 1. */
  readonly requests: number;
  readonly out: string | null;
}

export const PROFILE_HELP = `npm run bench:profile -- [--quick] [--out FILE]

Where the time of a worker goes under GET, SET, MGET and MSET, by a CPU profile.

  --quick        few requests: to see that it works
  --out FILE     write the tables there too
`;

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readProfileOptions(argv: readonly string[]): ProfileOptions | null {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ args: [...argv], options: { out: { type: 'string' }, quick: flag, help: flag } });
  return values.help ? null : { requests: values.quick ? 5_000 : 200_000, out: values.out ?? null };
}

export const COMPARE_HELP = `npm run bench:compare -- A.json B.json

Two results beside each other: which figures became better or worse, and which differ by no more than the rounds of each do.
`;

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readCompareOptions(argv: readonly string[]): { before: string; after: string } | null {
  const options = { help: { type: 'boolean', default: false } } as const;
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
  if (values.help) return null;
  const [before, after, ...others] = positionals;
  if (before === undefined || after === undefined || others.length > 0) throw new Error('two files are compared: A.json B.json');
  return { before, after };
}

/** Null when not given. */
function roundsOf(given: string | undefined): number | null {
  const rounds = given === undefined ? null : Number(given);
  if (rounds !== null && (!Number.isInteger(rounds) || rounds < 1)) throw new Error(`--rounds is a whole number from 1, not ${given}`);
  return rounds;
}

/** Where something lay is nobody's business. */
export function anonymous(arg: string): string {
  return isAbsolute(arg) ? `…/${basename(arg)}` : arg;
}
