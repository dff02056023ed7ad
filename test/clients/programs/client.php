<?php
// What an application in PHP does with Redis, through phpredis. Prints "ok <what>" or "no <what>: <why>" per line.
[, $host, $port, $name] = $argv;

function client(): Redis
{
    global $host, $port;
    $redis = new Redis();
    $redis->connect($host, (int) $port);
    $redis->setOption(Redis::OPT_READ_TIMEOUT, 30);
    return $redis;
}

function k(string $rest): string
{
    global $name;
    return "$name:$rest";
}

function t(string $rest): string
{
    global $name;
    return '{' . $name . "}:$rest";
}

function same(mixed $got, mixed $wanted): void
{
    if ($got !== $wanted) {
        throw new Exception('got ' . json_encode($got) . ', wanted ' . json_encode($wanted));
    }
}

/** Runs PHP code in a process of its own, for what must happen while this one waits. */
function meanwhile(string $code): mixed
{
    global $host, $port;
    $head = "usleep(300000); \$r = new Redis(); \$r->connect('$host', $port); ";
    return popen(escapeshellarg(PHP_BINARY) . ' -r ' . escapeshellarg($head . $code), 'r');
}

$r = client();
$checks = [
    'connect' => function () use ($r) {
        same($r->ping(), true);
    },
    'types' => function () use ($r) {
        same($r->set(k('s'), 'v', ['ex' => 100]), true);
        same($r->get(k('s')), 'v');
        same($r->mset([k('a') => '1', k('b') => '2']), true);
        same($r->mget([k('a'), k('b'), k('none')]), ['1', '2', false]);
        same($r->hMset(k('h'), ['f' => '1', 'g' => '2']), true);
        same($r->hGetAll(k('h')), ['f' => '1', 'g' => '2']);
        same($r->rPush(k('l'), 'a', 'b', 'c'), 3);
        same($r->lRange(k('l'), 0, -1), ['a', 'b', 'c']);
        same($r->sAdd(k('set'), 'x'), 1);
        same($r->sMembers(k('set')), ['x']);
        same($r->zAdd(k('z'), 1.5, 'm', 2, 'n'), 2);
        same($r->zRange(k('z'), 0, -1, true), ['m' => 1.5, 'n' => 2.0]);
        $entry = $r->xAdd(k('x'), '*', ['f' => 'v']);
        same($r->xRange(k('x'), '-', '+'), [$entry => ['f' => 'v']]);
        same($r->pfAdd(k('hll'), ['a', 'b']), 1);
        same($r->pfCount(k('hll')), 2);
        same($r->geoAdd(k('geo'), 13.361389, 38.115556, 'Palermo'), 1);
        same($r->setBit(k('bits'), 7, true), 0);
        same($r->bitCount(k('bits')), 1);
        same($r->del(k('a'), k('b'), k('s')), 3);
    },
    'pipeline' => function () use ($r) {
        $pipe = $r->pipeline();
        $wanted = [];
        for ($i = 0; $i < 100; $i++) {
            $pipe->set(k("p$i"), $i)->get(k("p$i"));
            array_push($wanted, true, "$i");
        }
        same($pipe->exec(), $wanted);
    },
    'transaction' => function () use ($r) {
        same($r->multi()->set(t('tx'), '1')->incr(t('tx'))->exec(), [true, 2]);
        $r->watch(t('tx'));
        client()->set(t('tx'), 'changed');
        same($r->multi()->set(t('tx'), 'lost')->exec(), false);
        same($r->get(t('tx')), 'changed');
    },
    'pubsub' => function () {
        $publisher = meanwhile("\$r->publish('" . k('channel') . "', 'hello');");
        $got = null;
        $s = client();
        $s->setOption(Redis::OPT_READ_TIMEOUT, 3);
        try {
            $s->subscribe([k('channel')], function ($redis, $channel, $message) use (&$got) {
                $got = $message;
            });
        } catch (RedisException) {
            // subscribe() only comes back when nothing has come for that long.
        }
        pclose($publisher);
        same($got, 'hello');
    },
    'blocking' => function () use ($r) {
        same($r->blPop([k('queue')], 1), []);
        $pusher = meanwhile("\$r->rPush('" . k('queue') . "', 'job');");
        same($r->blPop([k('queue')], 20), [k('queue'), 'job']);
        pclose($pusher);
    },
    'script' => function () use ($r) {
        same($r->eval("return redis.call('incrby', KEYS[1], ARGV[1])", [k('n'), 10], 1), 10);
        $sha = $r->script('load', 'return ARGV[1]');
        same($r->script('exists', $sha), [1]);
        same($r->evalSha($sha, [k('n'), 'x'], 1), 'x');
    },
    'scan' => function () use ($r) {
        $wanted = [];
        for ($i = 0; $i < 50; $i++) {
            $r->set(k("scan:$i"), $i);
            $wanted[k("scan:$i")] = true;
        }
        $r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
        $seen = [];
        $cursor = null;
        while (($keys = $r->scan($cursor, k('scan:*'), 20)) !== false) {
            foreach ($keys as $key) {
                $seen[$key] = true;
            }
        }
        ksort($seen);
        ksort($wanted);
        same($seen, $wanted);
    },
    'reconnect' => function () use ($r) {
        client()->rawCommand('CLIENT', 'KILL', 'ID', $r->client('id'));
        same($r->set(k('after'), '1'), true);
        same($r->get(k('after')), '1');
    },
];
foreach ($checks as $what => $check) {
    try {
        $check();
        echo "ok $what\n";
    } catch (Throwable $error) {
        echo "no $what: " . get_class($error) . ' ' . $error->getMessage() . "\n";
    }
}
