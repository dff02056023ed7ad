// The command line of the benchmarks.

import { parseArgs } from 'node:util';

export interface CostOptions {
  /** Checkouts, built. */
  readonly before: string;
  readonly after: string;
  readonly rounds: number;
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
  --quick        few rounds, few requests: to see that it works
  --out FILE     write the table there too
`;

/** Null when help was asked for. Throws an Error for what can't be meant. */
export function readCostOptions(argv: readonly string[]): CostOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: { before: text, after: text, rounds: text, out: text, quick: flag, help: flag },
  });
  if (values.help) return null;
  if (values.before === undefined) throw new Error('--before names the checkout to compare with');
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 21));
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds is a whole number from 1, not ${values.rounds}`);
  return { before: values.before, after: values.after ?? '.', rounds, requests: values.quick ? 5_000 : 20_000, out: values.out ?? null };
}
