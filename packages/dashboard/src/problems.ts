// Every answer that is not a success, as problem+json (RFC 9457). A bug shows as CODIS_E_INTERNAL without its text; the log has the rest.

import type { ProblemView } from '@codis/config/api';
import { CodisError, type ErrorCode, InvariantError } from '@codis/config/model';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';

export const PROBLEM_TYPE = 'application/problem+json';

/** A field that fails its schema is refused with the code of what it stands for. */
const CODE_OF_FIELD: Readonly<Record<string, ErrorCode>> = {
  slot: 'CODIS_E_BAD_SLOT',
  first: 'CODIS_E_BAD_SLOT',
  last: 'CODIS_E_BAD_SLOT',
  group: 'CODIS_E_BAD_GROUP',
  to: 'CODIS_E_BAD_GROUP',
  addr: 'CODIS_E_BAD_ADDRESS',
  migration: 'CODIS_E_BAD_MIGRATION',
  plan: 'CODIS_E_BAD_PLAN',
  proxy: 'CODIS_E_BAD_PROXY_ID',
};

export function problemOf(error: unknown): ProblemView {
  const { code, detail, kind, status } = explain(error);
  return {
    type: `urn:codis:error:${code}`,
    title: kind.title,
    status,
    detail,
    code,
    try: [kind.hint],
    retryable: kind.retryable,
  };
}

/** The error handler of the app, and of what fails before a route is found. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.status >= 500) request.log.error({ err: error, code: problem.code }, 'a request failed');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
}

/** A path that is none of ours. */
export function sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(
    new CodisError('CODIS_E_NOT_FOUND', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`),
    request,
    reply,
  );
}

function explain(error: unknown): { code: ErrorCode; detail: string; kind: CodisError['kind']; status: number } {
  const known = error instanceof CodisError ? error : translate(error);
  const foreign = isFastifyError(error) ? error.statusCode : undefined;
  const status = known.code === 'CODIS_E_BAD_REQUEST' && foreign !== undefined ? foreign : known.kind.status;
  return { code: known.code, detail: known.message, kind: known.kind, status };
}

function translate(error: unknown): CodisError {
  if (!isFastifyError(error) || error instanceof InvariantError) return internal();
  if (error.validation) return invalid(error);
  if (error.statusCode === 413) return new CodisError('CODIS_E_TOO_LARGE', 'the body of the request is too large', { cause: error });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500) {
    return new CodisError('CODIS_E_BAD_REQUEST', error.message, { cause: error });
  }
  return internal();
}

function internal(): CodisError {
  return new CodisError('CODIS_E_INTERNAL', 'the dashboard failed in a way that was not foreseen; its log says more');
}

function invalid(error: FastifyError): CodisError {
  const [first] = error.validation ?? [];
  const path = (first?.instancePath ?? '').split('/').filter((part) => part !== '');
  const field = path.at(-1) ?? '';
  const where =
    path.length > 0 ? `${error.validationContext ?? 'request'} field ${path.join('.')}` : (error.validationContext ?? 'request');
  return new CodisError(CODE_OF_FIELD[field] ?? 'CODIS_E_BAD_REQUEST', `${where} ${first?.message ?? 'is not as it should be'}`, {
    cause: error,
  });
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && ('statusCode' in error || 'validation' in error);
}
