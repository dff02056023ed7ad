// Handing keys from the group that loses a slot to the group that gains it, as one atomic step at the source. Proxies run it on
// demand, the controller for what is left; both send this script, so both obey the same rule.
//
// Invariant (DESIGN §4, rule 2, "B wins"): after OK none of the keys is at the source any more. MIGRATE runs without REPLACE; a key
// that the target has already is complete there and as new or newer, so the source's copy is deleted. That makes it safe to run again
// after a timeout, and harmless for keys that don't exist. After an error, every key is still at the source, at the target, or both.
//
// With COPY the keys stay at the source until whoever asked has seen them at the target's replicas, and deletes them then (durable). No command for a key is run
// at the target before that, so a copy that a failover loses is no newer than the one that is still at the source.
//
// Verified on Redis 7.0.15: MIGRATE works inside EVAL, replicates as DEL, and with many KEYS moves those it can before it reports BUSYKEY.

/** What all scripts that hand over share. ARGV of all: target host, target port, database, timeout in ms, password of the target ('' for none), 'COPY' to leave the keys
 *  at the source. `hand_over(first, last)` gives nil, or the error of MIGRATE.
 *  Before Redis 5 a script was replicated as it stands unless it asks otherwise, and a replica must not run MIGRATE. */
export const HAND_OVER = `
if redis.replicate_commands then redis.replicate_commands() end
local copy = ARGV[6] == 'COPY'
local function migrate(first, last)
  local call = {'MIGRATE', ARGV[1], ARGV[2], '', ARGV[3], ARGV[4]}
  if copy then call[#call + 1] = 'COPY' end
  if ARGV[5] ~= '' then
    call[#call + 1] = 'AUTH'
    call[#call + 1] = ARGV[5]
  end
  call[#call + 1] = 'KEYS'
  for i = first, last do call[#call + 1] = KEYS[i] end
  return redis.pcall(unpack(call))
end
local function busy(reply)
  return string.find(reply.err, 'BUSYKEY', 1, true)
end
local function hand_over_some(first, last)
  local reply = migrate(first, last)
  if not reply.err then return nil end
  if not busy(reply) then return reply end
  for i = first, last do
    local one = migrate(i, i)
    if one.err and not busy(one) then return one end
    if one.err and not copy then redis.call('DEL', KEYS[i]) end
  end
  return nil
end
local function hand_over(first, last)
  for at = first, last, 500 do
    local failed = hand_over_some(at, math.min(at + 499, last))
    if failed then return failed end
  end
  return nil
end
`.trim();

/** All KEYS at once, for a request that needs them. Replies +OK, or the error of MIGRATE. Blocks the source while it runs. */
export const HAND_OVER_SCRIPT = `
${HAND_OVER}
return hand_over(1, #KEYS) or redis.status_reply('OK')
`.trim();

/** Reserved key in database 0 of a group's master. It holds the epoch below which a proxy's connections may not be used there (DESIGN §3, fencing).
 *  It is never shown, moved or flushed. */
export function fenceKey(product: string): string {
  return `__codis_fence__:${product}`;
}
