// Every command of codis-config: what it does to the cluster, and command lines that can be typed as they stand. What is told about commands is told from here:
// `--help` and `docs/cli.md`, what may be tried after a mistake, and the tests that run every one of them.

import type { Command } from 'commander';
import { invariant } from '../model/index.ts';

export type CommandFacts =
  /** Holds other commands. */
  | { readonly kind: 'noun'; readonly examples: readonly string[] }
  /** Looks, and changes nothing. `shows` is the route whose answer `-o json` prints, behind /api/v1; null when it is not one route's. */
  | { readonly kind: 'read'; readonly examples: readonly string[]; readonly shows: string | null }
  /** Takes `--dry-run`. */
  | { readonly kind: 'change'; readonly examples: readonly string[] }
  /** Neither looks at the cluster nor changes it, and prints what it likes. */
  | { readonly kind: 'program'; readonly examples: readonly string[] };

const noun = (...examples: string[]): CommandFacts => ({ kind: 'noun', examples });
const read = (shows: string | null, ...examples: string[]): CommandFacts => ({ kind: 'read', shows, examples });
const change = (...examples: string[]): CommandFacts => ({ kind: 'change', examples });
const program = (...examples: string[]): CommandFacts => ({ kind: 'program', examples });

/** By command path; '' is codis-config itself. */
export const CATALOGUE: Readonly<Record<string, CommandFacts>> = {
  '': noun('dashboard', 'slot init', 'server add 1 localhost:6379 master', 'slot range-set 0 1023 1 online', 'status'),
  status: read('/status', 'status', 'status -o wide', 'status --store config'),
  doctor: read('/doctor', 'doctor', 'doctor --quick', 'doctor -o json'),
  alerts: read('/alerts', 'alerts', 'alerts acknowledge no-replica:1', 'alerts silence no-replica:1 --minutes 60'),
  'alerts acknowledge': change('alerts acknowledge no-replica:1'),
  'alerts silence': change('alerts silence no-replica:1 --minutes 60', 'alerts silence no-replica:1 --minutes 0'),
  events: read(
    '/events',
    'events',
    'events --limit 20',
    'events --since 100 -o csv',
    'events --before 100',
    'events --action migration --result denied',
  ),
  slowlog: read('/slowlog', 'slowlog', 'slowlog --group 2 --limit 20', 'slowlog --command hgetall -o wide'),
  slot: noun('slot init', 'slot range-set 0 511 1 online', 'slot migrate 0 511 2 --delay=10 --wait'),
  'slot init': change('slot init', 'slot init --dry-run'),
  'slot list': read('/slots', 'slot list', 'slot list -o json', 'slot list -o wide'),
  'slot info': read('/slots/{slot}', 'slot info 512'),
  'slot busy': read('/slots/history', 'slot busy', 'slot busy --minutes 360 --limit 50', 'slot busy --slots 0-511'),
  'slot explain': read('/explain', 'slot explain 512'),
  'slot set': change('slot set 512 1 online', 'slot set 512 1 offline'),
  'slot range-set': change('slot range-set 0 511 1 online', 'slot range-set 0 511 1 offline'),
  'slot rebalance': change('slot rebalance', 'slot rebalance --dry-run', 'slot rebalance --by memory --weight 3=2 --yes --wait'),
  'slot migrate': change(
    'slot migrate 0 511 2 --delay=10',
    'slot migrate 0 511 2 --durable --keys-per-second 20000',
    'slot migrate 0 511 2 --window 22:30-06:00',
    'slot migrate 7 7 2 --wait --timeout 60',
  ),
  server: noun('server add 1 localhost:6379 master', 'server add 1 localhost:6380 slave', 'server promote 1 localhost:6380'),
  'server list': read('/groups', 'server list', 'server list -o wide', 'server list -o name'),
  'server explain': read('/explain', 'server explain 2'),
  'server candidates': read('/groups/{group}/candidates', 'server candidates 2'),
  'server add': change(
    'server add 1 localhost:6379 master',
    'server add 1 localhost:6380 slave --wait',
    'server add 1 localhost:6379 master --force',
    'server add 1 localhost:6379 master --zone az1',
  ),
  'server remove': change('server remove 1 localhost:6380'),
  'server promote': change('server promote 1 localhost:6380'),
  'server replicate': change('server replicate 1 localhost:6380'),
  'server set': change('server set localhost:6380 --zone az1', 'server set localhost:6380 --replica-reads off'),
  'server add-group': change('server add-group 3'),
  'server remove-group': change('server remove-group 3'),
  proxy: noun('proxy list', 'proxy online proxy_1'),
  'proxy list': read('/proxies', 'proxy list', 'proxy list -o wide'),
  'proxy info': read('/proxies/{proxy}/stats', 'proxy info proxy_1', 'proxy info proxy_1 -o json'),
  'proxy clients': read('/proxies/{proxy}/clients', 'proxy clients proxy_1', 'proxy clients proxy_1 --top 5 -o wide'),
  'proxy latency': read('/latency', 'proxy latency', 'proxy latency -o wide'),
  'proxy explain': read('/explain', 'proxy explain proxy_1'),
  'proxy online': change('proxy online proxy_1'),
  'proxy offline': change('proxy offline proxy_1'),
  'proxy drain': change('proxy drain proxy_1', 'proxy drain proxy_1 --timeout 300'),
  'proxy try': change('proxy try proxy_1'),
  'proxy remove': change('proxy remove proxy_1'),
  plan: noun('plan rebalance', 'plan drain 3', 'plan apply 1 --wait'),
  'plan move': change('plan move 0 511 2'),
  'plan rebalance': change('plan rebalance', 'plan rebalance --by keys --weight 3=2 --weight 4=2'),
  'plan drain': change('plan drain 3'),
  'plan list': read('/plans', 'plan list'),
  'plan show': read('/plans/{plan}', 'plan show 1', 'plan show 1 -o json', 'plan show 1 --keys-per-second 5000'),
  'plan diff': read('/plans/{plan}/diff', 'plan diff 1', 'plan diff 1 -o json'),
  'plan apply': change('plan apply 1', 'plan apply 1 --delay=10 --wait', 'plan apply 1 --force'),
  migration: noun('migration list', 'migration watch 1', 'migration throttle 1 --keys-per-second 5000'),
  'migration list': read('/migrations', 'migration list', 'migration list -o json'),
  'migration show': read('/migrations/{migration}', 'migration show 1'),
  'migration slots': read('/migrations/{migration}/slots', 'migration slots 1'),
  'migration watch': read('/migrations/{migration}', 'migration watch 1', 'migration watch 1 --timeout 60'),
  'migration explain': read('/explain', 'migration explain 1'),
  'migration pause': change('migration pause 1'),
  'migration resume': change('migration resume 1', 'migration resume 1 --wait'),
  'migration throttle': change(
    'migration throttle 1 --keys-per-second 5000',
    'migration throttle 1 --mb-per-second 20 --added-p99 2',
    'migration throttle 1 --keys-per-second none',
    'migration throttle 1 --share 10',
    'migration throttle 1 --slots-at-once 4',
    'migration throttle 1 --window 00:00-07:00',
  ),
  'migration cancel': change(
    'migration cancel 1',
    'migration cancel 1 --wait',
    'migration cancel 1 --roll-back current',
    'migration cancel 1 --roll-back all --wait',
  ),
  'migration adopt': change('migration adopt 1 --dry-run', 'migration adopt 1', 'migration adopt 1 --keys-per-second 5000'),
  key: noun('key slot user:{42}:name', 'key locate user:{42}:name', 'key mend --group 2 --dry-run'),
  'key slot': read(null, 'key slot user:{42}:name'),
  'key locate': read('/keys/locate', 'key locate user:{42}:name', 'key locate --hex 00ff'),
  'key hot': read('/keys/hot', 'key hot', 'key hot --limit 5', 'key hot --slot 512 --at 14:05', 'key hot --at 2026-01-31T14:05Z -o json'),
  'key big': read('/keys/big', 'key big', 'key big --refresh'),
  'key mend': change('key mend --group 2 --dry-run', 'key mend --group 2 --slots 0-511 --move', 'key mend --group 2 --delete'),
  config: noun('config validate', 'config dump > cluster.json', 'config restore cluster.json --dry-run'),
  'config dump': read(null, 'config dump > cluster.json', 'config dump -o yaml'),
  'config validate': read(null, 'config validate', 'config validate cluster.json', '-c other.ini config validate'),
  'config restore': change('config restore cluster.json --dry-run', 'config restore cluster.json', 'config restore cluster.json --force'),
  auth: noun('auth login admin', 'auth add-user anna operator', 'auth add-token backup viewer --days 365'),
  'auth whoami': read('/session', 'auth whoami'),
  'auth login': program('auth login admin', 'auth login admin --password-file secret.txt'),
  'auth logout': program('auth logout'),
  'auth password': change('auth password', 'auth password --password-file old.txt --new-password-file new.txt'),
  'auth users': read('/users', 'auth users'),
  'auth add-user': change('auth add-user anna operator', 'auth add-user anna viewer --password-file secret.txt'),
  'auth change-user': change('auth change-user anna --role admin', 'auth change-user anna --new-password'),
  'auth remove-user': change('auth remove-user anna'),
  'auth tokens': read('/tokens', 'auth tokens'),
  'auth add-token': change('auth add-token backup viewer', 'auth add-token backup viewer --days 365'),
  'auth remove-token': change('auth remove-token backup'),
  dashboard: program('dashboard', 'dashboard -c config.ini'),
  completion: program('completion bash > /etc/bash_completion.d/codis-config', 'completion zsh', 'completion fish'),
};

/** `slot init`; '' for codis-config itself. */
export function pathOf(command: Command): string {
  return command.parent === null ? '' : `${pathOf(command.parent)} ${command.name()}`.trim();
}

export function factsOf(path: string): CommandFacts {
  const facts = CATALOGUE[path];
  invariant(facts !== undefined, 'every command is in the catalogue');
  return facts;
}

/** Without the program's name. */
export function examplesOf(path: string): readonly string[] {
  return CATALOGUE[path]?.examples ?? [];
}

/** Every command below `command` and itself, with its path; not those that are for programs only. */
export function allCommands(command: Command, path = ''): { path: string; command: Command }[] {
  const children = command.commands.filter((child) => !isHidden(child));
  return [{ path, command }, ...children.flatMap((child) => allCommands(child, `${path} ${child.name()}`.trim()))];
}

function isHidden(command: Command): boolean {
  return command.name().startsWith('_');
}

/** Gives `program` and everything below it its examples, and what changes something --dry-run. */
export function describeCommands(root: Command): void {
  for (const { path, command } of allCommands(root)) {
    const { kind, examples } = factsOf(path);
    command.addHelpText('before', `Examples:\n${examples.map((line) => `  codis-config ${line}\n`).join('')}`);
    const hasOne = command.options.some(({ long }) => long === '--dry-run');
    if (kind === 'change' && !hasOne) command.option('--dry-run', 'only say what would be done');
  }
}
