// The topology as a whole, and its slots.

import { asSlot, lastMoves, masterOf, requireGroup, slotState } from '@codis/config/model';
import { assignRange, initSlots, offlineRange, readTopology } from '@codis/config/operations';
import { servingGroup, slotRunViews, slotStateView, topologyView } from '@codis/config/status';
import Type from 'typebox';
import { type App, type Context, callerOf, etagOf, expectingOf } from '../context.ts';
import { AssignRangeBody, answers, ChangeSchema, InitSlotsBody, Slot, SlotSchema, SlotsSchema, TopologySchema } from '../schemas.ts';
import { rangeOf } from './parse.ts';

export function topologyRoutes(app: App, context: Context): void {
  app.get(
    '/topology',
    { schema: { summary: 'Slots and groups at one epoch, which is the ETag', response: answers(TopologySchema) } },
    async (_, reply) => {
      const current = await readTopology(context);
      reply.header('etag', etagOf(current.epoch));
      return topologyView(current);
    },
  );
  slotRoutes(app, context);
}

function slotRoutes(app: App, context: Context): void {
  app.get('/slots', { schema: { summary: 'The slot table as runs of equal slots', response: answers(SlotsSchema) } }, async () => {
    const { epoch, topology } = await readTopology(context);
    return { epoch, slots: slotRunViews(topology) };
  });
  app.get(
    '/slots/:slot',
    { schema: { summary: 'One slot', params: Type.Object({ slot: Slot }), response: answers(SlotSchema) } },
    async ({ params }) => {
      const { epoch, topology } = await readTopology(context);
      const slot = asSlot(params.slot);
      const state = slotState(topology, slot);
      const group = servingGroup(state);
      const server = group === null ? null : (masterOf(requireGroup(topology, group)) ?? null);
      const lastMove = lastMoves(await context.migrations()).get(slot) ?? null;
      return { epoch, slot, ...slotStateView(state), server, lastMove };
    },
  );
  app.post(
    '/slots/init',
    { schema: { summary: 'Make the slot table, all slots offline', body: InitSlotsBody, response: answers(ChangeSchema) } },
    async (request) => {
      const { epoch } = await initSlots(callerOf(context, request), { ...expectingOf(request), force: request.body.force ?? false });
      return { epoch, notes: [] };
    },
  );
  app.put(
    '/slots/range',
    {
      schema: {
        summary: 'Give slots to a group, or take them offline; moves no key',
        body: AssignRangeBody,
        response: answers(ChangeSchema),
      },
    },
    async (request) => {
      const { owner, ...range } = { ...rangeOf(request.body), ...expectingOf(request) };
      const caller = callerOf(context, request);
      const { epoch } = owner === null ? await offlineRange(caller, range) : await assignRange(caller, { ...range, owner });
      return { epoch, notes: [] };
    },
  );
}
