// Whatever else protects the dashboard, it must not be driven by web pages that its operator has open: a request that comes
// from another origin, or that reached us under a foreign host name (DNS rebinding), is refused.

import { CodisError, parseAddr } from '@codis/config/model';
import type { Settings } from '@codis/config/settings';
import type { FastifyRequest } from 'fastify';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '::1'];

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.includes(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Checks requests to a dashboard. Where one has to log in, it may be reached by any name: that of a reverse proxy, say; a login holds for one name only. Throws CODIS_E_DENIED. */
export function originGuard({
  dashboard_addr: addr,
  dashboard_auth: auth,
}: Pick<Settings, 'dashboard_addr' | 'dashboard_auth'>): (request: FastifyRequest) => void {
  const own = parseAddr(addr).host;
  const hosts = isLoopback(own) && auth === 'off' ? new Set([...LOOPBACK_NAMES, own]) : null;
  return (request) => {
    const host = hostOf(`http://${request.headers.host ?? ''}`);
    if (hosts && !hosts.has(host?.name ?? '')) {
      throw new CodisError(
        'CODIS_E_DENIED',
        `this dashboard serves ${own} only, and was asked for as ${JSON.stringify(request.headers.host ?? '')}`,
      );
    }
    const { origin } = request.headers;
    if (origin !== undefined && hostOf(origin)?.whole !== host?.whole) {
      throw new CodisError('CODIS_E_DENIED', `requests from pages of ${JSON.stringify(origin.slice(0, 200))} are refused`);
    }
  };
}

function hostOf(url: string): { name: string; whole: string } | null {
  if (!URL.canParse(url)) return null;
  const { hostname, host } = new URL(url);
  return { name: hostname.replace(/^\[|\]$/g, ''), whole: host };
}
