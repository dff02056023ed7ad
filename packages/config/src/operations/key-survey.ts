// What all groups hold, slot by slot: replicas are asked rather than masters, for looking through a server takes some of its time; and no more than half of that.

import { type Group, type GroupId, masterOf, type ServerAddr } from '../model/index.ts';
import { probeServer } from '../redis/probe.ts';
import type { Caller } from './caller.ts';
import { readTopology } from './commit.ts';
import { type Survey, surveyServer } from './survey.ts';

/** How long a server may be looked through, all servers at the same time. */
const BUDGET_MS = 10_000;

export interface KeySurvey {
  readonly groups: ReadonlyMap<GroupId, Survey>;
  /** How the numbers were come by, each in a sentence. */
  readonly basis: readonly string[];
}

/** A group that can't be asked is left out, and said. Throws CODIS_E_NOT_INITIALISED. */
export async function surveyKeys(caller: Caller): Promise<KeySurvey> {
  const { topology } = await readTopology(caller);
  const groups = new Map<GroupId, Survey>();
  const basis: string[] = [];
  await Promise.all(
    topology.groups.map(async (group) => {
      const master = masterOf(group);
      if (master === undefined) return;
      try {
        const addr = await chosen(caller, group, master);
        const survey = await surveyServer(addr, { password: caller.password, product: caller.product, budgetMs: BUDGET_MS, rests: true });
        groups.set(group.id, survey);
        basis.push(basisText(group.id, addr, survey));
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error || error.name === 'ReplyError')) throw error;
        basis.push(`group ${group.id} could not be looked through: ${error.message}`);
      }
    }),
  );
  return { groups, basis: basis.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })) };
}

/** A replica that follows its master, or else the master. */
async function chosen(caller: Caller, { servers }: Group, master: ServerAddr): Promise<ServerAddr> {
  const probes = await Promise.allSettled(servers.filter(({ addr }) => addr !== master).map(({ addr }) => probeServer(addr, caller)));
  const good = probes.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])).find((probe) => probe.master?.linkUp);
  return good?.addr ?? master;
}

function basisText(group: GroupId, addr: ServerAddr, { complete, seenCount, measuredCount, busyMs, probe }: Survey): string {
  const seen = complete
    ? `all ${seenCount} keys were counted`
    : `${seenCount} of about ${probe.keysCount} keys were looked at, the others are taken to be like them`;
  return `group ${group} at ${addr}: ${seen}; bytes are from MEMORY USAGE of ${measuredCount} of them; it was asked for ${busyMs} ms, with as long a rest between`;
}
