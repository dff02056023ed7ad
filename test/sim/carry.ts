// Carrying keys in the simulation (packages/config/src/model/carry.ts): read at the source, put at the target, deleted at the source; three steps, between which proxies go on.

import type { GroupId, ServerAddr } from '@codis/config/model';
import { countedAt, namedAt, notedSince } from './departures.ts';
import { removal, type Task, type Work, waitForReplicas } from './task.ts';
import { change, type Fate, groupOf, type Key, masterAt } from './world.ts';

export interface Carrying {
  readonly from: GroupId;
  readonly to: GroupId;
  /** The master of `to`, as the controller knows it. */
  readonly addr: ServerAddr;
  readonly key: Key;
}

interface Seen {
  readonly value: number;
  readonly number: number;
}

/** False when the sender was not told that all of it worked; null when the source has nothing carried away. */
export function* carry({ world, processes }: Task, { from, to, addr, key }: Carrying): Work<boolean | null> {
  const { rules } = world;
  const { durable } = world.migration!;
  const source = groupOf(world, from);
  let seen: Seen | null = null;
  let isCounted = true;
  const read = (fate: Fate): boolean => {
    if (fate !== 'done') return false;
    const number = countedAt(source);
    isCounted = number !== null;
    const value = source.data.get(key);
    seen = number === null || value === undefined ? null : { value, number };
    return true;
  };
  if (!(yield { at: from, run: read, mayFail: true })) return false;
  if (!isCounted) return null;
  const put = (fate: Fate): boolean => {
    const target = masterAt(world, addr);
    if (target === null || fate === 'nothing') return false;
    if (namedAt(world, target)?.run !== processes.get(from)) return false;
    if (seen !== null && !(rules.askedIsNotPut && notedSince(target, key, seen.number)) && !(target.data.has(key) && rules.thereIsNotPut))
      change(world, target, { name: key, value: seen.value, cause: durable ? 'moved-durably' : 'moved' });
    return fate === 'done';
  };
  if (!(yield { at: to, run: put, mayFail: true }) && rules.deletedOnceItIsPut) return false;
  if (durable && rules.sweepWaitsForReplicas) yield waitForReplicas(world, to);
  yield removal(world, from, [key]);
  return true;
}
