// codis-config slot …

import type { Command } from 'commander';
import type { AssignRangeRequest, CreateMigrationRequest, MigrationView, SlotStatsView, SlotsView, SlotView } from '../../api/index.ts';
import { groupArgument, onlineArgument, slotArgument } from '../arguments.ts';
import { type CarryOutOptions, carryOutOptions, mannerOf, reportMigration } from '../carry-out.ts';
import type { Call } from '../client.ts';
import { showsAll, type Table } from '../output.ts';
import { type Session, sessionOf } from '../session.ts';
import { changeTopology, rangeText, slotsText } from './changes.ts';
import { explainCommand } from './explain.ts';
import { rebalanceCommand } from './plan.ts';
import { busyCommand } from './slot-busy.ts';

export function slotCommands(program: Command): void {
  const slot = program.command('slot').description('the slot table: which group has which slots');
  slot
    .command('init')
    .description('make the slot table, all slots offline')
    .option('-f, --force', 'over an existing one: takes every slot offline')
    .action(async ({ force = false }: { force?: boolean }, command: Command) => {
      const call: Call = { method: 'POST', path: '/slots/init', body: { force } };
      await changeTopology(sessionOf(command), call, 'the slot table is made, all slots are offline');
    });
  slot
    .command('list')
    .description('all slots, as runs')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<SlotsView>('/slots');
      const names = view.slots.map(({ first, last }) => rangeText(first, last));
      const answer = { json: view, table: runsTable(view), names };
      session.print(
        showsAll(session.format) ? { ...answer, ...withStats(view, await session.get<SlotStatsView>('/slots/stats')) } : answer,
      );
    });
  slot
    .command('info')
    .description('one slot')
    .argument('<slot>', '0 to 1023', slotArgument)
    .action(async (number: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<SlotView>(`/slots/${number}`);
      const { state, group, to, migration, server, lastMove } = view;
      const moved = lastMove === null ? null : `${lastMove.at} ${lastMove.from}→${lastMove.to} by migration ${lastMove.migration}`;
      const table = {
        head: ['SLOT', 'STATE', 'GROUP', 'TO', 'MIGRATION', 'SERVER', 'LAST MOVE'],
        rows: [[view.slot, state, group, to, migration, server, moved]],
      };
      session.print({ json: view, table, names: [view.slot] });
    });
  busyCommand(slot);
  explainCommand(slot, { description: 'why is a slot as it is?', argument: ['<slot>', '0 to 1023', slotArgument], query: 'slot' });
  assignCommands(slot);
  migrateCommand(slot);
  rebalanceCommand(slot);
}

function runsTable({ slots }: SlotsView): Table {
  return {
    head: ['SLOTS', 'COUNT', 'STATE', 'GROUP', 'TO', 'MIGRATION'],
    rows: slots.map(({ first, last, state, group, to, migration }) => [
      rangeText(first, last),
      last - first + 1,
      state,
      group,
      to,
      migration,
    ]),
  };
}

/** With what the slots of each run hold together; not known unless it is of all of them. */
function withStats(view: SlotsView, { keysCount, bytes, opsPerSecond, basis }: SlotStatsView): { wide: Table; notes: readonly string[] } {
  const { head, rows } = runsTable(view);
  const total = (column: readonly (number | null)[], { first, last }: { first: number; last: number }) =>
    column.slice(first, last + 1).reduce((sum, one) => (sum === null || one === null ? null : sum + one), 0);
  const wide = view.slots.map((run, index) => [...(rows[index] ?? []), total(keysCount, run), total(bytes, run), total(opsPerSecond, run)]);
  return { wide: { head: [...head, 'KEYS', 'BYTES', 'OPS'], rows: wide }, notes: basis };
}

function assignCommands(slot: Command): void {
  slot
    .command('set')
    .description('give one slot to a group, or take it offline; moves no key')
    .argument('<slot>', '0 to 1023', slotArgument)
    .argument('<group>', 'group id', groupArgument)
    .argument('<status>', 'online or offline', onlineArgument)
    .action((number: number, group: number, status: 'online' | 'offline', _, command: Command) =>
      assign(sessionOf(command), { first: number, last: number, group: status === 'online' ? group : null }),
    );
  slot
    .command('range-set')
    .description('give slots to a group, or take them offline; moves no key')
    .argument('<from>', '0 to 1023', slotArgument)
    .argument('<to>', '0 to 1023', slotArgument)
    .argument('<group>', 'group id', groupArgument)
    .argument('<status>', 'online or offline', onlineArgument)
    .action((first: number, last: number, group: number, status: 'online' | 'offline', _, command: Command) =>
      assign(sessionOf(command), { first, last, group: status === 'online' ? group : null }),
    );
}

async function assign(session: Session, request: AssignRangeRequest): Promise<void> {
  const slots = slotsText(request.first, request.last);
  const done = request.group === null ? `${slots}: offline` : `${slots}: online in group ${request.group}`;
  await changeTopology(session, { method: 'PUT', path: '/slots/range', body: request }, done);
}

function migrateCommand(slot: Command): void {
  const command = slot.command('migrate').description('move slots to a group with their keys, while clients go on');
  carryOutOptions(command)
    .argument('<from>', '0 to 1023', slotArgument)
    .argument('<to>', '0 to 1023', slotArgument)
    .argument('<group>', 'group id', groupArgument)
    .action(async (first: number, last: number, to: number, options: CarryOutOptions, self: Command) => {
      const session = sessionOf(self);
      const request: CreateMigrationRequest = { moves: [{ first, last, to }], ...mannerOf(options) };
      const created = await session.change<MigrationView>({ method: 'POST', path: '/migrations', body: request });
      if (created === null) return;
      const { id } = created;
      const begun = { json: created, table: `migration ${id} moves ${slotsText(first, last)} to group ${to}`, names: [id] };
      await reportMigration(session, { id, begun, ...options });
    });
}
