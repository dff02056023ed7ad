# What an application in Perl does with Redis, through Redis.pm. Prints "ok <what>" or "no <what>: <why>" per line.
use strict;
use warnings;
use Redis;

$| = 1;
my ($host, $port, $name) = @ARGV;
sub client { return Redis->new(server => "$host:$port", reconnect => 5, every => 50_000, @_) }
sub k { return "$name:$_[0]" }
sub t { return "{$name}:$_[0]" }
my $r = client();

sub text { my ($v) = @_; return !defined $v ? 'nothing' : ref $v eq 'ARRAY' ? '[' . join(',', map { text($_) } @$v) . ']' : "'$v'" }
sub same { my ($got, $wanted) = @_; die 'got ' . text($got) . ', wanted ' . text($wanted) . "\n" if text($got) ne text($wanted); return }

# Runs in a process of its own, for what must happen while this one waits.
sub meanwhile {
    my ($code) = @_;
    my $pid = fork;
    return $pid if $pid;
    select undef, undef, undef, 0.2;
    $code->(client());
    require POSIX;
    POSIX::_exit(0);
}

my @checks = (
    connect => sub { same($r->ping, 'PONG') },
    types => sub {
        same($r->set(k('s'), 'v', 'EX', 100), 'OK');
        same($r->get(k('s')), 'v');
        same($r->mset(k('a'), 1, k('b'), 2), 'OK');
        same([$r->mget(k('a'), k('b'), k('none'))], [1, 2, undef]);
        same($r->hset(k('h'), 'f', 1, 'g', 2), 2);
        same([$r->hmget(k('h'), 'f', 'g')], [1, 2]);
        same($r->rpush(k('l'), 'a', 'b', 'c'), 3);
        same([$r->lrange(k('l'), 0, -1)], ['a', 'b', 'c']);
        same($r->sadd(k('set'), 'x'), 1);
        same([$r->smembers(k('set'))], ['x']);
        same($r->zadd(k('z'), 1.5, 'm', 2, 'n'), 2);
        same([$r->zrange(k('z'), 0, -1, 'WITHSCORES')], ['m', '1.5', 'n', 2]);
        my $entry = $r->xadd(k('x'), '*', 'f', 'v');
        same([$r->xrange(k('x'), '-', '+')], [[$entry, ['f', 'v']]]);
        same($r->pfadd(k('hll'), 'a', 'b'), 1);
        same($r->pfcount(k('hll')), 2);
        same($r->geoadd(k('geo'), 13.361389, 38.115556, 'Palermo'), 1);
        same($r->setbit(k('bits'), 7, 1), 0);
        same($r->bitcount(k('bits')), 1);
        same($r->del(k('a'), k('b'), k('s')), 3);
    },
    pipeline => sub {
        my @got;
        for my $i (0 .. 99) {
            $r->set(k("p$i"), $i, sub { push @got, $_[0] });
            $r->get(k("p$i"), sub { push @got, $_[0] });
        }
        $r->wait_all_responses;
        same(\@got, [map { ('OK', $_) } 0 .. 99]);
    },
    transaction => sub {
        $r->multi;
        $r->set(t('tx'), 1);
        $r->incr(t('tx'));
        same([$r->exec], ['OK', 2]);
        $r->watch(t('tx'));
        client()->set(t('tx'), 'changed');
        $r->multi;
        $r->set(t('tx'), 'lost');
        same(scalar($r->exec), undef);
        same($r->get(t('tx')), 'changed');
    },
    pubsub => sub {
        my $got;
        my $s = client();
        $s->subscribe(k('channel'), sub { $got = $_[0] });
        my $pid = meanwhile(sub { $_[0]->publish(k('channel'), 'hello') });
        # It gives up waiting when nothing has come for a second, also after a message.
        $s->wait_for_messages(1) until defined $got;
        waitpid $pid, 0;
        same($got, 'hello');
    },
    blocking => sub {
        same([$r->blpop(k('queue'), 1)], [undef]);
        my $pid = meanwhile(sub { $_[0]->rpush(k('queue'), 'job') });
        same([$r->blpop(k('queue'), 20)], [k('queue'), 'job']);
        waitpid $pid, 0;
    },
    script => sub {
        same($r->eval("return redis.call('incrby', KEYS[1], ARGV[1])", 1, k('n'), 10), 10);
        my $sha = $r->script_load('return ARGV[1]');
        same([$r->script_exists($sha)], [1]);
        same($r->evalsha($sha, 1, k('n'), 'x'), 'x');
    },
    scan => sub {
        $r->set(k("scan:$_"), $_) for 0 .. 49;
        my (%seen, $keys);
        my $cursor = 0;
        do {
            ($cursor, $keys) = $r->scan($cursor, 'MATCH', k('scan:*'), 'COUNT', 20);
            $seen{$_} = 1 for @$keys;
        } while ($cursor);
        same([sort keys %seen], [sort map { k("scan:$_") } 0 .. 49]);
    },
    reconnect => sub {
        client()->client_kill('ID', $r->client_id);
        same($r->set(k('after'), 1), 'OK');
        same($r->get(k('after')), 1);
    },
);
while (my ($what, $check) = splice @checks, 0, 2) {
    if (eval { $check->(); 1 }) { print "ok $what\n" }
    else { my $why = $@; $why =~ s/\s+/ /g; print "no $what: $why\n" }
}
