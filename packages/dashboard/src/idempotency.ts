// `Idempotency-Key` on a POST: the call is carried out once, and who sends it again gets the answer of the first time. Kept for ten minutes by the dashboard that was asked.
//
// Only answers that say it was done are kept: a call that was refused changed nothing and may be made again.

import { createHash } from 'node:crypto';
import { CodisError } from '@codis/config/model';
import type { FastifyRequest } from 'fastify';
import type { App } from './context.ts';
import { isDryRun } from './dry-run.ts';

const KEPT_MS = 600_000;
const KEPT_MAX = 1000;
const KEY = /^[\x21-\x7e]{1,200}$/;

type Kept = { readonly call: string; readonly sinceMs: number } & (
  | { readonly state: 'under-way' }
  | { readonly state: 'done'; readonly text: string }
);

declare module 'fastify' {
  interface FastifyRequest {
    /** Under which its answer is to be kept; null: under none. */
    idempotencyKey: string | null;
  }
}

export function idempotency(api: App): void {
  const kept = new Map<string, Kept>();
  api.decorateRequest('idempotencyKey', null);
  api.addHook('preHandler', async (request, reply) => {
    const key = keyOf(request);
    if (key === null) return;
    forgetOld(kept, performance.now());
    const known = kept.get(key);
    const call = fingerprint(request);
    if (!known) {
      kept.set(key, { state: 'under-way', call, sinceMs: performance.now() });
      request.idempotencyKey = key;
      return;
    }
    if (known.call !== call)
      throw new CodisError('CODIS_E_BAD_REQUEST', 'this Idempotency-Key came with another call; give each call its own');
    if (known.state === 'under-way') throw new CodisError('CODIS_E_CONFLICT', 'the call with this Idempotency-Key is still under way');
    reply
      .header('idempotency-replayed', 'true')
      .type('application/json; charset=utf-8')
      .serializer((text: unknown) => String(text));
    return reply.send(known.text);
  });
  api.addHook('onSend', async ({ idempotencyKey: key }, reply, payload) => {
    if (key === null) return payload;
    const known = kept.get(key);
    if (known && reply.statusCode === 200 && typeof payload === 'string') kept.set(key, { ...known, state: 'done', text: payload });
    else kept.delete(key);
    return payload;
  });
}

function keyOf(request: FastifyRequest): string | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined || request.method !== 'POST' || isDryRun(request) || !request.identity) return null;
  if (typeof header !== 'string' || !KEY.test(header)) {
    throw new CodisError('CODIS_E_BAD_REQUEST', 'Idempotency-Key must be 1 to 200 printable ASCII characters without blanks');
  }
  return `${request.identity.name} ${header}`;
}

function fingerprint({ url, body }: FastifyRequest): string {
  return createHash('sha256')
    .update(url)
    .update('\n')
    .update(JSON.stringify(body ?? null))
    .digest('hex');
}

/** Too many: the oldest goes, unless it is under way. */
function forgetOld(kept: Map<string, Kept>, nowMs: number): void {
  for (const [key, { state, sinceMs }] of kept) {
    if (state === 'done' && (nowMs - sinceMs >= KEPT_MS || kept.size >= KEPT_MAX)) kept.delete(key);
  }
}
