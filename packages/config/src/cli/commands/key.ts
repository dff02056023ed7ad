// codis-config key …: where a key lives, and keys that are where they should not be.

import { type Command, Option } from 'commander';
import type {
  BigKeysView,
  HotKeysView,
  KeyLocationView,
  MendActionName,
  MendKeysRequest,
  MendView,
  SlotStatsView,
} from '../../api/index.ts';
import { CodisError, slotOf } from '../../model/index.ts';
import { groupArgument, momentOf, numberOption, slotArgument, slotRangeArgument } from '../arguments.ts';
import { queryText } from '../client.ts';
import type { Answer } from '../output.ts';
import { type Globals, printerOf, sessionOf } from '../session.ts';

const HOT_SHOWN = 20;
/** All servers are looked through, for some seconds each. */
const REFRESH_TIMEOUT_MS = 300_000;
/** It may look at every key of a large server. */
const MEND_TIMEOUT_MS = 3_600_000;

export function keyCommands(program: Command): void {
  const key = program.command('key').description('where keys live, and those that are elsewhere');
  key
    .command('slot')
    .description('the slot a key lives in')
    .argument('<key>', 'the key')
    .action((name: string, _, command: Command) => {
      const slot = slotOf(Buffer.from(name));
      printerOf(command.optsWithGlobals<Globals>().output).print({
        json: { key: name, slot },
        table: { head: ['KEY', 'SLOT'], rows: [[name, slot]] },
        names: [slot],
      });
    });
  locateCommand(key);
  hotCommand(key);
  bigCommand(key);
  mendCommand(key);
}

function locateCommand(key: Command): void {
  key
    .command('locate')
    .description('where a key lives now: its slot, group and server')
    .argument('<key>', 'the key')
    .option('--hex', 'the key is given as hexadecimal digits')
    .action(async (name: string, { hex }: { hex?: boolean }, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<KeyLocationView>(`/keys/locate?${queryText(hex ? { keyHex: name } : { key: name })}`);
      const { slot, tag, state, group, to, migration, server } = view;
      session.print({
        json: view,
        table: {
          head: ['KEY', 'TAG', 'SLOT', 'STATE', 'GROUP', 'TO', 'MIGRATION', 'SERVER'],
          rows: [[view.key, tag, slot, state, group, to, migration, server]],
        },
        names: server === null ? [] : [server],
        notes: server === null ? [`nothing serves slot ${slot}; see why with: codis-config slot explain ${slot}`] : [],
      });
    });
}

function hotCommand(key: Command): void {
  key
    .command('hot')
    .description(
      'the keys that clients ask for most, now or in a minute of the last six hours, as proxies find out by looking at some of the requests',
    )
    .option('--slot <slot>', 'only keys of this slot', slotArgument)
    .option('--at <time>', 'of the minute this time is in: 14:05, or 2026-01-31T14:05Z', (text) => momentOf(text, new Date()))
    .option('--limit <count>', 'at most this many', numberOption('--limit', { min: 1, max: 1000 }), HOT_SHOWN)
    .action(async ({ limit, slot, at }: { limit: number; slot?: number; at?: Date }, command: Command) => {
      const session = sessionOf(command);
      const seconds = at === undefined ? undefined : Math.floor(at.getTime() / 1000);
      const view = await session.get<HotKeysView>(`/keys/hot?${queryText({ limit, slot, at: seconds })}`);
      session.print({
        json: view,
        table: {
          head: ['KEY', 'SLOT', 'GROUP', 'DB', 'OPS', 'TOO HIGH BY UP TO'],
          rows: view.keys.map((hot) => [hot.key, hot.slot, hot.group, hot.db, hot.opsPerSecond, hot.overPerSecond]),
        },
        names: view.keys.map(({ key: name }) => name),
        notes: [...(view.minute === null ? [] : [`of the minute from ${view.minute.from} on`]), ...view.basis],
      });
    });
}

function bigCommand(key: Command): void {
  key
    .command('big')
    .description('the largest keys that were met when the servers were last looked through')
    .option('--refresh', 'look through the servers now, which takes some of their time')
    .action(async ({ refresh }: { refresh?: boolean }, command: Command) => {
      const session = sessionOf(command);
      if (refresh) await session.get<SlotStatsView>('/slots/stats?refresh=true', { timeoutMs: REFRESH_TIMEOUT_MS });
      const view = await session.get<BigKeysView>('/keys/big');
      session.print({
        json: view,
        table: {
          head: ['KEY', 'SLOT', 'GROUP', 'DB', 'BYTES'],
          rows: view.keys.map(({ key: name, slot, group, db, bytes }) => [name, slot, group, db, bytes]),
        },
        names: view.keys.map(({ key: name }) => name),
        notes: [...(view.at === null ? [] : [`as of ${view.at}`]), ...view.basis],
      });
    });
}

interface MendOptions {
  readonly group: number;
  readonly slots?: { readonly first: number; readonly last: number };
  readonly move?: boolean;
  readonly delete?: boolean;
  readonly dryRun?: boolean;
}

function mendCommand(key: Command): void {
  key
    .command('mend')
    .description('clean up keys in a group that does not own their slot; without --move or --delete it only looks')
    .requiredOption('--group <id>', 'the group that holds them', groupArgument)
    .option('--slots <first-last>', 'only keys of these slots', slotRangeArgument)
    .addOption(
      new Option(
        '--move',
        'hand each key to the group that owns it; what the owner has wins. Brings back keys that were deleted there since',
      ).conflicts('delete'),
    )
    .option('--delete', 'delete them in this group. What the owner does not have is gone for good')
    .option('--dry-run', 'only say what there is')
    .action(async (options: MendOptions, command: Command) => {
      const session = sessionOf(command);
      const action = actionOf(options);
      const body: MendKeysRequest = { action, ...(options.slots ? { slots: options.slots } : {}) };
      const path = `/groups/${options.group}/keys/mend`;
      const view = await session.look<MendView>({ method: 'POST', path, body, timeoutMs: MEND_TIMEOUT_MS });
      session.print(answerOf(view, options));
    });
}

function actionOf({ move, delete: remove, dryRun, slots }: MendOptions): MendActionName {
  if (slots && slots.last < slots.first) {
    throw new CodisError('CODIS_E_BAD_SLOT', `the range ${slots.first}..${slots.last} runs backwards`);
  }
  if (dryRun || (!move && !remove)) return 'preview';
  return move ? 'move' : 'delete';
}

function answerOf(view: MendView, { group }: MendOptions): Answer {
  const { slots, action, movedCount, deletedCount, exact, examples } = view;
  const total = slots.reduce((sum, { keysCount }) => sum + keysCount, 0);
  const names = slots.map(({ slot }) => slot);
  if (action !== 'preview') {
    return {
      json: view,
      table: `group ${group}: ${movedCount} keys moved to their owners, ${deletedCount} deleted`,
      names,
      notes: view.notes,
    };
  }
  if (total === 0) return { json: view, table: `group ${group} holds no misplaced keys`, names, notes: view.notes };
  return {
    json: view,
    headline: `group ${group} holds ${exact ? '' : 'about '}${total} misplaced keys, like ${examples.join(', ')}`,
    table: {
      head: ['SLOT', 'OWNER', 'KEYS', 'OWNER HAS TOO'],
      rows: slots.map(({ slot, owner, keysCount, atOwnerCount }) => [slot, owner, keysCount, atOwnerCount]),
    },
    names,
    notes: [
      ...view.notes,
      'nothing was changed. --move hands them to their owners; one that was deleted there since comes back from the dead',
      '--delete deletes them here; one that its owner does not have is gone for good',
    ],
  };
}
