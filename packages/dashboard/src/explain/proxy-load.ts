// Whether the workers of a proxy keep up. Each has one event loop, which one core can keep busy, and whose clients all wait for it. Pure.

import type { ProxyWorkerView } from '@codis/config/api';
import { type Check, ok, say, unknown, warning } from './checks.ts';

/** Of one core: past it requests begin to queue. */
const BUSY_PERCENT = 85;
/** A worker that keeps up is late by less than one. */
const LATE_MS = 50;

/** What uses up a worker stands before what comes of it. */
export function loadChecks(id: string, workers: readonly ProxyWorkerView[]): Check[] {
  return [cpuCheck(id, workers), lagCheck(id, workers)];
}

function cpuCheck(id: string, workers: readonly ProxyWorkerView[]): Check {
  const check = `the workers of ${id} have CPU to spare`;
  const known = workers.filter(({ cpuPercent }) => cpuPercent !== null);
  const busiest = most(known, cpuOf);
  if (!busiest) return unknown(check, 'there are no two readings yet');
  const busy = known.filter(isBusy);
  if (busy.length === 0) return ok(check, `the busiest uses ${cpuOf(busiest)} % of a core`);
  const used = `worker ${busiest.worker} of proxy ${id} uses ${cpuOf(busiest)} % of a core, and no worker can use more than one`;
  const clients = askedMost(id);
  if (busy.length < workers.length)
    return warning(check, `${used}; its other workers have less to do, but a client stays with its worker`, [clients]);
  const more = say(
    `Start another proxy, or give ${id} more workers if its machine has cores to spare`,
    'codis-proxy -c config.ini --proxy-id <new id>',
  );
  return warning(check, workers.length === 1 ? used : `${used}; nor has any of its ${workers.length} workers anything left`, [
    more,
    clients,
  ]);
}

function lagCheck(id: string, workers: readonly ProxyWorkerView[]): Check {
  const check = `the event loops of ${id} keep up`;
  const worst = most(
    workers.filter(({ lagP99Ms }) => lagP99Ms !== null),
    lagOf,
  );
  if (!worst) return unknown(check, 'nothing was measured yet');
  if (lagOf(worst) < LATE_MS) return ok(check, `at most ${lagOf(worst)} ms late (p99)`);
  const late = `the event loop of worker ${worst.worker} of proxy ${id} is ${Math.round(lagOf(worst))} ms late (p99), which its clients wait on top`;
  if (worst.cpuPercent === null) return warning(check, late, [workersOf(id)]);
  if (isBusy(worst)) return warning(check, `${late}: it has more to do than one core can`, [askedMost(id), workersOf(id)]);
  return warning(
    check,
    `${late}, though it uses only ${cpuOf(worst)} % of a core: its machine has no CPU for it, or stands still now and then`,
    [say(`See what else runs on the machine of ${id}, whether it swaps, and whether its host has CPU for it`), workersOf(id)],
  );
}

function askedMost(id: string) {
  const api = { method: 'GET', path: `/proxies/${id}/clients?top=20`, body: null } as const;
  return { ...say(`See which clients ask the most of ${id}`, `codis-config proxy clients ${id} --top 20`), api };
}

function workersOf(id: string) {
  const api = { method: 'GET', path: `/proxies/${id}/stats`, body: null } as const;
  return { ...say(`Look at each worker of ${id}`, `codis-config proxy info ${id}`), api };
}

const cpuOf = ({ cpuPercent }: ProxyWorkerView): number => cpuPercent ?? 0;
const lagOf = ({ lagP99Ms }: ProxyWorkerView): number => lagP99Ms ?? 0;
const isBusy = (worker: ProxyWorkerView): boolean => cpuOf(worker) >= BUSY_PERCENT;

function most(workers: readonly ProxyWorkerView[], of: (worker: ProxyWorkerView) => number): ProxyWorkerView | undefined {
  return workers.toSorted((a, b) => of(b) - of(a))[0];
}
