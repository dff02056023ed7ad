// Processes that a test run started and did not end. A process belongs to the run when it inherited the run's mark in its environment, or works
// in the scratch directory (a Redis overwrites its environment with its title). Linux only: elsewhere there is no /proc to look in.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Environment variable that every process of a run inherits. */
export const RUN_MARK = 'CODIS_TEST_RUN';

/** What the kernel may take to end a process that was killed, on a busy machine. */
const KILLED_MS_MAX = 5000;

/** Waits up to `graceMs` for them to end by themselves, kills the rest, and gives those when they are gone. */
export async function endLeftovers({ mark, directory, graceMs }) {
  const left = await remaining({ mark, directory }, graceMs);
  for (const { pid } of left) kill(pid);
  await remaining({ mark, directory }, KILLED_MS_MAX);
  return left;
}

/** Those that still run after at most `ms`. */
async function remaining(run, ms) {
  const deadline = performance.now() + ms;
  let left = leftovers(run);
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((next) => setTimeout(next, 100));
    left = leftovers(run);
  }
  return left;
}

/** Those that run now. */
export function leftovers({ mark, directory }) {
  const found = [];
  for (const name of processes()) {
    const pid = Number(name);
    if (pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      const inScratch = readlinkSync(`/proc/${pid}/cwd`).startsWith(directory) || command.includes(directory);
      if (command !== '' && (inScratch || environment.includes(`${RUN_MARK}=${mark}`))) found.push({ pid, command });
    } catch (error) {
      // It ended while it was looked at, or is another user's.
      if (!['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code)) throw error;
    }
  }
  return found;
}

function processes() {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
