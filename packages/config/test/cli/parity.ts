// Every change that the API has, and the command line that does the same.

export interface Pair {
  /** As the description of the API has it, behind /api/v1. */
  readonly route: string;
  readonly path: string;
  readonly body?: object;
  readonly line: readonly string[];
}

export interface Names {
  readonly spare: string;
  readonly replica: string;
  readonly passwordFile: string;
  readonly password: string;
  readonly alert: string;
}

/** None of these does anything by itself: with `dryRun` both sides say which audit event they would make. */
export function pairs({ spare, replica, passwordFile, password, alert }: Names): readonly Pair[] {
  const to = (route: string, path: string, line: string, body?: object): Pair => ({
    route,
    path,
    line: line.split(' '),
    ...(body ? { body } : {}),
  });
  const at = (addr: string) => encodeURIComponent(addr);
  return [
    to('PUT /slots/range', '/slots/range', 'slot range-set 1000 1023 2 offline', { first: 1000, last: 1023, group: null }),
    to('PUT /slots/range', '/slots/range', 'slot set 1023 2 online', { first: 1023, last: 1023, group: 2 }),
    to('POST /groups', '/groups', 'server add-group 8', { group: 8 }),
    to('DELETE /groups/{group}', '/groups/7', 'server remove-group 7'),
    to('POST /groups/{group}/servers', '/groups/7/servers', `server add 7 ${spare} master`, { addr: spare, role: 'master' }),
    to('DELETE /groups/{group}/servers/{addr}', `/groups/1/servers/${at(replica)}`, `server remove 1 ${replica}`),
    to('POST /groups/{group}/servers', '/groups/7/servers', `server add 7 ${spare} master --zone az1`, {
      addr: spare,
      role: 'master',
      zone: 'az1',
    }),
    to('PUT /groups/{group}/servers/{addr}', `/groups/1/servers/${at(replica)}`, `server set ${replica} --zone az1 --replica-reads off`, {
      zone: 'az1',
      replicaReads: false,
    }),
    to('PUT /groups/{group}/servers/{addr}', `/groups/1/servers/${at(replica)}`, `server set ${replica} --zone none`, { zone: null }),
    to('POST /groups/{group}/servers/{addr}/promote', `/groups/1/servers/${at(replica)}/promote`, `server promote 1 ${replica}`, {}),
    to('POST /groups/{group}/servers/{addr}/replicate', `/groups/1/servers/${at(replica)}/replicate`, `server replicate 1 ${replica}`, {}),
    to('PUT /proxies/{proxy}/wanted', '/proxies/proxy_1/wanted', 'proxy offline proxy_1', { wanted: 'offline' }),
    to('PUT /proxies/{proxy}/wanted', '/proxies/proxy_1/wanted', 'proxy online proxy_1', { wanted: 'online' }),
    to('PUT /proxies/{proxy}/wanted', '/proxies/proxy_1/wanted', 'proxy drain proxy_1 --timeout 9', { wanted: 'offline', drainSeconds: 9 }),
    to('POST /migrations', '/migrations', 'slot migrate 600 700 1 --share 10', {
      moves: [{ first: 600, last: 700, to: 1 }],
      durable: false,
      sharePercent: 10,
    }),
    to('POST /migrations/{migration}/pause', '/migrations/1/pause', 'migration pause 1'),
    to('POST /migrations/{migration}/resume', '/migrations/1/resume', 'migration resume 1'),
    to('POST /migrations/{migration}/cancel', '/migrations/1/cancel', 'migration cancel 1'),
    to('POST /migrations/{migration}/cancel', '/migrations/1/cancel', 'migration cancel 1 --roll-back all', { rollBack: 'all' }),
    to('POST /migrations/{migration}/throttle', '/migrations/1/throttle', 'migration throttle 1 --keys-per-second 7', { keysPerSecond: 7 }),
    to('POST /migrations/{migration}/throttle', '/migrations/1/throttle', 'migration throttle 1 --window 22:00-24:00', {
      window: '22:00-00:00',
    }),
    to('POST /plans', '/plans', 'plan rebalance', { kind: 'rebalance', by: 'slots', weights: [] }),
    to('POST /plans', '/plans', 'plan drain 2', { kind: 'drain', group: 2, by: 'slots' }),
    to('POST /plans', '/plans', 'plan move 600 700 1', { kind: 'move', moves: [{ first: 600, last: 700, to: 1 }] }),
    to('POST /proxies/{proxy}/try', '/proxies/proxy_1/try', 'proxy try proxy_1'),
    to('DELETE /proxies/{proxy}', '/proxies/proxy_gone', 'proxy remove proxy_gone'),
    to('POST /plans/{plan}/apply', '/plans/2/apply', 'plan apply 2', { durable: false, force: false }),
    to('POST /alerts/{alert}/acknowledge', `/alerts/${at(alert)}/acknowledge`, `alerts acknowledge ${alert}`),
    to('PUT /users/{user}', '/users/boris', 'auth change-user boris --role admin', { role: 'admin' }),
    to('DELETE /users/{user}', '/users/boris', 'auth remove-user boris'),
    to('DELETE /tokens/{token}', '/tokens/cron', 'auth remove-token cron'),
    to('POST /users', '/users', `auth add-user anna viewer --password-file ${passwordFile}`, { name: 'anna', role: 'viewer', password }),
    to('POST /tokens', '/tokens', 'auth add-token backup viewer', { name: 'backup', role: 'viewer' }),
  ];
}

/** Changes whose command line is told elsewhere, or that have none. */
export const OTHERS: Readonly<Record<string, string>> = {
  'POST /slots/init': 'slot init: refused while slots move; test/cli/cli.test.ts',
  'POST /migrations/{migration}/adopt': 'migration adopt: only for a move without record; test/cli/adopt.test.ts',
  'POST /groups/{group}/keys/mend': 'key mend: only where there are misplaced keys; test/doctor',
  'POST /alerts/{alert}/silence': 'alerts silence: until when depends on the moment',
  'PUT /session/password': 'auth password: only for one who is logged in; test/cli/auth.test.ts',
  'POST /login': 'auth login',
  'POST /logout': 'auth logout',
  'POST /servers/probe': 'changes nothing',
  'POST /setup': 'slot init, server add and slot range-set, one after the other: it makes the events of these',
};
