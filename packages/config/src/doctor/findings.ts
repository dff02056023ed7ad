// From facts to findings: what is wrong, why that matters, and the command that mends it. Pure.

import type { FindingView } from '../api/index.ts';
import { type GroupId, holdsSlots, masterOf, migrationsIn, type Slot, slotsWhere } from '../model/index.ts';
import type { Facts } from './facts.ts';
import { groupFindings } from './group-findings.ts';
import { exampleTexts, type ShownKey } from './tally.ts';
import { command, counted, groupText, perRun, slotsText } from './words.ts';

/** Worst first; the names of keys as `shown` has them. */
export function findingsOf(facts: Facts, shown: ShownKey): FindingView[] {
  const all = [
    ...offlineFindings(facts),
    ...groupFindings(facts),
    ...keyFindings(facts, shown),
    ...proxyFindings(facts),
    ...moveFindings(facts),
    ...controllerFindings(facts),
  ];
  return all.toSorted((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error'));
}

function offlineFindings(facts: Facts): FindingView[] {
  const { topology } = facts.current;
  const offline = slotsWhere(topology, ({ kind }) => kind === 'offline');
  if (offline.length === 0) return [];
  const holder = holderOf(facts, offline) ?? smallestGroup(facts);
  return [
    {
      severity: 'error',
      kind: 'slots-offline',
      object: slotsText(offline),
      what: `${counted(offline.length, 'slot')} ${offline.length === 1 ? 'belongs' : 'belong'} to no group`,
      why: 'requests for their keys are answered with errors',
      try:
        holder === null
          ? [command('server', 'add', 1, '<host:port>', 'master')]
          : perRun(offline, ({ first, last }) => command('slot', 'range-set', first, last, holder, 'online')),
    },
  ];
}

/** The group that has keys of slots that are offline, if one only has. */
function holderOf({ misplaced }: Facts, offline: readonly Slot[]): GroupId | null {
  const wanted = new Set(offline);
  const holders = [...(misplaced ?? [])].filter(([, { slots }]) => slots.some(({ slot }) => wanted.has(slot))).map(([group]) => group);
  const [only, ...others] = holders;
  return only !== undefined && others.length === 0 ? only : null;
}

function smallestGroup({ current: { topology } }: Facts): GroupId | null {
  const size = (id: GroupId) => slotsWhere(topology, (state) => state.kind === 'online' && state.owner === id).length;
  const groups = topology.groups.filter((group) => masterOf(group) !== undefined).map(({ id }) => id);
  return groups.toSorted((a, b) => size(a) - size(b))[0] ?? null;
}

function keyFindings({ misplaced }: Facts, shown: ShownKey): FindingView[] {
  return [...(misplaced ?? [])].flatMap(([group, { slots, exact, examples }]) => {
    const owned = slots.filter(({ owner }) => owner !== null);
    const unowned = slots.filter(({ owner }) => owner === null);
    const sum = (of: typeof slots) => of.reduce((total, { keysCount }) => total + keysCount, 0);
    const about = exact ? '' : 'about ';
    const findings: FindingView[] = [];
    const where = (of: typeof slots) => slotsText(of.map(({ slot }) => slot));
    if (owned.length > 0) {
      const keysCount = sum(owned);
      const atOwner = owned.every(({ atOwnerCount }) => atOwnerCount !== null)
        ? owned.reduce((total, { atOwnerCount }) => total + (atOwnerCount ?? 0), 0)
        : null;
      findings.push({
        severity: 'error',
        kind: 'misplaced-keys',
        object: groupText(group),
        what: `group ${group} holds ${about}${counted(keysCount, 'key')} of ${where(owned)}, which other groups own: ${exampleTexts(examples, shown).join(', ')}`,
        why: misplacedWhy({ keysCount, atOwner }),
        try: [
          command('key', 'mend', '--group', group, '--dry-run'),
          command('key', 'mend', '--group', group, '--move'),
          command('key', 'mend', '--group', group, '--delete'),
        ],
      });
    }
    if (unowned.length > 0) {
      findings.push({
        severity: 'warning',
        kind: 'unowned-keys',
        object: groupText(group),
        what: `group ${group} holds ${about}${counted(sum(unowned), 'key')} of ${where(unowned)}, which no group owns`,
        why: `nobody can reach them until group ${group} is given these slots`,
        try: perRun(
          unowned.map(({ slot }) => slot),
          ({ first, last }) => command('slot', 'range-set', first, last, group, 'online'),
        ),
      });
    }
    return findings;
  });
}

function misplacedWhy({ keysCount, atOwner }: { keysCount: number; atOwner: number | null }): string {
  const seen = 'clients can’t see them there, and they stop these slots from moving to this group';
  if (atOwner === null) return `${seen}. An owner could not be asked whether it has them too`;
  if (atOwner === keysCount) return `${seen}. The owners have every one of them, as new or newer, so deleting them here loses nothing`;
  return `${seen}. ${counted(atOwner, 'key')} of them the owners have too. The others were either lost on the way, and --move brings them back, or were deleted at their owner since, and --move brings them back from the dead: look at some before you choose`;
}

function proxyFindings({ proxies, behind, current: { epoch } }: Facts): FindingView[] {
  const findings = proxies.flatMap(({ id, wanted, live, adminAddr }): FindingView[] => {
    const object = `proxy ${id}`;
    if (live === null && wanted === 'online') {
      return [
        {
          severity: 'error',
          kind: 'proxy-lost',
          object,
          what: `proxy ${id} is registered and should be online, but has no session`,
          why: 'it died, is frozen or is cut off from the coordinator; each move of a slot waits for it, and then fences it off',
          try: [command('proxy', 'remove', id), `or, if it is to serve: start codis-proxy with --proxy-id ${id} again`],
        },
      ];
    }
    if (wanted === 'offline') {
      return [
        {
          severity: 'warning',
          kind: 'proxy-offline',
          object,
          what: `proxy ${id} is wanted offline`,
          why: 'it takes no clients until somebody says otherwise',
          try: [command('proxy', 'online', id)],
        },
      ];
    }
    if (live === null || !behind.has(id)) return [];
    return [
      {
        severity: 'error',
        kind: 'proxy-behind',
        object,
        what: `proxy ${id} routes by epoch ${live.epoch}, but the topology is at ${epoch}`,
        why: 'no slot can move until it has taken the topology up; it may hang, or one of its requests may wait for a server that does',
        try: [`curl http://${adminAddr}/status`, `if it stays behind: restart it (pid ${live.pid})`],
      },
    ];
  });
  if (proxies.some(({ wanted, live }) => wanted === 'online' && live !== null)) return findings;
  const none: FindingView = {
    severity: 'error',
    kind: 'no-proxy',
    object: 'proxies',
    what: 'no proxy is online',
    why: 'clients have nobody to talk to',
    try: ['codis-proxy --proxy-id proxy_1'],
  };
  return [none, ...findings];
}

function moveFindings({ migrations, current: { topology } }: Facts): FindingView[] {
  const waiting = migrations.flatMap(({ id, state, waiting: reason }): FindingView[] => {
    if (state !== 'running' || reason === null) return [];
    return [
      {
        severity: 'warning',
        kind: 'migration-waiting',
        object: `migration ${id}`,
        what: `migration ${id} waits: ${reason}`,
        why: 'it goes on by itself as soon as that is mended',
        try: [command('migration', 'show', id), command('migration', 'cancel', id)],
      },
    ];
  });
  return [...waiting, ...stuckFindings(migrations, topology)];
}

function stuckFindings(migrations: Facts['migrations'], topology: Facts['current']['topology']): FindingView[] {
  return [...migrationsIn(topology)].flatMap((id): FindingView[] => {
    const migration = migrations.find((other) => other.id === id);
    if (migration && (migration.state === 'running' || migration.endedAt === null || !holdsSlots(topology, migration))) return [];
    const slots = slotsWhere(topology, (state) => (state.kind === 'locked' || state.kind === 'migrating') && state.migration === id);
    const over = migration ? `which is ${migration.state}` : 'of which there is no record';
    return [
      {
        severity: 'error',
        kind: 'stuck-slots',
        object: slotsText(slots),
        what: `${slotsText(slots)} ${slots.length === 1 ? 'is' : 'are'} still in a move by migration ${id}, ${over}`,
        why: migration
          ? 'the elected controller finishes what is between two groups; while none is elected, nobody does'
          : 'nobody goes on with it: the record was deleted by hand, or an older coordinator was restored. Its record can be made anew from the slots; then it goes on, or can be cancelled',
        try: migration ? [command('dashboard')] : [command('migration', 'adopt', id, '--dry-run'), command('migration', 'adopt', id)],
      },
    ];
  });
}

function controllerFindings({ controllerElected, migrations }: Facts): FindingView[] {
  if (controllerElected) return [];
  const running = migrations.filter(({ state }) => state === 'running').length;
  return [
    {
      severity: running > 0 ? 'error' : 'warning',
      kind: 'no-controller',
      object: 'controller',
      what: running > 0 ? `no controller is elected, though ${counted(running, 'migration')} should run` : 'no controller is elected',
      why: 'controllers live in dashboards; without one no slot moves. After a crash the next is elected within zk_session_timeout',
      try: [command('dashboard')],
    },
  ];
}
