// The one gate before all routes: finds out who calls, and lets through what auth/policy.ts allows. What it refuses of changes is written down, so that somebody who tries doors is seen.

import type { Coordinator } from '@codis/config/coordinator';
import { CodisError, isCodisError } from '@codis/config/model';
import { checkSession, checkToken, noteDenial } from '@codis/config/operations';
import type { Settings } from '@codis/config/settings';
import type { FastifyRequest } from 'fastify';
import { addressOf } from './address.ts';
import { DenialBudget } from './denial-budget.ts';
import { type Access, accessOf, type Identity, isRead, refusal } from './policy.ts';

export const SESSION_COOKIE = 'codis_session';
const ACTOR = /^[\x20-\x7e]{1,100}$/;
const BEARER = /^Bearer ([\x21-\x7e]{1,200})$/i;

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
  interface FastifyRequest {
    /** Null: not logged in, on a route that does not ask for it. */
    identity: Identity | null;
  }
}

export interface GuardOptions {
  readonly coordinator: Coordinator;
  readonly settings: Settings;
}

/** A hook for `onRequest`: throws what `refusal` says, or the coordinator's errors. */
export function accessGuard(options: GuardOptions): (request: FastifyRequest) => Promise<void> {
  const { coordinator, settings } = options;
  const readOnly = settings.dashboard_read_only === 'on';
  const budget = new DenialBudget();
  return async (request) => {
    const { url: path = request.url, config } = request.routeOptions;
    if (request.is404 || needsNobody({ method: request.method, path, access: config.access })) return;
    request.identity = await identityOf(request, options);
    const call = { method: request.method, path, access: config.access, csrf: headerOf(request, 'x-codis-csrf') };
    const refused = refusal(call, request.identity, { readOnly });
    if (!refused) return;
    if (!isRead(request.method) && budget.take(addressOf(request), performance.now())) {
      await noted({ coordinator, product: settings.product_name, password: '' }, request, refused);
    }
    throw refused;
  };
}

/** Pages and health: who asks makes no difference there, so they are served when the coordinator, which knows who one is, can't be reached. */
function needsNobody(call: Parameters<typeof accessOf>[0]): boolean {
  return accessOf(call) === 'public' && !call.path.startsWith('/api/');
}

/** Writes down that a call was refused, or with `note` what else became of it. When even that can't be done it is in the log. */
export async function noted(
  caller: { coordinator: Coordinator; product: string; password: string },
  request: FastifyRequest,
  { message }: { readonly message: string },
  note: typeof noteDenial = noteDenial,
): Promise<void> {
  const { name = 'nobody', via = 'claimed' } = request.identity ?? {};
  const ip = addressOf(request);
  const call = `${request.method} ${request.url.slice(0, 200)}`;
  try {
    await note({ ...caller, actor: `${name}@${ip}`, via, ip }, { call, why: message });
  } catch (error) {
    if (!isCodisError(error)) throw error;
    request.log.warn({ err: error, call }, 'a call that was not done could not be written down');
  }
}

/** Who calls; null: nobody that is known. Throws the coordinator's errors. */
export async function identityOf(request: FastifyRequest, { coordinator, settings }: GuardOptions): Promise<Identity | null> {
  if (settings.dashboard_auth === 'off') return { name: claimedName(request), role: 'admin', via: 'claimed', csrf: null };
  const bearer = BEARER.exec(headerOf(request, 'authorization') ?? '')?.[1];
  if (bearer !== undefined) {
    const token = await checkToken(coordinator, bearer);
    return token && { name: `token:${token.name}`, role: token.role, via: 'token', csrf: null };
  }
  const secret = request.cookies[SESSION_COOKIE];
  if (secret === undefined) return null;
  const session = await checkSession(coordinator, secret);
  return session && { name: session.user.name, role: session.user.role, via: 'user', csrf: session.csrf };
}

/** Without logins a client's word is taken for who it is. */
function claimedName(request: FastifyRequest): string {
  const claimed = request.headers['x-codis-actor'];
  if (claimed === undefined) return 'http';
  if (typeof claimed === 'string' && ACTOR.test(claimed)) return claimed;
  throw new CodisError('CODIS_E_BAD_REQUEST', 'X-Codis-Actor must be 1 to 100 printable ASCII characters');
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
