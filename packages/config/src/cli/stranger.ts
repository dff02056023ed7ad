// When what listens where the dashboard should be does not speak HTTP: whose port that is, and which one was meant.

import type { ProxiesView } from '../api/index.ts';
import { isCodisError } from '../model/index.ts';
import { dashboardClient } from './client.ts';
import { HintedError } from './failures.ts';
import { lookAtPort } from './resp-port.ts';

interface Addresses {
  /** That was asked. */
  readonly addr: string;
  /** Of the config file. */
  readonly usualAddr: string;
}

const LOOK_MS = 1000;

/** `error`, or a better one. */
export async function explainStranger(error: unknown, addresses: Addresses): Promise<unknown> {
  if (!isCodisError(error, 'CODIS_E_DASHBOARD_UNREACHABLE') || !isOtherProtocol(error.cause)) return error;
  const { addr } = addresses;
  const port = await lookAtPort(addr);
  if (port.kind === 'other') return error;
  if (port.kind === 'redis')
    return hinted(`${addr} is a RESP port: a Redis, or a proxy’s port for clients, answers there`, addresses, error);
  const adminAddr = await adminAddrOf(port.id, addresses);
  const admin = adminAddr === null ? '' : `; the admin port of this proxy is ${adminAddr}`;
  return hinted(`${addr} is a RESP port: ${port.id} takes clients there${admin}`, addresses, error);
}

function isOtherProtocol(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code.startsWith('HPE_') || code === 'ECONNRESET';
}

function hinted(what: string, { addr, usualAddr }: Addresses, cause: Error): HintedError {
  const hint =
    addr === usualAddr
      ? 'give dashboard_addr in config.ini the address of the dashboard, not that of a proxy or a Redis'
      : `leave out --dashboard-addr: by the config file the dashboard is at ${usualAddr}`;
  return new HintedError('CODIS_E_DASHBOARD_UNREACHABLE', what, [hint], { cause });
}

/** The dashboard of the config file knows, if it can be asked. */
async function adminAddrOf(id: string, { addr, usualAddr }: Addresses): Promise<string | null> {
  if (addr === usualAddr) return null;
  try {
    const client = dashboardClient({ addr: usualAddr, credentials: {} });
    const { proxies } = await client.call<ProxiesView>({ method: 'GET', path: '/proxies', timeoutMs: LOOK_MS });
    return proxies.find((proxy) => proxy.id === id)?.adminAddr ?? null;
  } catch {
    return null;
  }
}
