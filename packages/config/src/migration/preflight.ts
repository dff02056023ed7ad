// Can the source hand keys to the target at all? Found out by doing it once, with a key of our own, before anything is locked: what the
// controller can reach and may do says nothing of what the source can, from its place in the network and with its rights.
//
// The trial is one atomic step at the source, so nobody sees the key there; at the target it lives for the moment until it is deleted, at most PROBE_TTL_MS.

import type { Redis } from 'ioredis';
import { CHANGES, parseAddr, probeKey, type ServerAddr } from '../model/index.ts';
import type { OwnWrites } from './own-writes.ts';

/** Longer than a connection takes, for the source does nothing else meanwhile. */
const TIMEOUT_MS = 200;
const PROBE_TTL_MS = 1000;

/** KEYS[1]: the probe. ARGV: target host, port, timeout in ms, time to live in ms, password ('' for none). Replies how many changes it made, or the error that a hand-over would
 *  meet. A source that takes no writes itself (it is full, say) can't be tried with, and is no obstacle: keys can leave it all the same. */
const TRIAL_SCRIPT = `
if redis.replicate_commands then redis.replicate_commands() end
${CHANGES}
local before = changes()
local made = redis.pcall('SET', KEYS[1], 'probe', 'PX', ARGV[4])
if made.err then
  for _, harmless in ipairs({'OOM', 'NOREPLICAS', 'MISCONF'}) do
    if string.find(made.err, harmless, 1, true) then return changes() - before end
  end
  return made
end
local call = {'MIGRATE', ARGV[1], ARGV[2], '', '0', ARGV[3], 'REPLACE'}
if ARGV[5] ~= '' then
  call[#call + 1] = 'AUTH'
  call[#call + 1] = ARGV[5]
end
call[#call + 1] = 'KEYS'
call[#call + 1] = KEYS[1]
local reply = redis.pcall(unpack(call))
redis.call('DEL', KEYS[1])
if reply.err then return reply end
return changes() - before
`.trim();

export interface Trial {
  readonly source: ServerAddr;
  readonly target: ServerAddr;
  readonly product: string;
  readonly password: string;
  /** At the source. */
  readonly own: OwnWrites;
}

/** What stands in the way of keys going from source to target, in words that say what to do; null when one went. Both connections are used in
 *  database 0. Throws what a broken connection throws. */
export async function tryHandOver({ from, to }: { from: Redis; to: Redis }, trial: Trial): Promise<string | null> {
  const { host, port } = parseAddr(trial.target);
  const probe = probeKey(trial.product);
  await from.select(0);
  await to.select(0);
  try {
    await trial.own.count(async () =>
      Number(await from.eval(TRIAL_SCRIPT, 1, probe, host, port, TIMEOUT_MS, PROBE_TTL_MS, trial.password)),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
    return handOverObstacle(error.message, trial);
  }
  await to.del(probe);
  return null;
}

/** An error that a hand-over met, explained. Pure. */
export function handOverObstacle(reply: string, { source, target }: Pick<Trial, 'source' | 'target'>): string {
  const there = /Target instance replied/i.test(reply);
  return `${source} can't hand keys to ${target}: ${adviceFor(reply, { source, target, there })} (it answered: ${reply})`;
}

function adviceFor(reply: string, { source, target, there }: { source: ServerAddr; target: ServerAddr; there: boolean }): string {
  if (/IOERR|can't connect|Name or service/i.test(reply)) {
    return `there is no way from the one server to the other; they must reach each other, not only the dashboard: look at firewall, bind and the address ${target} as ${source} sees it`;
  }
  if (/payload version|Bad data format/i.test(reply))
    return `${target} is an older Redis and can't read what ${source} writes; upgrade ${target}`;
  if (/NOPERM|no permissions|ACL failure|user executing the script can't/i.test(reply)) {
    return there
      ? `the user that ${source} logs in as may not RESTORE at ${target}; there: ACL SETUSER default +restore +select +auth`
      : `the user of product_auth may not EVAL, SET, DEL or MIGRATE at ${source}; there: ACL SETUSER default +eval +set +del +migrate`;
  }
  if (/NOAUTH|WRONGPASS|AUTH/i.test(reply)) return `${target} does not take product_auth from it; give all servers the same requirepass`;
  if (/OOM/.test(reply)) return `${target} has no memory left; raise its maxmemory, or move to another group`;
  if (/READONLY/.test(reply)) return `${target} takes no writes, for it is a replica; promote the right server of its group`;
  if (/NOREPLICAS/.test(reply)) return `${target} takes no writes until it has replicas (min-replicas-to-write)`;
  if (/MISCONF/.test(reply)) return `${target} takes no writes because it can't save to disk; mend that there`;
  return 'mend what it says';
}

/** What to do when a server can't even be used by this program. */
export function withAdvice(trouble: string): string {
  if (/WRONGPASS|NOAUTH|invalid (?:username-)?password|without any password/i.test(trouble)) {
    return `${trouble}; product_auth must be the password of every server (requirepass)`;
  }
  if (/NOPERM|no permissions/i.test(trouble)) return `${trouble}; give the user of product_auth that right there with ACL SETUSER`;
  return trouble;
}
