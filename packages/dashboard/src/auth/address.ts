// Where a call comes from: the address of who connected, or what a reverse proxy that is trusted (dashboard_trusted_proxies) says of that.

import { isIP } from 'node:net';
import type { Settings } from '@codis/config/settings';
import type { FastifyRequest } from 'fastify';

/** What fastify is to trust. Headers of anybody else count for nothing. */
export function trustedProxies({ dashboard_trusted_proxies: networks }: Settings): string[] | false {
  return networks.length === 0 ? false : [...networks];
}

/** An address, always. Where a proxy passed on something else, it is the proxy's: else whoever calls could have each call counted under another name. */
export function addressOf({ ip, ips }: Pick<FastifyRequest, 'ip' | 'ips'>): string {
  return ips?.findLast((address) => isIP(address) !== 0) ?? ip;
}
