// `npm run bench:move`: a move of half of all slots beside the raw primitive in the same run, and what clients notice of it.
//
// Rounds in turns, so that whatever else the machine does meets all of them alike. A timed move goes from a full source to an empty target; the way back is
// not timed.

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { asSlot } from '@codis/config/model';
import { Redis } from 'ioredis';
import type { Phase } from './answers.ts';
import { Clients } from './clients.ts';
import { keyNames, namesInSlots, populate, shuffled } from './keys.ts';
import { machineFacts } from './machine.ts';
import { inTurn } from './measure.ts';
import { anonymous, MOVE_HELP, type MoveOptions, readMoveOptions } from './options.ts';
import { moveBare } from './primitive.ts';
import { type Product, startProduct } from './product.ts';
import { codisBuild } from './proxies.ts';
import { ratios, summarize } from './statistics.ts';
import { renderFacts, renderTable, withSpread } from './table.ts';
import { say, withWorkbench } from './workbench.ts';

const LAST_SLOT = asSlot(511);
const SLOTS_COUNT = LAST_SLOT + 1;
/** The sizes that others use; beside them goes the one that the product is seen to use, which it is compared with. */
const BATCHES = [64, 256, 512];
const FEW_KEYS = 1000;
const LOADS = [
  { name: 'paced, 3000/s', clientsCount: 16, rate: 3000 },
  { name: 'unpaced', clientsCount: 16, rate: null },
];
const PHASES = ['before', 'during', 'after'] as const;

interface Bench {
  readonly options: MoveOptions;
  readonly names: readonly string[];
  readonly moving: readonly string[];
  readonly ports: readonly [number, number];
  readonly source: Redis;
  readonly product: Product;
  /** Of the bare loop; the last is what a MIGRATE of the product has on average. */
  readonly batches: readonly number[];
}

interface UnderLoad {
  readonly phases: readonly Phase[];
  readonly tookMs: number;
  readonly handOvers: number;
  /** Keys of the moving slots that clients asked for meanwhile. */
  readonly keysTouched: number;
}

interface Results {
  readonly batches: readonly number[];
  /** By batch size, then round. */
  readonly bareMs: readonly number[][];
  readonly productMs: number[];
  readonly emptyMs: number[];
  /** By load, then round. */
  readonly loads: readonly UnderLoad[][];
}

/** Gives the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readMoveOptions(argv);
    if (options === null) process.stdout.write(MOVE_HELP);
    else await compare(options, argv);
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n\n${MOVE_HELP}`);
    return 1;
  }
}

async function compare(options: MoveOptions, argv: readonly string[]): Promise<void> {
  // The load is not redis-benchmark's.
  const { load: _, ...machine } = await machineFacts();
  const facts = { version: (await codisBuild('product', '.')).version, ...machine };
  const results = await withWorkbench(async (bench) => {
    const ports = [await bench.redis(null), await bench.redis(null)] as const;
    const source = new Redis({ port: ports[0], host: '127.0.0.1' });
    bench.add({ stop: async () => source.disconnect() });
    const product = bench.add(await startProduct({ redis: ports, dir: bench.dir }));
    const names = keyNames(options.keysCount);
    const moving = shuffled(namesInSlots(names, LAST_SLOT), 1);
    await populate(source, options.keysCount);
    const batches = [...BATCHES, await batchOf(product, source, moving.length)];
    return measureAll({ options, names, moving, ports, source, product, batches });
  });
  const report = render(results, { facts, options, argv });
  process.stdout.write(report);
  if (options.out !== null) writeFileSync(options.out, report);
}

async function measureAll(bench: Bench): Promise<Results> {
  const { options, source, product, batches } = bench;
  const results: Results = { batches, bareMs: batches.map(() => []), productMs: [], emptyMs: [], loads: LOADS.map(() => []) };
  const subjects = [
    async () => void results.productMs.push(await moveAndBack(product)),
    ...batches.map((batch, at) => async () => void results.bareMs[at]?.push(await bareAndBack(bench, batch))),
  ];
  for (let round = 0; round < options.rounds; round++) {
    say(`round ${round + 1} of ${options.rounds}`);
    await populate(source, options.keysCount);
    for (const subject of inTurn(subjects.length, round)) await subjects[subject]?.();
    for (const [at, load] of LOADS.entries()) results.loads[at]?.push(await moveUnderLoad(bench, load));
    await populate(source, FEW_KEYS);
    results.emptyMs.push(await moveAndBack(product));
  }
  return results;
}

/** How many keys the product hands over at once, on average: it carries them, and deletes what it has carried with one UNLINK. */
async function batchOf(product: Product, source: Redis, keysCount: number): Promise<number> {
  await source.config('RESETSTAT');
  await product.migrate(LAST_SLOT, 2);
  const calls = Number(/cmdstat_unlink:calls=(\d+)/.exec(await source.info('commandstats'))?.[1]);
  await product.migrate(LAST_SLOT, 1);
  say(`the product hands over ${Math.round(keysCount / calls)} keys at once, on average`);
  return Math.round(keysCount / calls);
}

async function moveAndBack(product: Product): Promise<number> {
  const { beganAtMs, endedAtMs } = await product.migrate(LAST_SLOT, 2);
  await product.migrate(LAST_SLOT, 1);
  say(`  product: ${endedAtMs - beganAtMs} ms`);
  return endedAtMs - beganAtMs;
}

async function bareAndBack({ options, moving, source, ports: [from, to] }: Bench, batch: number): Promise<number> {
  const tookMs = await moveBare(moving, { from, to, batch });
  const left = await source.dbsize();
  if (left !== options.keysCount - moving.length) throw new Error(`${left} keys are left at the source`);
  await moveBare(shuffled(moving, 2), { from: to, to: from, batch: 500 });
  say(`  bare loop, batches of ${batch}: ${tookMs.toFixed(0)} ms`);
  return tookMs;
}

async function moveUnderLoad(
  { product, names, moving, options: { watchMs } }: Bench,
  { name, ...load }: (typeof LOADS)[number],
): Promise<UnderLoad> {
  const clients = new Clients({ ...load, port: product.port, keys: names });
  await clients.start();
  try {
    // Connections, caches and compilers get warm.
    await delay(watchMs / 4);
    const fromMs = Date.now();
    await delay(watchMs);
    const toMs = Date.now();
    const handOversBefore = await product.handOvers();
    clients.forgetTouched();
    const { beganAtMs, endedAtMs } = await product.migrate(LAST_SLOT, 2);
    const touched = clients.touchedSoFar();
    const handOvers = (await product.handOvers()) - handOversBefore;
    const afterMs = Date.now();
    await delay(watchMs);
    const spans = [
      [fromMs, toMs],
      [beganAtMs, endedAtMs],
      [afterMs, Date.now()],
    ] as const;
    const phases = spans.map(([from, to]) => clients.answers.phase(from, to));
    // Takes long enough to be seen in the phases.
    const isMoving = new Set(moving);
    const keysTouched = names.filter((name, index) => touched[index] === 1 && isMoving.has(name)).length;
    say(
      `  under load (${name}): ${endedAtMs - beganAtMs} ms, ${phases.map((phase) => phase.requestsPerSecond.toFixed(0)).join(' → ')} requests/s`,
    );
    return { phases, tookMs: endedAtMs - beganAtMs, handOvers, keysTouched };
  } finally {
    clients.stop();
    await product.migrate(LAST_SLOT, 1);
  }
}

function render(
  results: Results,
  { facts, options, argv }: { facts: Readonly<Record<string, string>>; options: MoveOptions; argv: readonly string[] },
): string {
  const about = {
    ...facts,
    moved: `slots 0..${LAST_SLOT} of one server that has ${options.keysCount} keys of 100 bytes, to an empty one`,
    product: 'a dashboard, two proxies with one worker each, a coordinator in files; nothing is tied to a core',
    rounds: `${options.rounds}, in turns; median (quartiles)`,
    command: `\`npm run bench:move -- ${argv.map(anonymous).join(' ')}\``,
  };
  return `# Moving half of all slots\n\n${renderFacts(about)}\n${timesTable(results, options)}\n${loadTable(results)}`;
}

function timesTable({ batches, bareMs, productMs, emptyMs }: Results, { keysCount }: MoveOptions): string {
  const row = (what: string, times: readonly number[], keys: number) => {
    const { median } = summarize(times);
    const to = times === emptyMs ? '' : withSpread(summarize(ratios(times, bareMs.at(-1) ?? [])), 2);
    return [what, withSpread(summarize(times), 0), to, ((keys / median) * 1000).toFixed(0), (median / SLOTS_COUNT).toFixed(2)];
  };
  const rows = [
    ...batches.map((batch, at) => row(`bare MIGRATE, batches of ${batch}`, bareMs[at] ?? [], keysCount / 2)),
    row('slot migrate', productMs, keysCount / 2),
    row(`slot migrate, ${FEW_KEYS} keys in all`, emptyMs, FEW_KEYS / 2),
  ];
  return renderTable(['what', 'ms', `times bare ${batches.at(-1)}`, 'keys/s', 'ms/slot'], rows);
}

function loadTable({ loads }: Results): string {
  const header = [
    'clients',
    'phase',
    'requests/s',
    'of before',
    'p50, ms',
    'p99, ms',
    'max, ms',
    'move, ms',
    'hand-overs',
    'keys asked for',
  ];
  const rows = loads.flatMap((rounds, load) =>
    PHASES.map((phase, at) => {
      const of = (pick: (phase: Phase) => number) => rounds.map(({ phases }) => pick(phases[at] as Phase));
      const rates = of(({ requestsPerSecond }) => requestsPerSecond);
      const before = rounds.map(({ phases }) => phases[0]?.requestsPerSecond ?? Number.NaN);
      const spread = (values: readonly number[], digits: number) => withSpread(summarize(values), digits);
      const whole = (pick: (round: UnderLoad) => number) => (phase === 'during' ? summarize(rounds.map(pick)).median.toFixed(0) : '');
      return [
        LOADS[load]?.name ?? '',
        phase,
        spread(rates, 0),
        spread(ratios(rates, before), 2),
        ...[({ p50Ms }: Phase) => p50Ms, ({ p99Ms }: Phase) => p99Ms, ({ maxMs }: Phase) => maxMs].map((pick) => spread(of(pick), 2)),
        whole(({ tookMs }) => tookMs),
        whole(({ handOvers }) => handOvers),
        whole(({ keysTouched }) => keysTouched),
      ];
    }),
  );
  return renderTable(header, rows);
}

process.exit(await main(process.argv.slice(2)));
