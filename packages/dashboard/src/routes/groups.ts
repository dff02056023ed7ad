// Groups and their servers.

import type { GroupView } from '@codis/config/api';
import { asGroupId, asServerAddr, requireGroup } from '@codis/config/model';
import {
  addGroup,
  addServer,
  promoteServer,
  readTopology,
  removeGroup,
  removeServer,
  replicateServer,
  setServer,
} from '@codis/config/operations';
import { groupViews } from '@codis/config/status';
import Type from 'typebox';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import {
  AddGroupBody,
  Addr,
  AddServerBody,
  answers,
  ChangeSchema,
  GroupId,
  GroupSchema,
  GroupsSchema,
  PromoteServerBody,
  ReplicateServerBody,
  SetServerBody,
} from '../schemas.ts';

const GroupParams = Type.Object({ group: GroupId });
const ServerParams = Type.Object({ group: GroupId, addr: Addr });

export function groupRoutes(app: App, context: Context): void {
  app.get('/groups', { schema: { summary: 'All groups with their servers', response: answers(GroupsSchema) } }, async () => {
    const { epoch, topology } = await readTopology(context);
    return { epoch, groups: groupViews(topology) };
  });
  app.get(
    '/groups/:group',
    { schema: { summary: 'One group', params: GroupParams, response: answers(GroupSchema) } },
    async ({ params }) => {
      const { topology } = await readTopology(context);
      const { id } = requireGroup(topology, asGroupId(params.group));
      return groupViews(topology).find((view) => view.id === id) as GroupView;
    },
  );
  app.post(
    '/groups',
    { schema: { summary: 'Add an empty group', body: AddGroupBody, response: answers(ChangeSchema) } },
    async (request) => {
      const { epoch } = await addGroup(callerOf(context, request), { ...expectingOf(request), group: asGroupId(request.body.group) });
      return { epoch, notes: [] };
    },
  );
  app.delete(
    '/groups/:group',
    { schema: { summary: 'Remove an empty group', params: GroupParams, response: answers(ChangeSchema) } },
    async (request) => {
      const { epoch } = await removeGroup(callerOf(context, request), { ...expectingOf(request), group: asGroupId(request.params.group) });
      return { epoch, notes: [] };
    },
  );
  serverRoutes(app, context);
  replicateRoute(app, context);
  setRoute(app, context);
}

function serverRoutes(app: App, context: Context): void {
  app.post(
    '/groups/:group/servers',
    {
      schema: {
        summary: 'Add a server, and its group if need be',
        params: GroupParams,
        body: AddServerBody,
        response: answers(ChangeSchema),
      },
    },
    async (request) => {
      const { addr, role, force, zone } = request.body;
      const { epoch, notes } = await addServer(callerOf(context, request), {
        ...expectingOf(request),
        group: asGroupId(request.params.group),
        addr: asServerAddr(addr),
        role: role === 'slave' ? 'replica' : role,
        force: force ?? false,
        ...(zone === undefined ? {} : { zone }),
      });
      return { epoch, notes };
    },
  );
  app.delete(
    '/groups/:group/servers/:addr',
    { schema: { summary: 'Remove a server; the Redis itself is left alone', params: ServerParams, response: answers(ChangeSchema) } },
    async (request) => {
      const { epoch, notes } = await removeServer(callerOf(context, request), { ...expectingOf(request), ...serverOf(request.params) });
      return { epoch, notes };
    },
  );
  app.post(
    '/groups/:group/servers/:addr/promote',
    { schema: { summary: 'Make a server the master', params: ServerParams, body: PromoteServerBody, response: answers(ChangeSchema) } },
    async (request) => {
      const force = request.body.force ?? false;
      const target = { ...expectingOf(request), ...serverOf(request.params), force };
      const { epoch, notes } = await promoteServer(callerOf(context, request), target);
      return { epoch, notes };
    },
  );
}

function replicateRoute(app: App, context: Context): void {
  app.post(
    '/groups/:group/servers/:addr/replicate',
    {
      schema: {
        summary: 'Have a replica follow the master of its group',
        params: ServerParams,
        body: ReplicateServerBody,
        response: answers(ChangeSchema),
      },
    },
    async (request) => {
      const target = { ...expectingOf(request), ...serverOf(request.params), force: request.body.force ?? false };
      const { epoch, notes } = await replicateServer(callerOf(context, request), target);
      return { epoch, notes };
    },
  );
}

function setRoute(app: App, context: Context): void {
  app.put(
    '/groups/:group/servers/:addr',
    {
      schema: {
        summary: 'Say where a server stands, and whether clients may read from it while it is a replica',
        params: ServerParams,
        body: SetServerBody,
        response: answers(ChangeSchema),
      },
    },
    async (request) => {
      const target = { ...expectingOf(request), ...serverOf(request.params), settings: request.body };
      const { epoch, notes } = await setServer(callerOf(context, request), target);
      return { epoch, notes };
    },
  );
}

function serverOf({ group, addr }: { group: number; addr: string }) {
  return { group: asGroupId(group), addr: asServerAddr(addr) };
}
