// What servers are before they are added, a cluster made of them, and who of a group could become its master.

import type { CandidatesView, ProbeServersRequest, ProbeView, SetupRequest, SetupView } from '@codis/config/api';
import { asGroupId } from '@codis/config/model';
import { probeServers, promotionCandidates, setUp } from '@codis/config/operations';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { Addr, answers, Count, describes, GroupId, nullable, object, words } from '../schemas.ts';

const ADDRS_MAX = 256;
const Role = words('master', 'replica');
const Texts = Type.Array(Type.String());
const ProposedGroup = object({ group: GroupId, servers: Type.Array(object({ addr: Addr, role: Role }), { maxItems: ADDRS_MAX }) });
const ProbeBody = describes<ProbeServersRequest>()(object({ addrs: Type.Array(Addr, { minItems: 1, maxItems: ADDRS_MAX }) }));
const ProbeSchema = describes<ProbeView>()(
  object({
    servers: Type.Array(
      object({
        addr: Addr,
        role: nullable(Role),
        master: nullable(Type.String()),
        linkUp: nullable(Type.Boolean()),
        version: nullable(Type.String()),
        keysCount: nullable(Count),
        usedMemoryBytes: nullable(Count),
        maxMemoryBytes: nullable(Count),
        replicasCount: nullable(Count),
        persistence: nullable(Type.String()),
        group: nullable(GroupId),
        problem: nullable(Type.String()),
      }),
    ),
    groups: Type.Array(ProposedGroup),
    warnings: Texts,
    cli: Texts,
  }),
);
const SetupBody = describes<SetupRequest>()(
  object({ groups: Type.Array(ProposedGroup, { minItems: 1, maxItems: ADDRS_MAX }), force: Type.Optional(Type.Boolean()) }),
);
const SetupSchema = describes<SetupView>()(object({ epoch: Count, steps: Texts, notes: Texts }));
const CandidatesSchema = describes<CandidatesView>()(
  object({
    group: GroupId,
    master: nullable(Addr),
    masterUp: Type.Boolean(),
    candidates: Type.Array(
      object({ addr: Addr, up: Type.Boolean(), behindBytes: nullable(Count), able: Type.Boolean(), text: Type.String() }),
    ),
    proxiesBehind: Texts,
  }),
);

export function setupRoutes(app: App, context: Context): void {
  app.post(
    '/servers/probe',
    {
      schema: {
        summary: 'Ask servers what they are, and propose groups; changes nothing',
        body: ProbeBody,
        response: answers(ProbeSchema),
      },
    },
    async (request): Promise<ProbeView> => {
      const { servers, proposal, cli } = await probeServers(callerOf(context, request), request.body);
      return {
        ...proposal,
        cli,
        servers: servers.map(({ addr, probe, persistence, group, problem }) => ({
          addr,
          role: probe?.role ?? null,
          master: probe?.master?.addr ?? null,
          linkUp: probe?.master?.linkUp ?? null,
          version: probe?.version ?? null,
          keysCount: probe?.keysCount ?? null,
          usedMemoryBytes: probe?.usedMemoryBytes ?? null,
          maxMemoryBytes: probe?.maxMemoryBytes ?? null,
          replicasCount: probe?.replicasCount ?? null,
          persistence,
          group,
          problem,
        })),
      };
    },
  );
  app.post(
    '/setup',
    {
      schema: {
        summary: 'Make slot table and groups of servers, and give all slots that have no group to them, evenly',
        body: SetupBody,
        response: answers(SetupSchema),
      },
    },
    (request) => setUp(callerOf(context, request), { groups: request.body.groups, force: request.body.force ?? false }),
  );
  app.get(
    '/groups/:group/candidates',
    {
      schema: {
        summary: 'Who of a group could become its master, best first',
        params: Type.Object({ group: GroupId }),
        response: answers(CandidatesSchema),
      },
    },
    async (request) => {
      const group = asGroupId(request.params.group);
      return { group, ...(await promotionCandidates(callerOf(context, request), { group })) };
    },
  );
}
