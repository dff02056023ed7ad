// How busy each slot was, minute by minute.

import type { SlotHistoryView } from '@codis/config/api';
import { CodisError, SLOT_COUNT } from '@codis/config/model';
import Type from 'typebox';
import type { App, Context } from '../context.ts';
import { answers, Count, describes, nullable, object, Slot, UnixSeconds } from '../schemas.ts';

const SlotHistorySchema = describes<SlotHistoryView>()(
  object({
    from: nullable(Count),
    stepSeconds: Count,
    minutesCount: Count,
    first: Slot,
    last: Slot,
    levels: Type.String(),
    least: Type.Number(),
    ratio: Type.Number(),
  }),
);

export function slotHistoryRoutes(app: App, { slotWatch }: Context): void {
  app.get(
    '/slots/history',
    {
      schema: {
        summary: 'Requests a second for each slot, minute by minute, of the last six hours at most; a byte each',
        querystring: Type.Object({
          from: Type.Optional(UnixSeconds),
          to: Type.Optional(UnixSeconds),
          first: Type.Optional(Slot),
          last: Type.Optional(Slot),
        }),
        response: answers(SlotHistorySchema),
      },
    },
    async ({ query: { from = 0, to = Number.MAX_SAFE_INTEGER, first = 0, last = SLOT_COUNT - 1 } }) => {
      if (last < first) throw new CodisError('CODIS_E_BAD_REQUEST', `slots ${first}-${last} run backwards`);
      return slotWatch.history.view({ from, to, first, last });
    },
  );
}
