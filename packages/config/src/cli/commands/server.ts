// codis-config server …: groups and their Redis servers.

import type { Command } from 'commander';
import type { AddServerRequest, CandidatesView, GroupsView, SetServerRequest } from '../../api/index.ts';
import { CodisError } from '../../model/index.ts';
import { addrArgument, groupArgument, onOffOption, roleArgument, zoneOption, zoneOrNoneOption } from '../arguments.ts';
import type { Call } from '../client.ts';
import { badUsage } from '../failures.ts';
import type { Table } from '../output.ts';
import { sessionOf } from '../session.ts';
import { followSync, type SyncOptions, syncOptions } from '../sync.ts';
import { changeTopology } from './changes.ts';
import { explainCommand } from './explain.ts';

export function serverCommands(program: Command): void {
  const server = program.command('server').description('groups and their Redis servers');
  server
    .command('list')
    .description('all groups with their servers')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<GroupsView>('/groups');
      const names = view.groups.flatMap(({ servers }) => servers.map(({ addr }) => addr));
      session.print({ json: view, table: groupsTable(view), wide: wideTable(view), names });
    });
  explainCommand(server, { description: 'why is a group as it is?', argument: ['<group>', 'group id', groupArgument], query: 'group' });
  candidatesCommand(server);
  memberCommands(server);
  setCommand(server);
  groupCommands(server);
}

function candidatesCommand(server: Command): void {
  server
    .command('candidates')
    .description('who could become the master of a group, and what would be lost')
    .argument('<group>', 'group id', groupArgument)
    .action(async (group: number, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<CandidatesView>(`/groups/${group}/candidates`);
      const { master, masterUp, candidates, proxiesBehind } = view;
      const rows = candidates.map(({ addr, up, able, behindBytes, text }) => [
        addr,
        up ? 'up' : 'down',
        able ? 'yes' : 'no',
        behindBytes,
        text,
      ]);
      session.print({
        json: view,
        table: { head: ['SERVER', 'STATE', 'ABLE', 'BEHIND', 'WHAT THAT MEANS'], rows },
        names: candidates.filter(({ able }) => able).map(({ addr }) => addr),
        notes: [
          master === null ? `group ${group} has no master` : `the master of now, ${master}, is ${masterUp ? 'up' : 'down'}`,
          ...(proxiesBehind.length === 0 ? [] : [`may go on asking the old one for a while: ${proxiesBehind.join(', ')}`]),
        ],
      });
    });
}

function groupsTable({ groups }: GroupsView): Table {
  const rows = groups.flatMap(({ id, slotsCount, servers }): Table['rows'] =>
    servers.length === 0 ? [[id, slotsCount, null, null]] : servers.map(({ addr, role }) => [id, slotsCount, addr, role]),
  );
  return { head: ['GROUP', 'SLOTS', 'SERVER', 'ROLE'], rows };
}

function wideTable({ groups }: GroupsView): Table {
  const rows = groups.flatMap(({ id, slotsCount, servers }): Table['rows'] =>
    servers.length === 0
      ? [[id, slotsCount, null, null, null, null]]
      : servers.map(({ addr, role, zone, replicaReads }) => [id, slotsCount, addr, role, zone, replicaReads ? 'on' : 'off']),
  );
  return { head: ['GROUP', 'SLOTS', 'SERVER', 'ROLE', 'ZONE', 'REPLICA READS'], rows };
}

interface SetOptions {
  readonly zone?: string;
  readonly replicaReads?: boolean;
}

function setCommand(server: Command): void {
  server
    .command('set')
    .description('say where a server stands, and whether clients that said READONLY may read from it while it is a replica')
    .argument('<addr>', 'host:port', addrArgument)
    .option('--zone <zone>', 'where it stands, any label; none takes it away', zoneOrNoneOption)
    .option('--replica-reads <on|off>', 'off: the master answers in its place', onOffOption)
    .action(async (addr: string, { zone, replicaReads }: SetOptions, command: Command) => {
      if (zone === undefined && replicaReads === undefined) throw badUsage('say what is to be set: --zone or --replica-reads');
      const session = sessionOf(command);
      const { groups } = await session.get<GroupsView>('/groups');
      const group = groups.find(({ servers }) => servers.some((one) => one.addr === addr));
      if (!group) throw new CodisError('CODIS_E_UNKNOWN_SERVER', `server ${addr} is in no group`);
      const body: SetServerRequest = {
        ...(zone === undefined ? {} : { zone: zone === 'none' ? null : zone }),
        ...(replicaReads === undefined ? {} : { replicaReads }),
      };
      const said = [
        ...(zone === undefined ? [] : [`zone ${zone}`]),
        ...(replicaReads === undefined ? [] : [`replica reads ${replicaReads ? 'on' : 'off'}`]),
      ];
      await changeTopology(session, { method: 'PUT', path: serverPath(group.id, addr), body }, `${addr}: ${said.join(', ')}`);
    });
}

function memberCommands(server: Command): void {
  syncOptions(server.command('add').description('add a server, and its group if need be; a replica is made one'))
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .argument('<role>', 'master, replica or slave', roleArgument)
    .option('-f, --force', 'although it holds keys: a master keeps them, a replica drops them')
    .option('--zone <zone>', 'where it stands, any label', zoneOption)
    .action(async (group: number, addr: string, role: 'master' | 'replica', options: SyncOptions & { zone?: string }, command: Command) => {
      const session = sessionOf(command);
      const { zone } = options;
      const body: AddServerRequest = { addr, role, force: options.force ?? false, ...(zone === undefined ? {} : { zone }) };
      const done = `${addr} is ${role === 'master' ? 'the master' : 'a replica'} of group ${group}`;
      const isDone = await changeTopology(session, { method: 'POST', path: `/groups/${group}/servers`, body }, done);
      if (isDone && role === 'replica' && options.wait) await followSync(session, { addr, ...options });
    });
  server
    .command('remove')
    .description('remove a server; the Redis itself is left alone')
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .action(async (group: number, addr: string, _, command: Command) => {
      const call: Call = { method: 'DELETE', path: serverPath(group, addr) };
      await changeTopology(sessionOf(command), call, `${addr} is no longer in group ${group}`);
    });
  server
    .command('promote')
    .description('make a replica the master of its group')
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .option('-f, --force', 'although it may lack writes')
    .action(async (group: number, addr: string, { force = false }: { force?: boolean }, command: Command) => {
      const call: Call = { method: 'POST', path: `${serverPath(group, addr)}/promote`, body: { force } };
      await changeTopology(sessionOf(command), call, `${addr} is the master of group ${group}`);
    });
  syncOptions(
    server.command('replicate').description('make a server of a group replicate its master, where it does not; drops what it has besides'),
  )
    .argument('<group>', 'group id', groupArgument)
    .argument('<addr>', 'host:port', addrArgument)
    .option('-f, --force', 'although it holds keys, which are dropped')
    .action(async (group: number, addr: string, { force = false, ...options }: SyncOptions, command: Command) => {
      const session = sessionOf(command);
      const call: Call = { method: 'POST', path: `${serverPath(group, addr)}/replicate`, body: { force } };
      const isDone = await changeTopology(session, call, `${addr} replicates the master of group ${group}`);
      if (isDone && options.wait) await followSync(session, { addr, ...options });
    });
}

function groupCommands(server: Command): void {
  server
    .command('add-group')
    .description('add an empty group')
    .argument('<group>', 'group id', groupArgument)
    .action(async (group: number, _, command: Command) => {
      await changeTopology(sessionOf(command), { method: 'POST', path: '/groups', body: { group } }, `group ${group} is added`);
    });
  server
    .command('remove-group')
    .description('remove an empty group')
    .argument('<group>', 'group id', groupArgument)
    .action(async (group: number, _, command: Command) => {
      await changeTopology(sessionOf(command), { method: 'DELETE', path: `/groups/${group}` }, `group ${group} is removed`);
    });
}

function serverPath(group: number, addr: string): string {
  return `/groups/${group}/servers/${encodeURIComponent(addr)}`;
}
