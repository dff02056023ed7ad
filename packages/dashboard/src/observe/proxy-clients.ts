// The clients of one proxy, as it tells them at its admin address. Whatever answers is checked before it is believed.

import type { ProxyClientsView, ProxyClientView } from '@codis/config/api';
import type { ProxyView } from '@codis/config/model';
import { fetchText } from './proxies.ts';

/** Never rejects: a proxy that can't be asked has no clients that are known, and the reason is told. */
export async function readClients({ id, adminAddr, live }: ProxyView, top: number): Promise<ProxyClientsView> {
  const at = new Date().toISOString();
  try {
    if (!live) throw new Error('it has no session');
    return { proxy: id, at, ...clientsIn(await fetchText(adminAddr, `/clients?top=${top}`), adminAddr) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { proxy: id, at, clientsCount: null, clients: [], notes: [`proxy ${id} could not be asked for its clients: ${why}`] };
  }
}

function clientsIn(text: string, addr: string): Pick<ProxyClientsView, 'clientsCount' | 'clients' | 'notes'> {
  const { count, clients, missing } = JSON.parse(text) as { count?: unknown; clients?: unknown; missing?: unknown };
  if (typeof count !== 'number' || typeof missing !== 'number' || !Array.isArray(clients) || !clients.every(isClient)) {
    throw new Error(`what answers at ${addr} does not tell of clients`);
  }
  const notes = missing === 0 ? [] : [`the clients of ${missing} of its workers are missing here: they did not answer`];
  return { clientsCount: count, clients: clients.map(viewOf), notes };
}

interface ClientEntry extends Omit<ProxyClientView, 'requestsCount' | 'opsPerSecond'> {
  readonly requests: number;
  readonly requestsPerSecond: number;
}

function viewOf({ requests, requestsPerSecond, ...entry }: ClientEntry): ProxyClientView {
  return { ...entry, requestsCount: requests, opsPerSecond: requestsPerSecond };
}

const NUMBERS = ['id', 'db', 'ageSeconds', 'idleSeconds', 'requests', 'requestsPerSecond', 'inputBytes', 'waitingBytes'];

function isClient(value: unknown): value is ClientEntry {
  if (typeof value !== 'object' || value === null) return false;
  const client = value as Record<string, unknown>;
  const { addr, name, command } = client;
  const texts = typeof addr === 'string' && typeof name === 'string' && (command === null || typeof command === 'string');
  return texts && NUMBERS.every((field) => typeof client[field] === 'number');
}
