// What the starter asks of the dashboard it has started: the topology over HTTP, and changes through codis-config, as an operator would.

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import type { GroupView, SlotRunView, TopologyView } from '@codis/config/api';
import { StartFailure } from './failure.ts';

const TIMEOUT_MS = 30_000;

/** null before `slot init`. */
export async function fetchTopology(dashboardAddr: string): Promise<TopologyView | null> {
  const url = `http://${dashboardAddr}/api/v1/topology`;
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const body: unknown = await response.json();
  if (response.ok && isTopology(body)) return body;
  if (response.status === 409) return null;
  throw new StartFailure(`The dashboard answered ${response.status} to GET ${url}: ${JSON.stringify(body).slice(0, 300)}`);
}

/** Throws StartFailure with what codis-config had to say. */
export function runConfigCli(top: string, dashboardAddr: string, args: readonly string[]): Promise<void> {
  const bin = resolve(top, 'packages/config/bin/codis-config.js');
  return new Promise((done, fail) => {
    const argv = [bin, ...args, '--dashboard-addr', dashboardAddr];
    execFile(process.execPath, argv, { cwd: top, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
      if (error === null) done();
      else
        fail(new StartFailure(`codis-config ${args.join(' ')} failed:\n${`${stdout}${stderr}`.trim() || error.message}`, { cause: error }));
    });
  });
}

/** The answer comes from a program of the same build: its outline is checked, the rest follows from the shared types. */
function isTopology(body: unknown): body is TopologyView {
  if (typeof body !== 'object' || body === null || !('groups' in body) || !('slots' in body)) return false;
  const { groups, slots }: { groups: unknown; slots: unknown } = body;
  return Array.isArray(groups) && groups.every(isGroup) && Array.isArray(slots) && slots.every(isRun);
}

function isGroup(value: unknown): value is GroupView {
  return typeof value === 'object' && value !== null && 'servers' in value && Array.isArray(value.servers);
}

function isRun(value: unknown): value is SlotRunView {
  return typeof value === 'object' && value !== null && 'first' in value && 'last' in value;
}
