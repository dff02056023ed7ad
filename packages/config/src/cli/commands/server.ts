// codis-config server …: groups and their Redis servers.

import type { Command } from 'commander';
import type { AddServerRequest, ChangeView, GroupsView } from '../../api/index.ts';
import { addrArgument, groupArgument, roleArgument } from '../arguments.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';
import { changed } from './changes.ts';

export function serverCommands(program: Command): void {
  const server = program.command('server').description('groups and their Redis servers');
  server
    .command('list')
    .description('all groups with their servers')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.get<GroupsView>('/groups');
      session.print({ json: view, table: groupsTable(view), names: view.groups.flatMap(({ servers }) => servers.map(({ addr }) => addr)) });
    });
  memberCommands(server);
  groupCommands(server);
}

function groupsTable({ groups }: GroupsView): Table {
  const rows = groups.flatMap(({ id, slotsCount, servers }): Table['rows'] =>
    servers.length === 0 ? [[id, slotsCount, null, null]] : servers.map(({ addr, role }) => [id, slotsCount, addr, role]),
  );
  return { head: ['GROUP', 'SLOTS', 'SERVER', 'ROLE'], rows };
}

function memberCommands(server: Command): void {
  server
    .command('add')
    .description('add a server, and its group if need be; a replica is made one')
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .argument('<role>', 'master, replica or slave', roleArgument)
    .option('-f, --force', 'although it holds keys: a master keeps them, a replica drops them')
    .action(async (group: number, addr: string, role: 'master' | 'replica', { force = false }: { force?: boolean }, command: Command) => {
      const session = sessionOf(command);
      const request: AddServerRequest = { addr, role, force };
      const view = await session.client.post<ChangeView>(`/groups/${group}/servers`, request);
      session.print(changed(view, `${addr} is a ${role} of group ${group}`.replace('a master', 'the master')));
    });
  server
    .command('remove')
    .description('remove a server; the Redis itself is left alone')
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .action(async (group: number, addr: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.delete<ChangeView>(serverPath(group, addr));
      session.print(changed(view, `${addr} is no longer in group ${group}`));
    });
  server
    .command('promote')
    .description('make a replica the master of its group')
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .option('-f, --force', 'although it may lack writes')
    .action(async (group: number, addr: string, { force = false }: { force?: boolean }, command: Command) => {
      const session = sessionOf(command);
      const view = await session.client.post<ChangeView>(`${serverPath(group, addr)}/promote`, { force });
      session.print(changed(view, `${addr} is the master of group ${group}`));
    });
}

function groupCommands(server: Command): void {
  server
    .command('add-group')
    .description('add an empty group')
    .argument('<group>', 'group id', groupArgument)
    .action(async (group: number, _, command: Command) => {
      const session = sessionOf(command);
      session.print(changed(await session.client.post<ChangeView>('/groups', { group }), `group ${group} is added`));
    });
  server
    .command('remove-group')
    .description('remove an empty group')
    .argument('<group>', 'group id', groupArgument)
    .action(async (group: number, _, command: Command) => {
      const session = sessionOf(command);
      session.print(changed(await session.client.delete<ChangeView>(`/groups/${group}`), `group ${group} is removed`));
    });
}

function serverPath(group: number, addr: string): string {
  return `/groups/${group}/servers/${encodeURIComponent(addr)}`;
}
