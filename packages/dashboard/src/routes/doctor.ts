// The doctor, and the mending of keys that are where they should not be.

import type { DoctorView, MendKeysRequest, MendView, ScanName } from '@codis/config/api';
import { examine, exampleTexts, mendedText, mendKeys, type Report } from '@codis/config/doctor';
import { asGroupId, asSlot, invariant } from '@codis/config/model';
import { DryRunDone } from '@codis/config/operations';
import Type from 'typebox';
import { keyNamesFor } from '../auth/key-names.ts';
import { type App, type Context, callerOf, expectingOf } from '../context.ts';
import { answers, describes, GroupId, nullable, object, Slot, words } from '../schemas.ts';

const Count = Type.Integer({ minimum: 0 });
const Texts = Type.Array(Type.String());
const Scan = words('full', 'none');
const Action = words('preview', 'move', 'delete');
const Finding = object({
  severity: words('error', 'warning'),
  kind: Type.String(),
  object: Type.String(),
  what: Type.String(),
  why: Type.String(),
  try: Texts,
});
const DoctorSchema = describes<DoctorView>()(
  object({
    product: Type.String(),
    epoch: nullable(Count),
    scan: Scan,
    summary: Type.String(),
    findings: Type.Array(Finding),
    readAt: Type.String({ description: 'ISO 8601' }),
  }),
);
const MendSchema = describes<MendView>()(
  object({
    group: GroupId,
    action: Action,
    epoch: Count,
    slots: Type.Array(object({ slot: Slot, owner: GroupId, keysCount: Count, atOwnerCount: nullable(Count) })),
    exact: Type.Boolean(),
    examples: Texts,
    movedCount: Count,
    deletedCount: Count,
    notes: Texts,
  }),
);
const MendBody = describes<MendKeysRequest>()(object({ action: Action, slots: Type.Optional(object({ first: Slot, last: Slot })) }));

export function doctorRoutes(app: App, context: Context): void {
  const visit = sharedVisits(context);
  app.get(
    '/doctor',
    {
      schema: {
        summary: 'What is wrong, why, and what mends it; with scan=full every key is looked at',
        querystring: Type.Object({ scan: Type.Optional(Scan) }),
        response: answers(DoctorSchema),
      },
    },
    async (request) => {
      const report = await visit(request.query.scan ?? 'none');
      return report(keyNamesFor(request, context.settings));
    },
  );
  app.post(
    '/groups/:group/keys/mend',
    {
      schema: {
        summary: 'Look at, move or delete keys in a group that does not own their slot',
        params: Type.Object({ group: GroupId }),
        body: MendBody,
        response: answers(MendSchema),
      },
    },
    async (request) => {
      const { action, slots } = request.body;
      const group = asGroupId(request.params.group);
      const range = slots ? { slots: { first: asSlot(slots.first), last: asSlot(slots.last) } } : {};
      const caller = callerOf(context, request);
      const tried = caller.dryRun ? 'preview' : action;
      const result = await mendKeys(caller, { ...expectingOf(request), group, action: tried, ...range });
      if (caller.dryRun && action !== 'preview') throw wouldMend(action, group, result.slots);
      return {
        group,
        action,
        ...result,
        slots: result.slots.map((slot) => ({ ...slot, owner: ownerOf(slot.owner) })),
        examples: exampleTexts(result.examples, keyNamesFor(request, context.settings)),
      };
    },
  );
}

function wouldMend(action: 'move' | 'delete', group: number, slots: readonly { keysCount: number }[]): DryRunDone {
  const keys = slots.reduce((sum, { keysCount }) => sum + keysCount, 0);
  return new DryRunDone(
    [{ ...mendedText(group, action), object: `${keys} keys of ${slots.length} slots in group ${group}`, epoch: null }],
    null,
  );
}

function ownerOf(owner: number | null): number {
  invariant(owner !== null, 'only keys of slots that are owned are mended');
  return owner;
}

/** Looking at every key is work for the servers: who asks while somebody else's visit is under way gets that one's findings, with the names of keys as he may see them. */
function sharedVisits({ coordinator, settings }: Context): (scan: ScanName) => Promise<Report> {
  const visits = new Map<ScanName, Promise<Report>>();
  return (scan) => {
    const underWay = visits.get(scan);
    if (underWay) return underWay;
    const examiner = { coordinator, product: settings.product_name, password: settings.product_auth };
    const visit = examine(examiner, { scan }).finally(() => visits.delete(scan));
    visits.set(scan, visit);
    return visit;
  };
}
