// Who a process is. A pid alone is used again; together with its start time it is not.

import { readFileSync } from 'node:fs';

/** `<pid> <start time>`; null when there is no such process (a zombie is none). Without /proc the start time is left out. */
export function identityOf(pid: number): string | null {
  if (!isAlive(pid)) return null;
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return isAlive(pid) && process.platform !== 'linux' ? `${pid} -` : null;
  }
  // The name, in parentheses, may hold anything: fields are counted from behind it. State is the 3rd field, start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? null : `${pid} ${fields[19] ?? '-'}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
