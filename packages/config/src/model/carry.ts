// Carrying small keys from a source to a target: what they are made of is read at the source, put at the target, and only then deleted at the source. MIGRATE does the same, but
// keeps the source waiting for the target and reads its answers byte by byte, which costs the source twice as much for a small key; and a target that hangs stops the source.
//
// Unlike MIGRATE these are three steps, and between them a proxy may have a key handed over on demand, and its clients may write or delete it at the target. That must not be undone:
//
//   - A key that the target has is left as it is (B wins): it came there by a hand-over, and is as new or newer.
//   - A key that was handed over since it was read is not put, though the target lacks it: its clients have deleted it. It has a number above the one that `handed` had when the key was
//     read (departures.ts), and stands in `left` before any client's command for it runs. So one look at the end of `left` tells all such keys.
//   - What was read from a process that the target does not know as the source (any more) is not put, for the numbers of two processes can't be compared; nor what was read so long ago
//     that `left` is not whole since then.
//
// While slots migrate nothing but a hand-over changes their keys at the source, so what is deleted there is what was put. Whoever puts does so over a connection that the next sweep cuts
// off (migration/controlled.ts): when slots have arrived, nothing is put any more.
//
// A time to live goes on while a key is carried, for as long as whoever carries it is stopped: keys that have one go by MIGRATE.

/** At the source. KEYS: the keys, then `handed`. ARGV: their database. Replies nothing when `handed` is not there; else its number, the places of those that have a time to live, and for each
 *  key what DUMP gives; '' for those, and for one that is not there. Asking for the time to live of each costs half as much as reading it, so none is asked while no key of the database has one. */
export const READ_SCRIPT = `
local call, timed, dumps = redis.call, {}, {}
call('SELECT', 0)
local number = call('GET', KEYS[#KEYS])
if not number then return {} end
call('SELECT', ARGV[1])
local expires = string.match(call('INFO', 'keyspace'), 'db' .. ARGV[1] .. ':keys=%d+,expires=(%d+)')
for i = 1, #KEYS - 1 do
  local ms = expires == '0' and -1 or call('PTTL', KEYS[i])
  dumps[i] = ms == -1 and call('DUMP', KEYS[i]) or ''
  if ms >= 0 then timed[#timed + 1] = i end
end
return { number, timed, dumps }
`.trim();

/** At the target. KEYS: the keys, then `source` and `left`. ARGV: their database, the process that they were read from, the number that `handed` had then, and for each what READ_SCRIPT
 *  gave. Replies +OK, or the first error; then any of them may have been put. */
export const PUT_SCRIPT = `
if redis.replicate_commands then redis.replicate_commands() end
local count, number = #KEYS - 2, ARGV[3]
redis.call('SELECT', 0)
local known = redis.call('HMGET', KEYS[count + 1], 'run', 'forgotten')
if known[1] ~= ARGV[2] then
  return redis.error_reply('SOURCE another process is the source by now, or none')
end
if tonumber(known[2] or 0) > tonumber(number) then
  return redis.error_reply('SOURCE too many keys were asked for since these were read')
end
local asked = {}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[count + 2], '(' .. number, '+inf')) do asked[name] = true end
local isAsked = next(asked) ~= nil
redis.call('SELECT', ARGV[1])
for i = 1, count do
  local dump = ARGV[i + 3]
  if dump ~= '' and not (isAsked and asked[ARGV[1] .. ':' .. KEYS[i]]) then
    local reply = redis.pcall('RESTORE', KEYS[i], 0, dump)
    if reply.err and not string.find(reply.err, 'BUSYKEY', 1, true) then return reply end
  end
end
return redis.status_reply('OK')
`.trim();

/** Of the commands in these scripts, how many clients send as well. */
export const READ_CALLS = 1;
export const PUT_CALLS = 2;
