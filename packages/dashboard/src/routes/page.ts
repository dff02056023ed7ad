// The console: its files, and its page at every address that it gives to something.

import { CodisError } from '@codis/config/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../context.ts';
import { type Asset, INDEX, readAssets } from '../web-assets.ts';

/** Scripts and styles come from files of ours only; nothing else is loaded, framed or sent anywhere. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const A_YEAR = 'public, max-age=31536000, immutable';

export function pageRoutes(app: App): void {
  const assets = readAssets();
  const index = assets.get(INDEX);
  const page = async (request: FastifyRequest, reply: FastifyReply) => {
    if (index === undefined) throw notBuilt();
    reply.header('content-security-policy', CSP).header('referrer-policy', 'no-referrer');
    return send(index, request, reply);
  };
  for (const url of ['/', '/login', '/c/*']) app.get(url, { schema: { hide: true } }, page);
  for (const [path, asset] of assets) {
    if (asset !== index) app.get(path, { schema: { hide: true } }, (request, reply) => send(asset, request, reply));
  }
}

function send({ bytes, gzip, type, etag, immutable }: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.type(type).header('etag', etag).header('vary', 'accept-encoding');
  reply.header('cache-control', immutable ? A_YEAR : 'no-cache');
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(bytes);
  return reply.header('content-encoding', 'gzip').send(gzip);
}

function notBuilt(): CodisError {
  return new CodisError('CODIS_E_NOT_FOUND', 'the console has not been built; build it with: npm run build');
}
