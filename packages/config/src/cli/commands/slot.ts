// codis-config slot …

import type { Command } from 'commander';
import type { AssignRangeRequest, ChangeView, CreateMigrationRequest, MigrationView, SlotsView, SlotView } from '../../api/index.ts';
import { groupArgument, onlineArgument, slotArgument } from '../arguments.ts';
import { type CarryOutOptions, carryOutOptions, mannerOf, reportMigration } from '../carry-out.ts';
import type { Table } from '../output.ts';
import { type Session, sessionOf } from '../session.ts';
import { changed, rangeText, slotsText } from './changes.ts';
import { rebalanceCommand } from './plan.ts';

export function slotCommands(program: Command): void {
  const slot = program.command('slot').description('the slot table: which group has which slots');
  slot
    .command('init')
    .description('make the slot table, all slots offline')
    .option('-f, --force', 'over an existing one: takes every slot offline')
    .action(async ({ force = false }: { force?: boolean }, command: Command) => {
      const session = sessionOf(command);
      session.print(
        changed(await session.client.post<ChangeView>('/slots/init', { force }), 'the slot table is made, all slots are offline'),
      );
    });
  slot
    .command('list')
    .description('all slots, as runs')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<SlotsView>('/slots');
      session.print({ json: view, table: runsTable(view), names: view.slots.map(({ first, last }) => rangeText(first, last)) });
    });
  slot
    .command('info')
    .description('one slot')
    .argument('<slot>', '0 to 1023', slotArgument)
    .action(async (number: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<SlotView>(`/slots/${number}`);
      const { state, group, to, migration, server } = view;
      const table = {
        head: ['SLOT', 'STATE', 'GROUP', 'TO', 'MIGRATION', 'SERVER'],
        rows: [[view.slot, state, group, to, migration, server]],
      };
      session.print({ json: view, table, names: [view.slot] });
    });
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
  const view = await session.client.put<ChangeView>('/slots/range', request);
  const slots = slotsText(request.first, request.last);
  session.print(changed(view, request.group === null ? `${slots}: offline` : `${slots}: online in group ${request.group}`));
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
      const created = await session.client.post<MigrationView>('/migrations', request);
      const { id } = created;
      const begun = { json: created, table: `migration ${id} moves ${slotsText(first, last)} to group ${to}`, names: [id] };
      await reportMigration(session, { id, begun, ...options });
    });
}
