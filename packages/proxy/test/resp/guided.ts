// Fuzzing that is guided by what the code under test does: an input that runs a block of it which none ran before, or runs one much more often, is kept,
// and more is made of it. V8 counts the blocks (precise coverage); the same counts say how many steps an input took.

import { type Profiler, Session } from 'node:inspector/promises';
import fc from 'fast-check';
import { mutation } from './mutations.ts';

export interface Run {
  /** Each block that was run, with how often, by powers of two. */
  readonly features: string[];
  /** How often any block was run, in all. */
  readonly steps: number;
}

/** Counts blocks of the sources whose path contains `under`. Close it: counting makes everything slower. */
export class BlockCounter {
  readonly #session = new Session();
  readonly #under: string;
  /** Blocks seen so far, and whether they were ever run. */
  readonly blocks = new Map<string, boolean>();

  constructor(under: string) {
    this.#under = under;
    this.#session.connect();
  }

  async start(): Promise<void> {
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async count(action: () => void): Promise<Run> {
    await this.#take();
    action();
    const run = { features: [] as string[], steps: 0 };
    for (const { name, count } of await this.#take()) {
      this.blocks.set(name, count > 0 || (this.blocks.get(name) ?? false));
      run.steps += count;
      if (count > 0) run.features.push(`${name}×${Math.floor(Math.log2(count))}`);
    }
    return run;
  }

  async close(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  async #take(): Promise<{ name: string; count: number }[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    return result.filter(({ url }) => url.includes(this.#under)).flatMap(blocksOf);
  }
}

function blocksOf({ functions }: Profiler.ScriptCoverage): { name: string; count: number }[] {
  return functions.flatMap(({ functionName, ranges }) =>
    ranges.map(({ startOffset, count }) => ({ name: `${functionName}@${startOffset}`, count })),
  );
}

export interface Exploration {
  readonly runs: number;
  /** Inputs that ran something new, the first ones included. */
  readonly corpus: readonly Buffer[];
}

const INPUT_BYTES_MAX = 2000;

/** Runs `check` on `runs` inputs made of `seeds`. Throws what `check` throws, with the input. */
export async function explore(options: {
  readonly counter: BlockCounter;
  readonly seeds: readonly Buffer[];
  readonly runs: number;
  readonly check: (input: Buffer) => void;
  readonly stepsMax: (input: Buffer) => number;
}): Promise<Exploration> {
  const { counter, seeds, runs, check, stepsMax } = options;
  const corpus: Buffer[] = [];
  const known = new Set<string>();
  const choices = fc.sample(fc.tuple(fc.nat(), fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 4 })), runs);
  const pick = (number: number) => corpus[number % corpus.length] ?? Buffer.alloc(0);
  const tryOut = async (input: Buffer) => {
    const { features, steps } = await counter.count(() => withInput(input, check));
    if (steps > stepsMax(input)) throw new Error(`${steps} steps for ${input.length} bytes: ${JSON.stringify(input.toString('latin1'))}`);
    if (features.every((feature) => known.has(feature))) return;
    for (const feature of features) known.add(feature);
    corpus.push(input);
  };
  for (const seed of seeds) await tryOut(seed);
  for (const [one, two, mutations] of choices) {
    const child = mutations.reduce((input, mutate) => mutate(input, pick(two)), pick(one));
    await tryOut(child.subarray(0, INPUT_BYTES_MAX));
  }
  return { runs, corpus };
}

function withInput(input: Buffer, check: (input: Buffer) => void): void {
  try {
    check(input);
  } catch (cause) {
    throw new Error(`with ${JSON.stringify(input.toString('latin1'))}`, { cause });
  }
}
