# What an application in Python does with Redis, through redis-py. Prints "ok <what>" or "no <what>: <why>" per line.
import sys
import threading
import redis

host, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
r = redis.Redis(host=host, port=port, decode_responses=True)


def k(rest):
    return "%s:%s" % (name, rest)


def t(rest):
    return "{%s}:%s" % (name, rest)


def same(got, wanted):
    if got != wanted:
        raise AssertionError("got %r, wanted %r" % (got, wanted))


def connect():
    same(r.ping(), True)


def types():
    same(r.set(k("s"), "v", ex=100), True)
    same(r.get(k("s")), "v")
    same(r.mset({k("a"): "1", k("b"): "2"}), True)
    same(r.mget(k("a"), k("b"), k("none")), ["1", "2", None])
    same(r.hset(k("h"), mapping={"f": "1", "g": "2"}), 2)
    same(r.hgetall(k("h")), {"f": "1", "g": "2"})
    same(r.rpush(k("l"), "a", "b", "c"), 3)
    same(r.lrange(k("l"), 0, -1), ["a", "b", "c"])
    same(r.sadd(k("set"), "x", "y"), 2)
    same(r.smembers(k("set")), {"x", "y"})
    same(r.zadd(k("z"), {"m": 1.5, "n": 2}), 2)
    same(r.zrange(k("z"), 0, -1, withscores=True), [("m", 1.5), ("n", 2.0)])
    entry = r.xadd(k("x"), {"f": "v"})
    same(r.xrange(k("x")), [(entry, {"f": "v"})])
    same(r.pfadd(k("hll"), "a", "b"), 1)
    same(r.pfcount(k("hll")), 2)
    same(r.geoadd(k("geo"), (13.361389, 38.115556, "Palermo")), 1)
    same(r.setbit(k("bits"), 7, 1), 0)
    same(r.bitcount(k("bits")), 1)
    same(r.delete(k("a"), k("b"), k("s")), 3)


def pipeline():
    p = r.pipeline(transaction=False)
    for i in range(100):
        p.set(k("p%d" % i), i)
        p.get(k("p%d" % i))
    same(p.execute(), [x for i in range(100) for x in (True, str(i))])


def transaction():
    p = r.pipeline(transaction=True)
    p.set(t("tx"), "1")
    p.incr(t("tx"))
    same(p.execute(), [True, 2])
    with r.pipeline() as w:
        w.watch(t("tx"))
        r.set(t("tx"), "changed")
        w.multi()
        w.set(t("tx"), "lost")
        try:
            w.execute()
            raise AssertionError("a touched WATCH did not break EXEC")
        except redis.WatchError:
            pass
    same(r.get(t("tx")), "changed")


def pubsub():
    s = r.pubsub()
    s.subscribe(k("channel"))
    s.psubscribe(k("pat*"))
    seen = []
    while len(seen) < 2:
        m = s.get_message(timeout=10)
        seen.append(m["type"])
    same(sorted(seen), ["psubscribe", "subscribe"])
    r.publish(k("channel"), "hello")
    r.publish(k("pattern"), "there")
    got = sorted(s.get_message(timeout=10)["data"] for _ in range(2))
    same(got, ["hello", "there"])
    s.unsubscribe()
    s.punsubscribe()
    s.close()


def blocking():
    same(r.blpop(k("queue"), timeout=1), None)
    pusher = threading.Timer(0.1, lambda: redis.Redis(host=host, port=port).rpush(k("queue"), "job"))
    pusher.start()
    same(r.blpop(k("queue"), timeout=20), (k("queue"), "job"))
    pusher.join()


def script():
    double = r.register_script("return redis.call('incrby', KEYS[1], ARGV[1] * 2)")
    same(double(keys=[k("n")], args=[5]), 10)
    same(double(keys=[k("n")], args=[1]), 12)
    sha = r.script_load("return ARGV[1]")
    same(r.script_exists(sha), [True])
    same(r.evalsha(sha, 1, k("n"), "x"), "x")


def scan():
    for i in range(50):
        r.set(k("scan:%d" % i), i)
    same(set(r.scan_iter(match=k("scan:*"), count=20)), {k("scan:%d" % i) for i in range(50)})
    r.hset(k("big"), mapping={str(i): i for i in range(300)})
    same(len(dict(r.hscan_iter(k("big")))), 300)


def reconnect():
    other = redis.Redis(host=host, port=port)
    other.client_kill_filter(_id=r.client_id())
    same(r.set(k("after"), "1"), True)
    same(r.get(k("after")), "1")


for check in (connect, types, pipeline, transaction, pubsub, blocking, script, scan, reconnect):
    try:
        check()
        print("ok", check.__name__, flush=True)
    except Exception as error:
        print("no %s: %s %s" % (check.__name__, type(error).__name__, error), flush=True)
