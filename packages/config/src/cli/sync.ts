// Waiting until a replica has its first full copy. Only ever looks: going away stops nothing.

import type { Command } from 'commander';
import type { ServerStatusView, StatusView } from '../api/index.ts';
import { CodisError } from '../model/index.ts';
import { numberOption } from './arguments.ts';
import type { Session } from './session.ts';
import { bytesOfText, bytesText } from './units.ts';

/** Longer than a dashboard gives everybody the same reading of the servers, so the first one is from after the change. */
const POLL_MS = 1200;

export interface SyncOptions {
  readonly force?: boolean;
  readonly wait?: boolean;
  /** In seconds; until it is done unless said. */
  readonly timeout?: number;
}

/** Adds --wait, --no-wait and --timeout. */
export function syncOptions(command: Command): Command {
  return command
    .option('--wait', 'of a replica: until it has a full copy of its master, with progress')
    .option('--no-wait', 'come back at once, which is what it does unless told')
    .option('--timeout <seconds>', 'with --wait: give up waiting after this long', numberOption('--timeout', { min: 1, max: 1_000_000 }));
}

/** Resolves when the replica at `addr` has a full copy and is linked; tells each change on the way. Throws CODIS_E_TIMEOUT. */
export async function followSync(session: Session, { addr, timeout }: SyncOptions & { addr: string }): Promise<void> {
  const deadline = performance.now() + (timeout ?? Number.POSITIVE_INFINITY) * 1000;
  let told = '';
  for (;;) {
    await new Promise((next) => setTimeout(next, POLL_MS));
    const { groups } = await session.get<StatusView>('/status');
    const server = groups.flatMap(({ servers }) => servers).find((one) => one.addr === addr);
    const text = syncText(addr, server);
    if (server?.linkUp === true) return session.note(text);
    if (text !== told) session.note(text);
    told = text;
    if (performance.now() >= deadline) throw new CodisError('CODIS_E_TIMEOUT', `${text} after ${timeout} s; it goes on by itself`);
  }
}

/** How far a replica is, in words. */
export function syncText(addr: string, server: ServerStatusView | undefined): string {
  if (server === undefined) return `${addr} is in no group (yet)`;
  if (!server.up) return `${addr} does not answer: ${server.problem ?? 'it is down'}`;
  if (server.linkUp === true) return `${addr} has a full copy of ${server.replicates ?? 'its master'} and follows it`;
  if (server.sync === null) return `${addr} has no full copy yet`;
  const { readBytes, totalBytes } = server.sync;
  const much = totalBytes === null ? bytesText(readBytes) : bytesOfText(readBytes, totalBytes);
  return `${addr} receives a full copy: ${much}`;
}
