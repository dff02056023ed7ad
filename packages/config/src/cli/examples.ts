// What `--help` begins with: for every command, command lines that can be typed as they stand. Kept in one place so that none is forgotten.

import type { Command } from 'commander';
import { invariant } from '../model/index.ts';

/** By command path; '' is codis-config itself. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  '': ['dashboard', 'slot init', 'server add 1 localhost:6379 master', 'slot range-set 0 1023 1 online', 'status'],
  status: ['status', 'status -o json'],
  events: ['events', 'events --limit 20'],
  doctor: ['doctor', 'doctor --quick', 'doctor -o json'],
  key: ['key slot user:{42}:name', 'key mend --group 2 --dry-run'],
  'key slot': ['key slot user:{42}:name'],
  'key mend': ['key mend --group 2 --dry-run', 'key mend --group 2 --slots 0-511 --move', 'key mend --group 2 --delete'],
  slot: ['slot init', 'slot range-set 0 511 1 online', 'slot migrate 0 511 2 --delay=10 --wait'],
  'slot init': ['slot init'],
  'slot list': ['slot list', 'slot list -o json'],
  'slot info': ['slot info 512'],
  'slot set': ['slot set 512 1 online', 'slot set 512 1 offline'],
  'slot range-set': ['slot range-set 0 511 1 online', 'slot range-set 0 511 1 offline'],
  'slot rebalance': ['slot rebalance', 'slot rebalance --dry-run', 'slot rebalance --by memory --weight 3=2 --yes --wait'],
  'slot migrate': [
    'slot migrate 0 511 2 --delay=10',
    'slot migrate 0 511 2 --durable --keys-per-second 20000',
    'slot migrate 7 7 2 --wait --timeout 60',
  ],
  server: ['server add 1 localhost:6379 master', 'server add 1 localhost:6380 slave', 'server promote 1 localhost:6380'],
  'server list': ['server list', 'server list -o name'],
  'server add': ['server add 1 localhost:6379 master', 'server add 1 localhost:6380 slave', 'server add 1 localhost:6379 master --force'],
  'server remove': ['server remove 1 localhost:6380'],
  'server promote': ['server promote 1 localhost:6380'],
  'server add-group': ['server add-group 3'],
  'server remove-group': ['server remove-group 3'],
  proxy: ['proxy list', 'proxy online proxy_1'],
  'proxy list': ['proxy list'],
  'proxy online': ['proxy online proxy_1'],
  'proxy offline': ['proxy offline proxy_1'],
  'proxy remove': ['proxy remove proxy_1'],
  plan: ['plan rebalance', 'plan drain 3', 'plan apply 1 --wait'],
  'plan move': ['plan move 0 511 2'],
  'plan rebalance': ['plan rebalance', 'plan rebalance --by keys --weight 3=2 --weight 4=2'],
  'plan drain': ['plan drain 3'],
  'plan list': ['plan list'],
  'plan show': ['plan show 1', 'plan show 1 -o json'],
  'plan diff': ['plan diff 1', 'plan diff 1 -o json'],
  'plan apply': ['plan apply 1', 'plan apply 1 --delay=10 --wait', 'plan apply 1 --force'],
  migration: ['migration list', 'migration watch 1', 'migration throttle 1 --keys-per-second 5000'],
  'migration list': ['migration list', 'migration list -o json'],
  'migration show': ['migration show 1'],
  'migration watch': ['migration watch 1', 'migration watch 1 --timeout 60'],
  'migration pause': ['migration pause 1'],
  'migration resume': ['migration resume 1'],
  'migration throttle': [
    'migration throttle 1 --keys-per-second 5000',
    'migration throttle 1 --mb-per-second 20 --added-p99 2',
    'migration throttle 1 --keys-per-second none',
    'migration throttle 1 --share 10',
  ],
  'migration cancel': ['migration cancel 1'],
  'migration adopt': ['migration adopt 1 --dry-run', 'migration adopt 1', 'migration adopt 1 --keys-per-second 5000'],
  dashboard: ['dashboard', 'dashboard -c config.ini'],
};

/** Gives `command` and everything below it its examples. */
export function addExamples(command: Command, path = ''): void {
  const lines = EXAMPLES[path];
  invariant(lines !== undefined, 'every command has examples');
  command.addHelpText('before', `Examples:\n${lines.map((line) => `  codis-config ${line}\n`).join('')}`);
  for (const child of command.commands) addExamples(child, `${path} ${child.name()}`.trim());
}
