// Who a process is. A pid alone is used again; together with its start time it is not.

import { readFileSync } from 'node:fs';

/** `<pid> <start time>`; null when there is no such process (a zombie is none). Without /proc the start time is left out. */
export function identityOf(pid: number): string | null {
  if (!isAlive(pid)) return null;
  const fields = statOf(pid);
  if (fields === null) return process.platform === 'linux' ? null : `${pid} -`;
  return fields[0] === 'Z' ? null : `${pid} ${fields[19] ?? '-'}`;
}

/** The pid of its parent; null when there is no such process, or no /proc. */
export function parentOf(pid: number): number | null {
  return Number(statOf(pid)?.[1]) || null;
}

/** The fields of /proc/<pid>/stat from the 3rd on (state, parent, …); the 2nd, the name in parentheses, may hold anything. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // Gone, or there is no /proc.
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
