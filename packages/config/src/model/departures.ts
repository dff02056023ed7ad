// What has left a source while its slots move, and how a source is known that has gone back in time: it restarted from a snapshot, or a replica that lagged
// behind took its place. Such a source has keys again that had left. One that the target has too loses to it (B wins); but one that a client has deleted at the
// target since would come back from the dead. So three reserved keys are kept while slots move, all in database 0:
//
//   at the source   `handed`   a number that every hand-over on demand raises, in the step that takes the keys away; one for each target
//   at the target   `source`   `run`: which process the source is; keys are taken from no other, and from none while it names none. `epoch`, `slots`: which slots
//                              went this way then. `forgotten`: the number up to which `left` is not whole
//                   `left`     a sorted set of the keys that clients have asked for, as `<database>:<key>`: each with the number of its hand-over
//
// A proxy asks for a key, notes it in `left`, and only then sends the first command for it to the target. What a source has of its past is always a whole
// beginning of it, so a key of `left` was taken away in the past of a source exactly when its number is not above the source's `handed`. The others have left what
// this source has come back from, and what it has of them is stale: the controller deletes that before it names the new process in `source`. Keys that nobody asked for
// need no note: what was only swept is at the target as it was.
//
// That holds while a slot migrates. When it has arrived, its keys are deleted without a note, and a proxy that has not heard of that yet must not take anything more for
// it from a process that may have gone back since. So whoever names a process says which slots go as of which epoch: a proxy with an older table takes a slot that is not
// among them as arrived, and needs no source. And it is in order with what arrives: naming raises the epoch between doubting the old process and trusting the new one, and a
// slot is completed at an epoch at which the process that was swept was still the one that is named. When no slot goes any more and every proxy knows, nothing is kept; as long as
// one has no session, `epoch` and `slots` alone are.
//
// Invariant: no client's command for a key runs at the target of a migrating slot before the key is in `left`, as long as `source` names the process that handed
// it over; so when it names another one (or none), what the old one had handed over is all in `left`, and nothing is added for it.

import { arrivalPrefix } from './big-keys.ts';
import { CHANGES } from './changes.ts';
import { HAND_OVER } from './hand-over.ts';
import { type GroupId, SLOT_COUNT, type Slot } from './ids.ts';

/** Up to so many keys a source may have handed over on demand since what it came back to. About 100 bytes each, at the target, until the slots have arrived. */
export const LEFT_KEYS_MAX = 200_000;

/** The names for slots that go from one group to another. */
export function departureKeys(product: string, { from, to }: { from: GroupId; to: GroupId }): DepartureKeys {
  const prefix = arrivalPrefix(product);
  return { handed: `${prefix}handed:${to}`, source: `${prefix}source:${from}`, left: `${prefix}left:${from}` };
}

/** The field `slots`: a bit for each slot, as hexadecimal digits. */
export function encodeGoing(slots: readonly Slot[]): string {
  const digits = new Array<number>(SLOT_COUNT / 4).fill(0);
  for (const slot of slots) digits[slot >> 2] = (digits[slot >> 2] as number) | (1 << (slot & 3));
  return digits.map((digit) => digit.toString(16)).join('');
}

export function isGoing(going: string, slot: number): boolean {
  return ((Number.parseInt(going.charAt(slot >> 2), 16) >> (slot & 3)) & 1) === 1;
}

export interface DepartureKeys {
  /** At the source. */
  readonly handed: string;
  /** At the target. */
  readonly source: string;
  readonly left: string;
}

/** The last of KEYS is `handed`. Its number is the time in microseconds, or one more than it was: so it goes on growing where an older one is restored. Where it is not
 *  there no slots leave (any more), and nothing is counted. */
const COUNT = `
local function count()
  redis.call('SELECT', 0)
  local last = redis.call('GET', KEYS[#KEYS])
  if not last then return redis.status_reply('OK') end
  local time = redis.call('TIME')
  local number = string.format('%.0f', math.max(tonumber(last) + 1, time[1] * 1000000 + time[2]))
  redis.call('SET', KEYS[#KEYS], number)
  return number
end
`.trim();

/** At the source, for a request: as HAND_OVER_SCRIPT, with `handed` behind its KEYS. Replies its new number; with COPY +OK, for nothing has left then. */
export const ON_DEMAND_SCRIPT = `
${HAND_OVER}
${COUNT}
local failed = hand_over(1, #KEYS - 1)
if failed then return failed end
if copy then return redis.status_reply('OK') end
return count()
`.trim();

/** At the source, for what was copied: deletes KEYS but the last, which is `handed`. Replies its new number. */
export const GIVE_UP_SCRIPT = `
if redis.replicate_commands then redis.replicate_commands() end
${COUNT}
for i = 1, #KEYS - 1 do redis.call('UNLINK', KEYS[i]) end
return count()
`.trim();

/** At the source, before slots leave it: KEYS[1] is `handed`, which is to be above ARGV[1], and not below what it is or what time it is: what a target noted in an earlier
 *  move, and has again, has not left in this one. Replies how many changes it made. The DEL is there because a server without memory refuses the first write of a script that could need some. */
export const COUNT_FROM_SCRIPT = `
if redis.replicate_commands then redis.replicate_commands() end
${CHANGES}
local before = changes()
local last = redis.call('GET', KEYS[1]) or '0'
local time = redis.call('TIME')
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], string.format('%.0f', math.max(tonumber(last), tonumber(ARGV[1]) + 1, time[1] * 1000000 + time[2])))
return changes() - before
`.trim();

/** At the target. KEYS: `source`, `left`. ARGV: the process that handed over, how many `left` may hold, then what it shall hold: number and key, and so on. The HDEL is there
 *  for the same reason. */
export const NOTE_SCRIPT = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then
  return redis.error_reply('SOURCE another process is the source by now, or none')
end
redis.call('HDEL', KEYS[1], '')
for i = 3, #ARGV, 1000 do redis.call('ZADD', KEYS[2], unpack(ARGV, i, math.min(i + 999, #ARGV))) end
local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[2])
if over > 0 then
  local last = redis.call('ZRANGE', KEYS[2], over - 1, over - 1, 'WITHSCORES')
  redis.call('HSET', KEYS[1], 'forgotten', last[2])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over - 1)
end
return redis.status_reply('OK')
`.trim();

/** At the target, while no slot goes this way: nothing has left yet, or all has arrived. KEYS as above; ARGV: the epoch, and the process that slots will leave, if any. */
export const BEGIN_OR_END_SCRIPT = `
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'slots', '')
if ARGV[2] then redis.call('HSET', KEYS[1], 'run', ARGV[2]) end
`.trim();

/** At the target, when the source is another process than `source` names: from now on none is. KEYS as above; ARGV: a token, the source's number. Replies how far `left` is not
 *  whole, the highest number in it, and the keys in it above the source's number. */
export const DOUBT_SCRIPT = `
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'run', ARGV[1])
local highest = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
return {
  redis.call('HGET', KEYS[1], 'forgotten') or '0',
  highest[2] or '0',
  redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf')
}
`.trim();

/** At the target: names the process, if nobody else has come to doubt it. KEYS[1]: `source`. ARGV: the token, the process, the epoch, the slots that go this way then. Replies 1
 *  if it did. */
export const TRUST_SCRIPT = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'run', ARGV[2], 'epoch', ARGV[3], 'slots', ARGV[4])
return 1
`.trim();
