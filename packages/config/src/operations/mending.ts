// Whether somebody is cleaning up misplaced keys just now. What they do rests on who owns which slot, so nobody may begin to move a slot, or give one away,
// until they are done.
//
// Invariant: whoever is about to change the owner of a slot asks this after it has read the topology, and then writes by compare-and-set. A claim
// raises the topology's epoch in the commit that makes it (mend-claim.ts), so one that came in between makes that write fail.

import { type Coordinator, mendingPath, PATHS } from '../coordinator/index.ts';
import { CodisError } from '../model/index.ts';

/** Who mends what, in words; null when nobody does. */
export async function readMending(coordinator: Coordinator): Promise<string | null> {
  for (const id of await coordinator.list(PATHS.mending)) {
    const entry = await coordinator.read(mendingPath(id));
    if (entry) return entry.data.toString('utf8');
  }
  return null;
}

/** Throws CODIS_E_CONFLICT while keys are being mended. */
export async function checkNotMending({ coordinator }: { readonly coordinator: Coordinator }): Promise<void> {
  const mending = await readMending(coordinator);
  if (mending !== null) throw new CodisError('CODIS_E_CONFLICT', `${mending}; try again when that is done`);
}
