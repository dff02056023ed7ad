# What an application in Ruby does with Redis, through redis-rb. Prints "ok <what>" or "no <what>: <why>" per line.
require 'redis'

$stdout.sync = true
HOST, PORT, NAME = ARGV[0], ARGV[1].to_i, ARGV[2]
def client = Redis.new(host: HOST, port: PORT)
def k(rest) = "#{NAME}:#{rest}"
def t(rest) = "{#{NAME}}:#{rest}"
R = client

def same(got, wanted)
  raise "got #{got.inspect}, wanted #{wanted.inspect}" unless got == wanted
end

CHECKS = {
  connect: -> { same R.ping, 'PONG' },
  types: lambda {
    same R.set(k('s'), 'v', ex: 100), 'OK'
    same R.get(k('s')), 'v'
    same R.mset(k('a'), '1', k('b'), '2'), 'OK'
    same R.mget(k('a'), k('b'), k('none')), ['1', '2', nil]
    same R.hset(k('h'), { 'f' => '1', 'g' => '2' }), 2
    same R.hgetall(k('h')), { 'f' => '1', 'g' => '2' }
    same R.rpush(k('l'), %w[a b c]), 3
    same R.lrange(k('l'), 0, -1), %w[a b c]
    same R.sadd?(k('set'), 'x'), true
    same R.smembers(k('set')), ['x']
    same R.zadd(k('z'), [[1.5, 'm'], [2, 'n']]), 2
    same R.zrange(k('z'), 0, -1, with_scores: true), [['m', 1.5], ['n', 2.0]]
    entry = R.xadd(k('x'), { 'f' => 'v' })
    same R.xrange(k('x')), [[entry, { 'f' => 'v' }]]
    same R.pfadd(k('hll'), %w[a b]), true
    same R.pfcount(k('hll')), 2
    same R.geoadd(k('geo'), 13.361389, 38.115556, 'Palermo'), 1
    same R.setbit(k('bits'), 7, 1), 0
    same R.bitcount(k('bits')), 1
    same R.del(k('a'), k('b'), k('s')), 3
  },
  pipeline: lambda {
    replies = R.pipelined { |p| 100.times { |i| p.set(k("p#{i}"), i); p.get(k("p#{i}")) } }
    same replies, (0...100).flat_map { |i| ['OK', i.to_s] }
  },
  transaction: lambda {
    same R.multi { |m| m.set(t('tx'), '1'); m.incr(t('tx')) }, ['OK', 2]
    R.watch(t('tx')) do
      client.set(t('tx'), 'changed')
      same R.multi { |m| m.set(t('tx'), 'lost') }, nil
    end
    same R.get(t('tx')), 'changed'
  },
  pubsub: lambda {
    ready = Queue.new
    got = Queue.new
    thread = Thread.new do
      s = client
      s.subscribe(k('channel')) do |on|
        on.subscribe { ready << true }
        on.message { |_, message| got << message; s.unsubscribe }
      end
    end
    ready.pop
    R.publish(k('channel'), 'hello')
    same got.pop, 'hello'
    thread.join(10) or raise 'the subscriber did not end'
  },
  blocking: lambda {
    same R.blpop(k('queue'), timeout: 1), nil
    thread = Thread.new { sleep 0.1; client.rpush(k('queue'), 'job') }
    same R.blpop(k('queue'), timeout: 20), [k('queue'), 'job']
    thread.join
  },
  script: lambda {
    same R.eval("return redis.call('incrby', KEYS[1], ARGV[1])", keys: [k('n')], argv: [10]), 10
    sha = R.script(:load, 'return ARGV[1]')
    same R.script(:exists, sha), true
    same R.evalsha(sha, keys: [k('n')], argv: ['x']), 'x'
  },
  scan: lambda {
    50.times { |i| R.set(k("scan:#{i}"), i) }
    same R.scan_each(match: k('scan:*'), count: 20).to_a.uniq.sort, (0...50).map { |i| k("scan:#{i}") }.sort
    R.mapped_hmset(k('big'), (0...300).to_h { |i| [i.to_s, i] })
    same R.hscan_each(k('big')).to_a.to_h.size, 300
  },
  reconnect: lambda {
    client.call(['CLIENT', 'KILL', 'ID', R.call(%w[CLIENT ID])])
    same R.set(k('after'), '1'), 'OK'
    same R.get(k('after')), '1'
  }
}.freeze

CHECKS.each do |what, check|
  check.call
  puts "ok #{what}"
rescue StandardError => e
  puts "no #{what}: #{e.class} #{e.message}"
end
