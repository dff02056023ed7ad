// Why a migration does not get on, or how it does. Pure.

import type { ExplainView, GroupStatusView, MigrationView } from '@codis/config/api';
import { works } from '@codis/config/status';
import { type Check, explanation, type Facts, failed, ok, post, say, warning } from './checks.ts';

/** Slower than this, a limit is worth a word. */
const SLOW_KEYS_PER_SECOND = 1000;
const SLOW_DELAY_MS = 1000;

/** Undefined: there is no such migration. */
export function explainMigration(facts: Facts, id: number): ExplainView | undefined {
  const migration = facts.migrations.find((one) => one.id === id);
  if (!migration) return undefined;
  const over = migration.state === 'done' || migration.state === 'cancelled';
  const checks = over
    ? [...(migration.endedAt === null ? groupChecks(facts, migration) : []), endCheck(facts, migration)]
    : [...groupChecks(facts, migration), ...openChecks(facts, migration)];
  const done = `${migration.slotsDone} of ${migration.slotsTotal} slots are done`;
  return explanation(
    { kind: 'migration', id: String(id) },
    checks,
    over ? `migration ${id} is ${migration.state}: ${done}` : `migration ${id} gets on: ${done}`,
  );
}

function endCheck({ topology }: Facts, { id, state, slotsDone, slotsTotal, stalled }: MigrationView): Check {
  const between = topology.slots.filter(({ migration }) => migration === id);
  const check = `no slot is left between two groups`;
  if (stalled)
    return failed(check, `migration ${id} is ${state}, and its last slots have not got on since ${stalled.since}: ${stalled.reason}`);
  if (between.length > 0)
    return warning(check, `migration ${id} is ${state}, and slots ${between[0]?.first} and on still arrive: each ends whole on one side`);
  return ok(check, `${slotsDone} of ${slotsTotal} slots were moved; each source was looked through and found empty of them`);
}

/** Both sides must work: keys are taken here and put there. */
function groupChecks({ topology, status }: Facts, { id, moves }: MigrationView): Check[] {
  const sources = new Set(
    topology.slots.filter((run) => run.migration === id || isPlanned(run, moves)).flatMap(({ group }) => group ?? []),
  );
  const targets = new Set(moves.map(({ to }) => to));
  const of = (ids: ReadonlySet<number>, side: string) =>
    [...ids].map((group) =>
      sideCheck(
        side,
        group,
        status.groups.find((one) => one.id === group),
      ),
    );
  return [...of(sources, 'source'), ...of(targets, 'target')];
}

function isPlanned({ first, last }: { first: number; last: number }, moves: MigrationView['moves']): boolean {
  return moves.some((move) => move.first <= last && move.last >= first);
}

function sideCheck(side: string, id: number, group: GroupStatusView | undefined): Check {
  const check = `the ${side}, group ${id}, has a master that works`;
  const master = group?.servers.find(works);
  if (!master) {
    const why = {
      label: `Why is group ${id} down?`,
      cli: 'codis-config status',
      api: { method: 'GET', path: `/explain?group=${id}`, body: null },
    } as const;
    return failed(check, `the ${side}, group ${id}, has no master that works, so no key can move`, [why]);
  }
  const { addr, usedMemoryBytes: used, maxMemoryBytes: max } = master;
  if (side === 'target' && used !== null && max !== null && max > 0 && used >= max) {
    return failed(check, `the target ${addr} of group ${id} is full (maxmemory), so it takes no more keys`, [
      say(`Raise maxmemory of ${addr}`, `redis-cli -h <host> -p <port> config set maxmemory <bytes>`),
    ]);
  }
  return ok(check, addr);
}

function openChecks(facts: Facts, migration: MigrationView): Check[] {
  return [
    controllerCheck(facts),
    ...proxyChecks(facts),
    ...takeBackChecks(facts, migration),
    stateCheck(migration),
    ...waitingChecks(migration),
    ...throttleChecks(migration),
  ];
}

/** What it takes back has to have ended first. */
function takeBackChecks({ migrations }: Facts, { id, takesBack }: MigrationView): Check[] {
  if (takesBack === null) return [];
  const check = `migration ${takesBack}, which it takes back, has ended`;
  const first = migrations.find((one) => one.id === takesBack);
  if (!first || first.endedAt !== null) return [ok(check, 'it has')];
  const why = {
    label: `Why has migration ${takesBack} not ended?`,
    cli: `codis-config migration explain ${takesBack}`,
    api: { method: 'GET', path: `/explain?migration=${takesBack}`, body: null },
  } as const;
  return [warning(check, `migration ${id} begins when migration ${takesBack} has finished what it has under way`, [why])];
}

function controllerCheck({ hasController }: Facts): Check {
  const check = 'a dashboard is elected controller';
  if (hasController) return ok(check, 'one is');
  return failed(check, 'no dashboard is elected controller, so nobody carries out migrations', [say('Look at the log of the dashboards')]);
}

function proxyChecks({ status }: Facts): Check[] {
  return status.proxies
    .filter(({ state }) => state === 'lost' || state === 'behind')
    .map(({ id, state, epoch }) => {
      const why = {
        label: `Why is ${id} ${state}?`,
        cli: 'codis-config doctor',
        api: { method: 'GET', path: `/explain?proxy=${id}`, body: null },
      } as const;
      const text =
        state === 'lost'
          ? `proxy ${id} is lost: each lock waits for it once, until it is fenced off (proxy_lost_timeout)`
          : `proxy ${id} still routes by epoch ${epoch}: locks wait until it has caught up`;
      return warning(`proxy ${id} acknowledges`, text, [why]);
    });
}

function stateCheck({ id, state, slotsDone, slotsTotal }: MigrationView): Check {
  const check = `migration ${id} is running`;
  if (state === 'running') return ok(check, `${slotsDone} of ${slotsTotal} slots done`);
  const resume = post(`Resume migration ${id}`, `codis-config migration resume ${id}`, `/migrations/${id}/resume`);
  return failed(
    check,
    `migration ${id} is paused at ${slotsDone} of ${slotsTotal} slots: it takes no new slots and sweeps none until it is resumed`,
    [resume],
  );
}

function waitingChecks({ id, waiting, stalled, state, resumesAt }: MigrationView): Check[] {
  const check = `migration ${id} gets on`;
  const cancel = post(`Cancel migration ${id}`, `codis-config migration cancel ${id}`, `/migrations/${id}/cancel`);
  if (state !== 'running') return [];
  if (resumesAt !== null && waiting !== null) return [warning(check, `migration ${id} ${waiting}`, [anyTime(id)])];
  const look = say('See what is wrong with the cluster', 'codis-config doctor');
  const back = post(
    `Roll back what migration ${id} has under way`,
    `codis-config migration cancel ${id} --roll-back current`,
    `/migrations/${id}/cancel`,
    '{"rollBack":"current"}',
  );
  if (stalled) {
    return [failed(check, `migration ${id} has not got on since ${stalled.since}: ${stalled.reason}`, [look, cancel, back])];
  }
  return [waiting === null ? ok(check, 'nothing holds it up') : warning(check, `migration ${id} waits: ${waiting}`, [cancel])];
}

const anyTime = (id: number) =>
  ({
    label: `Let migration ${id} run at any time`,
    cli: `codis-config migration throttle ${id} --window none`,
    api: { method: 'POST', path: `/migrations/${id}/throttle`, body: '{"window":null}' },
  }) as const;

function throttleChecks({ id, throttle }: MigrationView): Check[] {
  const { delayMs, keysPerSecond } = throttle;
  const slow = [
    ...(keysPerSecond !== null && keysPerSecond < SLOW_KEYS_PER_SECOND ? [`${keysPerSecond} keys a second`] : []),
    ...(delayMs >= SLOW_DELAY_MS ? [`a pause of ${delayMs} ms after each batch`] : []),
  ];
  const check = `its limits leave it room`;
  if (slow.length === 0) return [ok(check, 'none of its limits is low')];
  const faster = {
    label: `Take the limits of migration ${id} away`,
    cli: `codis-config migration throttle ${id} --delay 0 --keys-per-second none`,
    api: { method: 'POST', path: `/migrations/${id}/throttle`, body: '{"delayMs":0,"keysPerSecond":null}' },
  } as const;
  return [warning(check, `migration ${id} is limited to ${slow.join(' and ')}`, [faster])];
}
