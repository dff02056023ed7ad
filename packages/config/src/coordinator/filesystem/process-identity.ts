// Who holds a session, well enough to know when that process is gone: a pid alone may have been given to another process since.
//
// On Linux the kernel's boot, the pid namespace and the start time settle it. Elsewhere only the pid is known, and a recycled one is found out by
// its silent heartbeat. A process in another pid namespace (a container beside ours) can't be seen: its heartbeat alone counts.

import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, from /proc/<pid>/stat; null where there is no /proc. */
  readonly started: string | null;
  /** The kernel's boot id; null where there is no /proc. */
  readonly boot: string | null;
  /** The pid namespace; null where there is no /proc. */
  readonly pidNamespace: string | null;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    boot: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidNamespace: readOrNull(() => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Whether that process is known to have ended; false when it can't be told from here. */
export function isGone(other: ProcessIdentity, own: ProcessIdentity): boolean {
  if (other.boot === null || own.boot === null) return !answersSignal(other.pid);
  if (other.boot !== own.boot) return true;
  if (other.pidNamespace !== own.pidNamespace) return false;
  return startOf(other.pid) !== other.started;
}

/** Throws a TypeError for what is no identity. */
export function asProcessIdentity(value: Record<string, unknown>): ProcessIdentity {
  const pid = value['pid'];
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) throw new TypeError(`pid is ${JSON.stringify(pid)}`);
  const text = (key: string): string | null => {
    const item = value[key];
    if (typeof item !== 'string' && item !== null) throw new TypeError(`${key} of a process is ${JSON.stringify(item)}`);
    return item;
  };
  return { pid, started: text('started'), boot: text('boot'), pidNamespace: text('pidNamespace') };
}

const STATE_FIELD = 0;
const START_FIELD = 19;

/** Start time of a live process; null for none, and for one that has ended and waits for its parent (state Z or X). */
function startOf(pid: number): string | null {
  const stat = readOrNull(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold anything, so fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[STATE_FIELD];
  return state === 'Z' || state === 'X' ? null : (fields[START_FIELD] ?? null);
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What /proc says, null where it says nothing: not Linux, or no such process. */
function readOrNull(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
