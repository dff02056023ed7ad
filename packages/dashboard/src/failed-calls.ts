// Changes that were allowed and failed are written down too: who wanted what, and why it could not be, is as telling as what was done, and one that failed on its way may have changed
// something. Not what was only mistyped (400, 404).

import { CodisError } from '@codis/config/model';
import { noteFailure } from '@codis/config/operations';
import type { FastifyRequest } from 'fastify';
import { DenialBudget } from './auth/denial-budget.ts';
import { type GuardOptions, noted } from './auth/guard.ts';
import { isRead } from './auth/policy.ts';
import { isDryRun } from './dry-run.ts';
import { problemOf } from './problems.ts';

const WORTH_NOTING = 409;

/** To be called with every error that a request ends in. Never throws. */
export function failureNotes({ coordinator, settings }: GuardOptions): (error: unknown, request: FastifyRequest) => Promise<void> {
  const budget = new DenialBudget();
  return async (error, request) => {
    const { access } = request.routeOptions.config;
    const isChange = !isRead(request.method) && !isDryRun(request) && access !== 'own' && access !== 'public';
    if (!isChange || !request.identity || !(error instanceof CodisError)) return;
    const { status, detail } = problemOf(error);
    if (status < WORTH_NOTING || !budget.take(request.ip, performance.now())) return;
    await noted({ coordinator, product: settings.product_name, password: '' }, request, { message: detail }, noteFailure);
  };
}
