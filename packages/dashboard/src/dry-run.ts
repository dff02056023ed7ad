// `?dryRun=true` on every change: all is checked, nothing is done, and the answer is what would have been.
//
// The operations end a dry run by throwing (DryRunDone); what returns all the same had nothing to write. So no route has a part in this, and none can be forgotten.

import type { DryRunView, PlanView } from '@codis/config/api';
import { DryRunDone } from '@codis/config/operations';
import type { FastifyReply, FastifyRequest, FastifySchema, RouteOptions } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { isRead } from './auth/policy.ts';
import type { App } from './context.ts';
import { PlanSchema } from './plan-schemas.ts';
import { Count, describes, nullable, object } from './schemas.ts';

const DryRunSchema = describes<DryRunView>()(
  object({
    dryRun: Type.Literal(true),
    would: Type.Array(
      object({
        action: Type.String(),
        object: Type.String(),
        epoch: nullable(Count),
        before: nullable(Type.String()),
        after: nullable(Type.String()),
      }),
    ),
    plan: nullable(PlanSchema),
    notes: Type.Array(Type.String()),
  }),
);
const dryRun = Type.Optional(Type.Boolean({ description: 'check everything, change nothing, and answer what would be done' }));

export function isDryRun({ query, method }: FastifyRequest): boolean {
  return !isRead(method) && typeof query === 'object' && query !== null && 'dryRun' in query && query.dryRun === true;
}

/** Gives every change below `api` its dry run. `planView` turns what making a plan returned into its view. */
export function dryRuns(api: App): void {
  api.addHook('onRoute', (route) => {
    if (changes(route)) route.schema = { ...route.schema, querystring: withDryRun(route.schema) };
  });
  api.addHook('preSerialization', async (request, reply, payload) => {
    if (!isDryRun(request) || reply.statusCode !== 200) return payload;
    reply.serializer(JSON.stringify);
    return isView(payload) ? payload : { dryRun: true, would: [], plan: planIn(payload), notes: ['nothing would change'] };
  });
}

/** The answer to a dry run that came to its end; null for any other error. */
export function dryRunView(error: unknown, planView: (value: unknown) => PlanView | null): DryRunView | null {
  if (!(error instanceof DryRunDone)) return null;
  const would = error.would.map(({ action, object: what, epoch, before, after }) => ({
    action,
    object: what,
    epoch,
    before,
    after,
  }));
  return { dryRun: true, would, plan: planView(error.value), notes: [] };
}

export function sendDryRun(view: DryRunView, reply: FastifyReply): FastifyReply {
  return reply.code(200).type('application/json; charset=utf-8').serializer(JSON.stringify).send(view);
}

/** For the description of the API: a change may answer a DryRunView instead. */
export function describeDryRun(schema: FastifySchema, route: RouteOptions): FastifySchema {
  const response = schema?.response as Record<string, TSchema> | undefined;
  if (!response?.['200'] || !changes(route)) return schema;
  return { ...schema, response: { ...response, 200: Type.Union([response['200'], DryRunSchema]) } };
}

function changes({ method }: Pick<RouteOptions, 'method'>): boolean {
  return [method].flat().some((one) => !isRead(one));
}

/** What is not known is refused: a misspelt dryRun must not be a real change. */
function withDryRun(schema: FastifySchema | undefined): TSchema {
  const known = (schema?.querystring ?? {}) as { properties?: Record<string, TSchema> };
  return object({ ...known.properties, dryRun });
}

const isView = (payload: unknown): payload is DryRunView =>
  typeof payload === 'object' && payload !== null && 'dryRun' in payload && payload.dryRun === true;

/** A plan that was there already. */
function planIn(payload: unknown): PlanView | null {
  return typeof payload === 'object' && payload !== null && 'biggestKeys' in payload ? (payload as PlanView) : null;
}
