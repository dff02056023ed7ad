-- What an application in Lua does with Redis, through redis-lua. Prints "ok <what>" or "no <what>: <why>" per line.
local redis = require 'redis'

local host, port, name = arg[1], tonumber(arg[2]), arg[3]
io.stdout:setvbuf('line')
redis.commands.xadd = redis.command('XADD')
redis.commands.pfadd = redis.command('PFADD')
redis.commands.pfcount = redis.command('PFCOUNT')
redis.commands.geoadd = redis.command('GEOADD')
redis.commands.client_id = redis.command('CLIENT', { request = function(client, command) client.requests.multibulk(client, command, 'ID') end })

local function client() return redis.connect(host, port) end
local function k(rest) return name .. ':' .. rest end
local function t(rest) return '{' .. name .. '}:' .. rest end
local r = client()

local function text(value)
  if type(value) ~= 'table' then return tostring(value) end
  local parts = {}
  if #value > 0 then
    for i = 1, #value do parts[i] = text(value[i]) end
  else
    for key, item in pairs(value) do parts[#parts + 1] = key .. '=' .. text(item) end
    table.sort(parts)
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function same(got, wanted)
  if text(got) ~= text(wanted) then error('got ' .. text(got) .. ', wanted ' .. text(wanted), 2) end
end

-- Runs Lua code in a process of its own, for what must happen while this one waits.
local function meanwhile(code)
  local head = string.format("require('socket').sleep(0.2) local r = require('redis').connect('%s', %d) ", host, port)
  return io.popen(string.format('lua5.1 -e "%s"', (head .. code):gsub('"', '\\"')))
end

local checks = {
  { 'connect', function() same(r:ping(), true) end },
  { 'types', function()
    same(r:setex(k('s'), 100, 'v'), true)
    same(r:get(k('s')), 'v')
    same(r:mset(k('a'), 1, k('b'), 2), true)
    same(r:mget(k('a'), k('b')), { '1', '2' })
    same(r:hmset(k('h'), { f = '1', g = '2' }), true)
    same(r:hgetall(k('h')), { f = '1', g = '2' })
    same(r:rpush(k('l'), 'a', 'b', 'c'), 3)
    same(r:lrange(k('l'), 0, -1), { 'a', 'b', 'c' })
    same(r:sadd(k('set'), 'x'), 1)
    same(r:smembers(k('set')), { 'x' })
    same(r:zadd(k('z'), 1.5, 'm'), 1)
    same(r:zrange(k('z'), 0, -1), { 'm' })
    assert(r:xadd(k('x'), '*', 'f', 'v'):match('^%d+-%d+$'))
    same(r:pfadd(k('hll'), 'a', 'b'), 1)
    same(r:pfcount(k('hll')), 2)
    same(r:geoadd(k('geo'), 13.361389, 38.115556, 'Palermo'), 1)
    same(r:setbit(k('bits'), 7, 1), 0)
    same(r:del(k('a'), k('b'), k('s')), 3)
  end },
  { 'pipeline', function()
    local wanted = {}
    local got = r:pipeline(function(p)
      for i = 1, 100 do
        p:set(k('p' .. i), i)
        p:get(k('p' .. i))
        wanted[#wanted + 1] = true
        wanted[#wanted + 1] = tostring(i)
      end
    end)
    same(got, wanted)
  end },
  { 'transaction', function()
    same(r:transaction(function(tx) tx:set(t('tx'), 1) tx:incr(t('tx')) end), { true, 2 })
    r:watch(t('tx'))
    client():set(t('tx'), 'changed')
    r:multi()
    r:set(t('tx'), 'lost')
    same(r:exec(), nil)
    same(r:get(t('tx')), 'changed')
  end },
  { 'pubsub', function()
    local publisher = meanwhile("r:publish('" .. k('channel') .. "', 'hello')")
    local got
    for message, abort in client():pubsub({ subscribe = { k('channel') } }) do
      if message.kind == 'message' then
        got = message.payload
        abort()
      end
    end
    publisher:close()
    same(got, 'hello')
  end },
  { 'blocking', function()
    same(r:blpop(k('queue'), 1), nil)
    local pusher = meanwhile("r:rpush('" .. k('queue') .. "', 'job')")
    same(r:blpop(k('queue'), 20), { k('queue'), 'job' })
    pusher:close()
  end },
  { 'script', function()
    same(r:eval("return redis.call('incrby', KEYS[1], ARGV[1])", 1, k('n'), 10), 10)
    local sha = r:script('load', 'return ARGV[1]')
    same(r:script('exists', sha), { 1 })
    same(r:evalsha(sha, 1, k('n'), 'x'), 'x')
  end },
  { 'scan', function()
    for i = 1, 50 do r:set(k('scan:' .. i), i) end
    local seen, count, cursor = {}, 0, '0'
    repeat
      local page = r:scan(cursor, { match = k('scan:*'), count = 20 })
      cursor = tostring(page[1])
      for _, key in ipairs(page[2]) do
        if not seen[key] then count = count + 1 end
        seen[key] = true
      end
    until cursor == '0'
    same(count, 50)
  end },
  -- It does not reconnect by itself: an application connects again.
  { 'reconnect', function()
    client():raw_cmd(string.format('CLIENT KILL ID %d\r\n', r:client_id()))
    same(pcall(function() return r:get(k('n')) end), false)
    r = client()
    same(r:set(k('after'), '1'), true)
    same(r:get(k('after')), '1')
  end },
}
for _, check in ipairs(checks) do
  local ok, why = pcall(check[2])
  if ok then print('ok ' .. check[1]) else print('no ' .. check[1] .. ': ' .. tostring(why):gsub('%s+', ' ')) end
end
