// Goal: no command changes its class by accident: what goes to one group, what is taken apart, what the proxy answers, what it refuses.
// Method: the class of every command as a table, kept by hand. A command that comes with a newer Redis must be put somewhere on purpose.

import { describe, expect, test } from 'vitest';
import { classOf } from '../../src/commands/classes.ts';
import { COMMANDS } from '../../src/commands/command.ts';

const CLASSES: Readonly<Record<string, string>> = {
  slot: `
    append arcount ardel ardelrange arget argetrange argrep arinfo arinsert arlastitems arlen armget armset arnext arop arring arscan
    arseek arset bitcount bitfield bitfield_ro bitop bitpos bless|clear bless|get bless|set copy decr decrby delex digest dump eval
    eval_ro evalsha evalsha_ro expire expireat expiretime fcall fcall_ro geoadd geodist geohash geopos georadius georadius_ro
    georadiusbymember georadiusbymember_ro geosearch geosearchstore get getbit getdel getex getrange getset hdel hexists hexpire
    hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset hpersist hpexpire hpexpireat
    hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals incr incrby incrbyfloat increx lcs lindex linsert llen
    lmove lmovem lmpop lpop lpos lpush lpushx lrange lrem lset ltrim memory|usage move msetex msetnx object|encoding object|freq
    object|idletime object|refcount persist pexpire pexpireat pexpiretime pfadd pfcount pfdebug pfmerge psetex pttl rename renamenx
    restore rpop rpoplpush rpush rpushx sadd scard sdiff sdiffcard sdiffstore set setbit setex setnx setrange sinter sintercard
    sinterstore sismember smembers smismember smove sort sort_ro spop srandmember srem sscan strlen substr sunion sunioncard
    sunionstore ttl type vadd vcard vdim vemb vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim xack xackdel xadd
    xautoclaim xcfgset xclaim xdel xdelex xgroup|create xgroup|createconsumer xgroup|delconsumer xgroup|destroy xgroup|setid
    xidmprecord xinfo|consumers xinfo|groups xinfo|stream xlen xnack xpending xrange xread xreadgroup xrevrange xsetid xtrim zadd
    zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange
    zrangebylex zrangebyscore zrangestore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex
    zrevrangebyscore zrevrank zscan zscore zunion zunionstore
  `,
  'split array': `
    mget
  `,
  'split ok': `
    mset
  `,
  'split sum': `
    del exists touch unlink
  `,
  local: `
    asking auth client client|caching client|getname client|getredir client|help client|id client|info client|kill client|list
    client|no-evict client|no-touch client|pause client|reply client|setinfo client|setname client|tracking client|trackinginfo
    client|unblock client|unpause cluster cluster|count-failure-reports cluster|countkeysinslot cluster|getkeysinslot cluster|help
    cluster|info cluster|keyslot cluster|links cluster|myid cluster|myshardid cluster|nodes cluster|replicas cluster|shards
    cluster|slaves cluster|slots command command|count command|docs command|getkeys command|getkeysandflags command|help command|info
    command|list echo hello info lastsave latency latency|doctor latency|graph latency|help latency|histogram latency|history
    latency|latest latency|reset lolwut monitor ping quit reset role select slowlog slowlog|get slowlog|help slowlog|len slowlog|reset
    time
  `,
  'later: ACL is not supported yet; session_auth sets the clients’ password': `
    acl acl|cat acl|deluser acl|dryrun acl|genpass acl|getuser acl|help acl|list acl|load acl|log acl|save acl|setuser acl|users
    acl|whoami
  `,
  'later: CONFIG is not supported yet; see codis-config for the proxy’s own settings': `
    config config|get config|help config|resetstat config|rewrite config|set
  `,
  pubsub: `
    psubscribe publish pubsub pubsub|channels pubsub|help pubsub|numpat pubsub|numsub pubsub|shardchannels pubsub|shardnumsub
    punsubscribe spublish ssubscribe subscribe sunsubscribe unsubscribe
  `,
  'later: blocking commands are not supported yet': `
    blmove blmovem blmpop blpop brpop brpoplpush bzmpop bzpopmax bzpopmin wait waitaof
  `,
  'later: commands about the whole keyspace are not supported yet': `
    dbsize flushall flushdb keys randomkey scan swapdb
  `,
  'later: commands that leave something behind on their connection are not supported yet': `
    himport himport|discard himport|discardall himport|prepare himport|set
  `,
  'later: managing functions is not supported yet': `
    function function|delete function|dump function|flush function|help function|kill function|list function|load function|restore
    function|stats
  `,
  'later: managing scripts is not supported yet; EVAL with at least one key is': `
    script script|debug script|exists script|flush script|help script|kill script|load
  `,
  'later: reading from replicas is not supported yet': `
    readonly readwrite
  `,
  'later: the proxy does not know how to route it': `
    backup backup|help bless bless|scan hotkeys hotkeys|help memory memory|doctor memory|help memory|malloc-stats memory|purge
    memory|stats object object|help trimslots xgroup xgroup|help xinfo xinfo|help
  `,
  'later: transactions are not supported yet': `
    discard exec multi unwatch watch
  `,
  'refused: it belongs to Redis Cluster': `
    restore-asking
  `,
  'refused: it is about one server; connect to that server': `
    backup|abort backup|cleanup backup|list backup|seal backup|start backup|status bgrewriteaof bgsave debug hotkeys|get hotkeys|reset
    hotkeys|start hotkeys|stop module module|help module|list module|load module|loadex module|unload pfselftest psync replconf save
    sync
  `,
  'refused: proxies join and leave by starting and stopping; see codis-config proxy --help': `
    cluster|bumpepoch cluster|forget cluster|meet cluster|reset cluster|saveconfig cluster|set-config-epoch
  `,
  'refused: replication is managed by the dashboard: see codis-config server --help': `
    cluster|failover cluster|replicate failover replicaof slaveof
  `,
  'refused: slots are moved with: codis-config slot migrate': `
    migrate
  `,
  'refused: stop the proxy or the server itself': `
    shutdown
  `,
  'refused: the proxies are one cluster without slots of their own; data is moved with: codis-config slot --help': `
    cluster|addslots cluster|addslotsrange cluster|delslots cluster|delslotsrange cluster|flushslots cluster|migration cluster|setslot
    cluster|slot-stats cluster|syncslots
  `,
};

function describeClass({ class: of }: (typeof COMMANDS)[number]): string {
  if (of.kind === 'split') return `split ${of.merge}`;
  return of.kind === 'later' || of.kind === 'refused' ? `${of.kind}: ${of.why}` : of.kind;
}

const words = (text: string): string[] => text.trim().split(/\s+/);

test.each(Object.entries(CLASSES))('%s', (name, commands) => {
  const found = COMMANDS.filter((command) => describeClass(command) === name).map((command) => command.name);
  expect(found.sort()).toEqual(words(commands));
});

test('every command stands in the table once', () => {
  const listed = Object.values(CLASSES).flatMap(words);
  expect(listed.sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
});

describe('what follows from the flags', () => {
  const facts = { flags: ['write'], hasKeys: true, parent: undefined };

  test('a command with keys lives in their slot', () => {
    expect(classOf(facts)).toEqual({ kind: 'slot' });
  });

  test.each(['blocking', 'pubsub'])('a %s command does not, though it has keys', (flag) => {
    expect(classOf({ ...facts, flags: ['write', flag] }).kind).not.toBe('slot');
  });

  test('a command without keys is never guessed', () => {
    expect(classOf({ ...facts, hasKeys: false })).toMatchObject({ kind: 'later', why: 'the proxy does not know how to route it' });
  });

  test('an administrator’s command without keys is refused', () => {
    expect(classOf({ ...facts, hasKeys: false, flags: ['admin'] })).toMatchObject({ kind: 'refused' });
  });

  test('a subcommand without keys goes with its parent', () => {
    const parent = { kind: 'local' } as const;
    expect(classOf({ ...facts, hasKeys: false, flags: ['admin'], parent })).toBe(parent);
  });
});

test('nothing that blocks goes over a shared connection, but for reads of streams, which are looked at one by one', () => {
  const shared = COMMANDS.filter(({ class: of, flags }) => flags.includes('blocking') && (of.kind === 'slot' || of.kind === 'split'));
  expect(shared.map(({ name }) => name)).toEqual(['xread', 'xreadgroup']);
});

test('nothing goes over a shared connection without a key', () => {
  const shared = COMMANDS.filter(({ class: of, keys }) => of.kind === 'slot' && keys.kind === 'range' && keys.first === 0);
  expect(shared.map(({ name }) => name)).toEqual([]);
});

test('what is taken apart has keys at fixed places', () => {
  for (const { class: of, keys } of COMMANDS) if (of.kind === 'split') expect(keys).toMatchObject({ kind: 'range', first: 1, last: -1 });
});
