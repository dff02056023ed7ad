// Looking after fence markers: they must stay as long as a fenced proxy stays away, and must not outlive their reason.
//
// Invariant: no marker stays above the topology's epoch for longer than a turn. A proxy that is refused by a marker can therefore always help itself by
// reading the topology.

import { type Epoch, type Group, type GroupId, masterOf, slotsWhere, type Topology } from '../model/index.ts';
import { lowerFence, readFence, reassertFence } from './fence.ts';
import { observeAbsences, sortAbsences } from './lost-proxies.ts';
import { isServerTrouble } from './server-trouble.ts';
import { type Office, writeTopology } from './turn.ts';
import type { World } from './world.ts';

const CHECK_EVERY_MS = 5000;

/** Learns the markers that earlier controllers left. One that is further above the epoch than any lock could be was left by a coordinator that is no
 *  more, and is set back. A server that can't be asked is passed over: a fence before a lock at its group does not rely on this. */
export async function adoptMarkers(office: Office, { epoch, topology }: World): Promise<void> {
  await Promise.all(groupsWithMaster(topology).map((group) => tolerating(office, group, () => adoptMarker(office, group, epoch))));
}

async function adoptMarker(office: Office, group: Group, epoch: Epoch): Promise<void> {
  const at = addressOf(office, group);
  const marker = await readFence(at);
  if (marker === null) return;
  const foreign = marker > epoch + 1;
  office.memory.markers.set(group.id, foreign ? epoch : marker);
  if (!foreign) return;
  await lowerFence(at, { from: marker, to: epoch });
  office.log.warn({ group: group.id, marker, epoch }, 'fence marker of a former coordinator set back');
}

/** Raises the topology's epoch, changing nothing else, when a marker stands above it: the lock it was set for was never written. */
export async function catchUpWithMarkers(office: Office, { epoch, topology }: World): Promise<boolean> {
  if (![...office.memory.markers.values()].some((marker) => marker > epoch)) return false;
  await writeTopology(office, { epoch, topology });
  return true;
}

/** Notes who is away, and every few seconds while a proxy is lost puts back markers that a failover, a restart or FLUSHALL lost. Never while
 *  slots are locked. */
export async function keepMarkers(office: Office, { topology, proxies }: Pick<World, 'topology' | 'proxies'>): Promise<void> {
  const { memory, settings } = office;
  const nowMs = performance.now();
  memory.absences = observeAbsences(memory.absences, proxies, nowMs);
  if (memory.markers.size === 0 || nowMs - memory.markersCheckedAtMs < CHECK_EVERY_MS) return;
  const { lost } = sortAbsences(memory.absences, { nowMs, timeoutMs: settings.proxy_lost_timeout * 1000 });
  if (lost.length === 0 || slotsWhere(topology, ({ kind }) => kind === 'locked').length > 0) return;
  memory.markersCheckedAtMs = nowMs;
  await Promise.all(
    groupsWithMaster(topology).map((group) =>
      tolerating(office, group, async () => {
        const epoch = memory.markers.get(group.id);
        if (epoch === undefined) return;
        const had = await reassertFence({ ...addressOf(office, group), proxies: lost, epoch });
        if (had) office.log.warn({ group: group.id, proxies: lost, epoch }, 'lost fence marker put back');
      }),
    ),
  );
}

function groupsWithMaster({ groups }: Topology): readonly Group[] {
  return groups.filter((group) => masterOf(group) !== undefined);
}

function addressOf({ settings }: Office, group: Group): { product: string; password: string; group: Group } {
  return { product: settings.product_name, password: settings.product_auth, group };
}

async function tolerating({ log }: Office, { id }: { id: GroupId }, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!isServerTrouble(error)) throw error;
    log.debug({ group: id, err: error }, 'fence marker not checked');
  }
}
