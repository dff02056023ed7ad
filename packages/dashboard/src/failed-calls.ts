// Changes that were allowed and failed are written down too: who wanted what, and why it could not be, is as telling as what was done, and one that failed on its way may have changed
// something. Not what was only mistyped (400, 404), and not again what failed so a moment ago: a script that tries on and on must not push all else out of the event log.

import { CodisError } from '@codis/config/model';
import { noteFailure } from '@codis/config/operations';
import type { FastifyRequest } from 'fastify';
import { addressOf } from './auth/address.ts';
import { DenialBudget } from './auth/denial-budget.ts';
import { type GuardOptions, noted } from './auth/guard.ts';
import { isRead } from './auth/policy.ts';
import { isDryRun } from './dry-run.ts';
import { problemOf } from './problems.ts';

const WORTH_NOTING = 409;
const PER_MINUTE = 20;
const SAME_AGAIN_MS = 600_000;
const KNOWN_MAX = 1000;

/** To be called with every error that a request ends in. Never throws. */
export function failureNotes({ coordinator, settings }: GuardOptions): (error: unknown, request: FastifyRequest) => Promise<void> {
  const budget = new DenialBudget(PER_MINUTE);
  /** By who asked, for what, and why it failed: when that was noted. */
  const known = new Map<string, number>();
  const isKnown = (failure: string, nowMs: number): boolean => {
    for (const [old, at] of known) if (nowMs - at >= SAME_AGAIN_MS || known.size > KNOWN_MAX) known.delete(old);
    if (known.has(failure)) return true;
    known.set(failure, nowMs);
    return false;
  };
  return async (error, request) => {
    const { access } = request.routeOptions.config;
    const isChange = !isRead(request.method) && !isDryRun(request) && access !== 'own' && access !== 'public';
    if (!isChange || !request.identity || !(error instanceof CodisError)) return;
    const { status, detail } = problemOf(error);
    const nowMs = performance.now();
    const ip = addressOf(request);
    if (status < WORTH_NOTING || isKnown(`${ip} ${request.identity.name} ${request.method} ${request.url} ${detail}`, nowMs)) return;
    if (!budget.take(ip, nowMs)) return;
    await noted({ coordinator, product: settings.product_name, password: '' }, request, { message: detail }, noteFailure);
  };
}
