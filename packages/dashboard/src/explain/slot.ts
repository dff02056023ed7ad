// Why a slot is not served, or why its requests wait. Pure.

import type { ExplainView, SlotRunView } from '@codis/config/api';
import { works } from '@codis/config/status';
import { type Check, explanation, type Facts, failed, ok, post, say, warning } from './checks.ts';
import { masterChecks, proxyCheck } from './group.ts';

export function explainSlot(facts: Facts, slot: number): ExplainView {
  const run = facts.topology.slots.find(({ first, last }) => slot >= first && slot <= last);
  const object = { kind: 'slot', id: String(slot) } as const;
  const belongs = `slot ${slot} belongs to a group`;
  if (!run || run.group === null) {
    const give = say(`Give slot ${slot} to a group`, `codis-config slot range-set ${slot} ${slot} <group> online`);
    return explanation(object, [failed(belongs, `slot ${slot} belongs to no group`, [give]), proxyCheck(facts)], '');
  }
  const serving = run.state === 'migrating' ? run.to : run.group;
  const groups = [...new Set([serving, run.group, run.to])].filter((id) => id !== null);
  const checks = [
    ...groups.flatMap((id) => facts.status.groups.filter((group) => group.id === id).flatMap(masterChecks)),
    ...moveChecks(facts, slot, run),
    ok(belongs, run.to === null ? `group ${run.group}` : `moving from group ${run.group} to group ${run.to}`),
    proxyCheck(facts),
  ];
  const master = facts.status.groups.find(({ id }) => id === serving)?.servers.find(works)?.addr;
  return explanation(object, checks, `slot ${slot} is served by ${master ?? 'nobody'} of group ${serving}`);
}

function moveChecks({ migrations, status, topology }: Facts, slot: number, run: SlotRunView): Check[] {
  const id = run.migration;
  if (id === null) return [ok(`slot ${slot} is not being moved`, `online at epoch ${topology.epoch}`)];
  const checks: Check[] = [];
  const migration = migrations.find((one) => one.id === id);
  const gets = `its migration ${id} gets on`;
  if (!migration) {
    const adopt = post(`Give migration ${id} its record back`, `codis-config migration adopt ${id}`, `/migrations/${id}/adopt`);
    const body = adopt.api && { ...adopt.api, body: '{}' };
    checks.push(
      failed(gets, `slot ${slot} is in a move by migration ${id}, which has no record, so nobody goes on with it`, [
        { ...adopt, api: body },
      ]),
    );
  } else if (migration.stalled) {
    checks.push(
      warning(gets, `migration ${id} does not get on: ${migration.stalled.reason}`, [say(`Why?`, `codis-config migration show ${id}`)]),
    );
  } else if (migration.state === 'paused') {
    const resume = post(`Resume migration ${id}`, `codis-config migration resume ${id}`, `/migrations/${id}/resume`);
    checks.push(
      warning(gets, `migration ${id} is paused: slot ${slot} stays between two groups, and keys are handed over on demand`, [resume]),
    );
  } else {
    checks.push(ok(gets, `${migration.state}, ${migration.slotsDone} of ${migration.slotsTotal} slots done`));
  }
  if (run.state === 'locked') {
    const late = status.proxies.filter(({ state }) => state === 'behind' || state === 'lost').map(({ id: proxy }) => proxy);
    const why = late.length > 0 ? `; ${late.join(', ')} has not acknowledged it` : '';
    checks.push(
      warning(
        `slot ${slot} is not locked`,
        `slot ${slot} is locked at the beginning of its move: its requests wait until all proxies agree, or the lock is over${why}`,
      ),
    );
  }
  return checks;
}
