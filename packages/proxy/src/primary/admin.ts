// The admin address of a proxy: /healthz (the process is up), /readyz (it serves clients), /status, /clients, /hotkeys, /latency, /slowlog and /slots (JSON), /metrics (Prometheus). Read-only.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseAddr } from '@codis/config/model';
import type { Logger } from 'pino';
import { renderMetrics } from './metrics.ts';
import type { Primary } from './primary.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

type Route = (proxy: Primary, query: URLSearchParams) => Answer | Promise<Answer>;

const plain = (status: number, body: string): Answer => ({ status, contentType: 'text/plain; charset=utf-8', body: `${body}\n` });

const json = (value: unknown): Answer => ({ status: 200, contentType: 'application/json', body: JSON.stringify(value) });

const TOP = 20;
const TOP_MAX = 1000;

/** As many of something as the query asks for. */
async function topped(query: URLSearchParams, ask: (top: number) => Promise<unknown>): Promise<Answer> {
  const top = Number(query.get('top') ?? TOP);
  const isRight = Number.isInteger(top) && top >= 1 && top <= TOP_MAX;
  return isRight ? json(await ask(top)) : plain(400, `top is a whole number from 1 to ${TOP_MAX}`);
}

const ROUTES: Readonly<Record<string, Route>> = {
  '/healthz': () => plain(200, 'ok'),
  '/readyz': (proxy) => (proxy.isServing ? plain(200, 'serving') : plain(503, 'not serving')),
  '/status': async (proxy) => json(await proxy.status()),
  '/clients': (proxy, query) => topped(query, (top) => proxy.busiestClients(top)),
  '/hotkeys': (proxy, query) => topped(query, (top) => (query.get('minute') === 'last' ? proxy.hotKeysOfMinute(top) : proxy.hotKeys(top))),
  '/latency': async (proxy) => json(await proxy.serverLatency()),
  '/slowlog': async (proxy) => json(await proxy.slowLog()),
  '/slots': async (proxy) => json(await proxy.slotRequests()),
  '/metrics': async (proxy) => {
    const { contentType, text } = await renderMetrics(await proxy.status());
    return { status: 200, contentType, body: text };
  },
};

/** Listens on `addr`; rejects when that can't be done. */
export function startAdmin(options: { addr: string; proxy: Primary; log: Logger }): Promise<Server> {
  const { addr, proxy, log } = options;
  const server = createServer((request, response) => {
    answer(request, proxy).then(
      (reply) => send(request, response, reply),
      (error: unknown) => {
        log.error({ err: error, url: request.url }, 'admin request failed');
        send(request, response, plain(500, 'failed; see the log'));
      },
    );
  });
  server.requestTimeout = 10_000;
  return new Promise((listening, failed) => {
    server.once('error', failed);
    server.listen(parseAddr(addr), () => {
      server.off('error', failed);
      server.on('error', (error) => log.error({ err: error }, 'admin address'));
      listening(server);
    });
  });
}

async function answer(request: IncomingMessage, proxy: Primary): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return plain(405, 'this address is read-only; use codis-config to change anything');
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  return route ? route(proxy, new URLSearchParams(query)) : plain(404, `there are: ${Object.keys(ROUTES).join(' ')}`);
}

function send(request: IncomingMessage, response: ServerResponse, reply: Answer): void {
  response.writeHead(reply.status, { 'content-type': reply.contentType, 'content-length': Buffer.byteLength(reply.body) });
  response.end(request.method === 'HEAD' ? undefined : reply.body);
}
