// codis-config config …: the config file checked, and the topology taken from the coordinator and put back, for emergencies. Asks no dashboard.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CodisError, slotRuns } from '../../model/index.ts';
import type { Caller, Restored, TopologyDump } from '../../operations/index.ts';
import { loadSettings } from '../../settings/index.ts';
import { actor } from '../client.ts';
import { jsonText } from '../data-text.ts';
import { dryRunAnswer } from '../dry-run.ts';
import { oneLine, type Table } from '../output.ts';
import { type Globals, type Printer, printerOf, storeSettingsOf } from '../session.ts';
import { storeText } from '../store-address.ts';
import { rangeText } from './changes.ts';

const READY_MS = 10_000;

export function configCommands(program: Command): void {
  const config = program.command('config').description('the config file, and the topology as a file');
  config
    .command('dump')
    .description('the topology, to be kept in a file; read from the coordinator itself')
    .action((_, command: Command) => inStore(command, dump));
  config
    .command('validate')
    .description('check a config file, or a file with a topology')
    .argument('[file]', 'the config file unless said')
    .action((file: string | undefined, _, command: Command) => validate(command, file));
  config
    .command('restore')
    .description('put a topology back that was lost; written to the coordinator itself')
    .argument('<file>', 'what config dump has printed')
    .option('-f, --force', 'over the topology that is there: slots change their group, keys stay where they are')
    .option('--dry-run', 'only say what would be done')
    .action((file: string, options: { force?: boolean; dryRun?: boolean }, command: Command) =>
      inStore(command, (caller, printer) => restore(caller, printer, { file, ...options })),
    );
}

/** Runs `use` on the coordinator that the command line names. Loads what it needs only now: it is heavy. */
async function inStore(command: Command, use: (caller: Caller, printer: Printer) => Promise<void>): Promise<void> {
  const settings = storeSettingsOf(command);
  const printer = printerOf(command.optsWithGlobals<Globals>().output);
  printer.note(`this is about ${storeText(settings)}, not about what a dashboard says`);
  const { openCoordinator } = await import('../../coordinator/index.ts');
  const coordinator = openCoordinator(settings);
  try {
    await coordinator.ready(READY_MS);
    await use(
      { coordinator, product: settings.product_name, password: settings.product_auth, actor: `${actor()}@store`, via: 'claimed' },
      printer,
    );
  } finally {
    await coordinator.close();
  }
}

async function dump(caller: Caller, printer: Printer): Promise<void> {
  const { takeDump, encodeDump } = await import('../../operations/index.ts');
  const taken = await takeDump(caller);
  const json = encodeDump(taken);
  printer.print({ json, table: jsonText(json).trimEnd(), wide: slotsTable(taken), names: taken.topology.groups.map(({ id }) => id) });
}

function slotsTable({ topology }: TopologyDump): Table {
  return {
    head: ['SLOTS', 'COUNT', 'STATE', 'GROUP', 'TO'],
    rows: slotRuns(topology).map(({ first, last, state }) => {
      const owner = state.kind === 'offline' ? null : state.kind === 'online' ? state.owner : state.from;
      const to = state.kind === 'locked' || state.kind === 'migrating' ? state.to : null;
      return [rangeText(first, last), last - first + 1, state.kind, owner, to];
    }),
  };
}

async function validate(command: Command, file: string | undefined): Promise<void> {
  const { config, output } = command.optsWithGlobals<Globals>();
  const text = file === undefined ? '' : readText(file);
  const { what, summary, path } = text.trimStart().startsWith('{')
    ? { what: 'topology', summary: dumpText(await decode(text)), path: file ?? '' }
    : { what: 'settings', ...checkSettings(file ?? config) };
  printerOf(output).print({
    json: { file: path, kind: what, valid: true, summary },
    table: `${path} is right: ${summary}`,
    wide: { head: ['FILE', 'KIND', 'SUMMARY'], rows: [[path, what, summary]] },
    names: [path],
  });
}

/** Throws CODIS_E_BAD_CONFIG with all that is wrong. */
function checkSettings(given: string | undefined): { summary: string; path: string } {
  const { settings, file } = loadSettings({ file: given });
  const summary = `product ${settings.product_name}, coordinator ${storeText(settings)}, dashboard at ${settings.dashboard_addr}`;
  return { summary, path: file ?? '(no file, the defaults)' };
}

async function decode(text: string): Promise<TopologyDump> {
  return (await import('../../operations/index.ts')).decodeDump(text);
}

function dumpText({ product, epoch, takenAt, topology }: TopologyDump): string {
  return oneLine(`topology of ${product} at epoch ${epoch}, taken ${takenAt}: ${topology.groups.length} groups`);
}

async function restore(caller: Caller, printer: Printer, options: { file: string; force?: boolean; dryRun?: boolean }): Promise<void> {
  const { file, force = false, dryRun = false } = options;
  const taken = await decode(readText(file));
  const { restoreDump } = await import('../../operations/index.ts');
  const restored = await restoreDump(caller, { dump: taken, force, dryRun });
  const object = `topology of epoch ${taken.epoch}`;
  const before = restored.before === null ? null : `epoch ${restored.before}`;
  if (dryRun) {
    const would = [{ action: 'config.restore', object, epoch: restored.epoch, before, after: dumpText(taken) }];
    return printer.print(dryRunAnswer({ dryRun: true, would, plan: null, notes: notesOf(restored) }));
  }
  printer.print({
    json: { epoch: restored.epoch, notes: notesOf(restored) },
    table: `the ${object} is restored (epoch ${restored.epoch})`,
    names: [restored.epoch],
    notes: notesOf(restored),
  });
}

function notesOf({ reassignedCount, adoptable }: Restored): string[] {
  return [
    ...(reassignedCount === 0
      ? []
      : [`${reassignedCount} slots change their group; their keys stay where they are, codis-config doctor finds them`]),
    ...adoptable.map(
      (id) =>
        `slots are in the middle of migration ${id}, of which there is no record; have it go on with: codis-config migration adopt ${id}`,
    ),
  ];
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CodisError('CODIS_E_BAD_CONFIG', `${file} can't be read: ${(cause as Error).message}`, { cause });
  }
}
