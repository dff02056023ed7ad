// What people get wrong, and what they are told. For a cluster of two groups in which migration 1 moves slots 0 to 99 and plan 1 is stale.

export interface Addresses {
  /** Of a proxy, for its clients. */
  readonly client: string;
  readonly admin: string;
  readonly dashboard: string;
  /** Group 1’s master. */
  readonly redis: string;
  /** A Redis in no group. */
  readonly spare: string;
  /** Where nothing listens. */
  readonly nobody: string;
  readonly configFile: string;
}

/** The mistake, what is typed, the exit code, and what is said among other things. */
export type Mistake = readonly [name: string, typed: () => readonly string[], code: number, says: () => readonly string[]];

export function mistakes(at: () => Addresses): readonly Mistake[] {
  return [
    ['a slip of the pen', () => ['slto', 'list'], 2, () => ["unknown command 'slto' (Did you mean slot?)", 'codis-config slot --help']],
    [
      'a slip in the verb',
      () => ['slot', 'migrat', '0', '1', '2'],
      2,
      () => ['Did you mean slot migrate?', 'codis-config slot migrate 0 511 2'],
    ],
    ['another tool’s word', () => ['slot', 'move', '0', '1', '2'], 2, () => ['Did you mean slot migrate?', 'there are init, list']],
    ['another tool’s noun', () => ['group', 'list'], 2, () => ['Did you mean server?', 'codis-config server --help']],
    ['a noun alone', () => ['slot'], 2, () => ['slot needs a command behind it', 'there are init, list']],
    [
      'an argument that is missing',
      () => ['slot', 'migrate', '0', '1'],
      2,
      () => ["missing required argument 'group'", 'codis-config slot migrate 0 511 2'],
    ],
    ['an argument too many', () => ['slot', 'init', 'now'], 2, () => ['too many arguments', 'codis-config slot init --help']],
    ['an option that is none', () => ['slot', 'list', '--colour'], 2, () => ["unknown option '--colour'", 'codis-config slot list --help']],
    ['a format that is none', () => ['slot', 'list', '-o', 'xml'], 2, () => ['Allowed choices are table, wide, json, yaml, name, csv']],
    ['slot 1024', () => ['slot', 'info', '1024'], 2, () => ['slot 1024 is out of range: slots go from 0 to 1023', 'Not a slot']],
    ['a word for a slot', () => ['slot', 'info', 'seven'], 2, () => ['"seven" is not a slot']],
    ['a range that runs backwards', () => ['slot', 'range-set', '9', '0', '1', 'online'], 2, () => ['the range 9..0 runs backwards']],
    ['a status that is none', () => ['slot', 'set', '0', '1', 'onlin'], 2, () => ['"onlin" is not a status: write online or offline']],
    [
      'a group that is not there',
      () => ['slot', 'set', '1023', '77', 'online'],
      3,
      () => ['there is no group 77', 'codis-config server list'],
    ],
    [
      'a slot that moves',
      () => ['slot', 'migrate', '0', '5', '2'],
      4,
      () => ['slot 0 is being moved by migration 1', 'wait for the migration, or cancel it'],
    ],
    ['a slot that is served elsewhere', () => ['slot', 'set', '1023', '1', 'online'], 4, () => ['codis-config slot migrate']],
    ['a second slot table', () => ['slot', 'init'], 4, () => ['has a slot table already', '--force']],
    [
      'a role that is none',
      () => ['server', 'add', '1', 'localhost:6379', 'king'],
      2,
      () => ['"king" is not a role: write master, replica or slave'],
    ],
    [
      'an address without a port',
      () => ['server', 'add', '1', 'localhost', 'master'],
      2,
      () => ['"localhost" is not an address', 'write host:port'],
    ],
    [
      'a Redis that is not there',
      () => ['server', 'add', '7', at().nobody, 'master'],
      5,
      () => [`${at().nobody} can't be reached`, 'start it'],
    ],
    ['a second master', () => ['server', 'add', '1', at().spare, 'master'], 4, () => ['group 1 has a master already', 'replica']],
    [
      'a proxy as a Redis',
      () => ['server', 'add', '7', at().client, 'master'],
      1,
      () => [`${at().client} is a codis-proxy; give the address of a redis-server`],
    ],
    ['a server twice', () => ['server', 'add', '7', at().redis, 'master'], 4, () => ['is in group 1 already']],
    ['a master with slots taken away', () => ['server', 'remove', '1', at().redis], 4, () => ['is the master of group 1, which has']],
    ['a group in use', () => ['server', 'remove-group', '1'], 4, () => ['group 1 still has slots', 'codis-config plan drain']],
    [
      'the address that a proxy takes clients at for its name',
      () => ['proxy', 'online', at().client],
      2,
      () => ['is not a proxy id but an address: proxy_1 takes clients there', 'try:   codis-config proxy online proxy_1\n'],
    ],
    [
      'the admin address of a proxy for its name',
      () => ['proxy', 'clients', at().admin, '--top', '3'],
      2,
      () => ['it is the admin address of proxy_1', 'try:   codis-config proxy clients proxy_1\n'],
    ],
    [
      'another address for the name of a proxy',
      () => ['proxy', 'online', at().nobody],
      2,
      () => ['is not a proxy id', 'codis-config proxy list'],
    ],
    ['a proxy that is not there', () => ['proxy', 'online', 'proxy_9'], 3, () => ['there is no proxy proxy_9', 'codis-config proxy list']],
    ['a proxy that runs, removed', () => ['proxy', 'remove', 'proxy_1'], 4, () => ['proxy proxy_1 runs', 'stop it']],
    ['a plan that is not there', () => ['plan', 'apply', '99'], 3, () => ['there is no plan 99', 'codis-config plan list']],
    ['a plan that is stale', () => ['plan', 'apply', '1'], 4, () => ['was made at epoch', 'codis-config plan diff']],
    [
      'a migration that is not there',
      () => ['migration', 'watch', '99'],
      3,
      () => ['there is no migration 99', 'codis-config migration list'],
    ],
    ['a drain of what is not there', () => ['plan', 'drain', '55'], 3, () => ['there is no group 55']],
    ['a file that is not there', () => ['config', 'restore', '/nonexistent'], 2, () => ["/nonexistent can't be read"]],
    [
      'a file that is something else',
      () => ['config', 'restore', at().configFile],
      2,
      () => ['no dump of a topology', 'codis-config config dump'],
    ],
    [
      'a store that is none',
      () => ['slot', 'list', '--store', 'etcd://localhost'],
      2,
      () => ['is no store: write config, zk://host:2181, or a directory'],
    ],
    [
      'a dashboard that does not run',
      () => ['--dashboard-addr', at().nobody, 'slot', 'list'],
      5,
      () => ['nothing listens there', 'codis-config dashboard', '--store config'],
    ],
    [
      'the client port for the admin port',
      () => ['--dashboard-addr', at().client, 'slot', 'list'],
      5,
      () => [
        `${at().client} is a RESP port: proxy_1 takes clients there; the admin port of this proxy is ${at().admin}`,
        `the dashboard is at ${at().dashboard}`,
      ],
    ],
    [
      'a proxy’s admin port for the dashboard',
      () => ['--dashboard-addr', at().admin, 'slot', 'list'],
      5,
      () => [`${at().admin} is the admin address of a proxy`],
    ],
    [
      'a Redis for the dashboard',
      () => ['--dashboard-addr', at().redis, 'slot', 'list'],
      5,
      () => [`${at().redis} is a RESP port`, `the dashboard is at ${at().dashboard}`],
    ],
    ['a change of nothing', () => ['auth', 'change-user', 'anna'], 2, () => ['say what to change', '--help']],
    ['a shell that is none', () => ['completion', 'powershell'], 2, () => ['write bash, zsh or fish']],
  ];
}
