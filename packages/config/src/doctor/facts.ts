// What the doctor looks at: the coordinator's records, every server asked in person, and unless it is in a hurry every key of every master.
// Reads only. A server that does not answer is a fact like others.

import { type Coordinator, PATHS } from '../coordinator/index.ts';
import { readFence } from '../migration/index.ts';
import {
  type Epoch,
  type GroupId,
  isCodisError,
  type Migration,
  masterOf,
  type ProxyId,
  type ProxyView,
  type Role,
  type ServerAddr,
  type VersionedTopology,
} from '../model/index.ts';
import { listMigrations, listProxies, probeServer, readTopology, type ServerProbe } from '../operations/index.ts';
import { foreignSlots } from './owners.ts';
import { type Tally, tallyKeys } from './tally.ts';

export interface ServerFacts {
  readonly group: GroupId;
  readonly addr: ServerAddr;
  /** What the topology says. */
  readonly role: Role;
  /** Null when it can't be used. */
  readonly probe: ServerProbe | null;
  /** Why not, in words. */
  readonly trouble: string | null;
}

export interface Facts {
  readonly current: VersionedTopology;
  readonly proxies: readonly ProxyView[];
  /** Proxies with a session that had not taken up the topology after a while either. */
  readonly behind: ReadonlySet<ProxyId>;
  readonly migrations: readonly Migration[];
  readonly controllerElected: boolean;
  readonly servers: readonly ServerFacts[];
  /** Fence markers on masters that could be asked. */
  readonly markers: ReadonlyMap<GroupId, Epoch>;
  /** Keys found where they should not be; groups whose master could not be searched are missing. Null when nobody looked. */
  readonly misplaced: ReadonlyMap<GroupId, Tally> | null;
}

export interface Examiner {
  readonly coordinator: Coordinator;
  readonly product: string;
  readonly password: string;
}

/** How long a proxy that is behind may take to catch up before it is a finding. */
const CATCH_UP_MS = 2000;
const POLL_MS = 100;

/** Throws what the coordinator throws, and CODIS_E_NOT_INITIALISED. */
export async function gatherFacts(examiner: Examiner, { scan }: { scan: boolean }): Promise<Facts> {
  const { coordinator } = examiner;
  const current = await readTopology(examiner);
  const servers = await probeAll(examiner, current);
  const [behind, markers, misplaced] = await Promise.all([
    stillBehind(coordinator, current.epoch),
    readMarkers(examiner, current, servers),
    scan ? searchAll(examiner, current, servers) : null,
  ]);
  return {
    current,
    behind,
    proxies: await listProxies(coordinator),
    migrations: await listMigrations(coordinator),
    controllerElected: (await coordinator.read(PATHS.controller)) !== null,
    servers,
    markers,
    misplaced,
  };
}

function probeAll(examiner: Examiner, { topology }: VersionedTopology): Promise<ServerFacts[]> {
  const known = topology.groups.flatMap(({ id, servers }) => servers.map(({ addr, role }) => ({ group: id, addr, role })));
  return Promise.all(
    known.map(async (server) => {
      try {
        return { ...server, probe: await probeServer(server.addr, examiner), trouble: null };
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        return { ...server, probe: null, trouble: error.message };
      }
    }),
  );
}

/** Proxies are milliseconds behind each change; only those that stay so for a while are. */
async function stillBehind(coordinator: Coordinator, epoch: Epoch): Promise<ReadonlySet<ProxyId>> {
  const deadline = performance.now() + CATCH_UP_MS;
  for (;;) {
    const behind = (await listProxies(coordinator)).filter(({ live }) => live !== null && live.epoch < epoch).map(({ id }) => id);
    if (behind.length === 0 || performance.now() >= deadline) return new Set(behind);
    await new Promise((next) => setTimeout(next, POLL_MS));
  }
}

function usableMasters(servers: readonly ServerFacts[]): readonly ServerFacts[] {
  return servers.filter(({ role, probe }) => role === 'master' && probe?.role === 'master');
}

async function readMarkers(
  { product, password }: Examiner,
  { topology }: VersionedTopology,
  servers: readonly ServerFacts[],
): Promise<ReadonlyMap<GroupId, Epoch>> {
  const markers = new Map<GroupId, Epoch>();
  for (const { group: id } of usableMasters(servers)) {
    const group = topology.groups.find((other) => other.id === id);
    const marker = group && (await readFence({ product, password, group }).catch(() => null));
    if (marker) markers.set(id, marker);
  }
  return markers;
}

/** All masters at once: each is busy for a fraction of a millisecond at a time. */
async function searchAll(
  examiner: Examiner,
  { topology }: VersionedTopology,
  servers: readonly ServerFacts[],
): Promise<ReadonlyMap<GroupId, Tally>> {
  const masters = usableMasters(servers);
  const tallies = new Map<GroupId, Tally>();
  await Promise.all(
    masters.map(async ({ group, addr, probe }) => {
      const foreign = foreignSlots(topology, group);
      const twins = new Set(masters.filter((other) => other.probe?.runId === probe?.runId).map((other) => other.group));
      for (const [slot, owner] of foreign) if (owner !== null && twins.has(owner)) foreign.delete(slot);
      try {
        const masterOfGroup = (id: GroupId) => masterOf(topology.groups.find((other) => other.id === id) ?? { id, servers: [] }) ?? null;
        tallies.set(group, await tallyKeys({ ...examiner, addr, foreign, masterOf: masterOfGroup }));
      } catch (error) {
        if (!isCodisError(error)) throw error;
      }
    }),
  );
  return settled(examiner, { topology, tallies });
}

/** What was found of slots that changed hands while keys were searched proves nothing. */
async function settled(
  examiner: Examiner,
  { topology, tallies }: { topology: VersionedTopology['topology']; tallies: ReadonlyMap<GroupId, Tally> },
): Promise<ReadonlyMap<GroupId, Tally>> {
  const now = (await readTopology(examiner)).topology;
  const same = ({ slot }: Tally['slots'][number]) => JSON.stringify(topology.slots[slot]) === JSON.stringify(now.slots[slot]);
  return new Map([...tallies].map(([group, tally]) => [group, { ...tally, slots: tally.slots.filter(same) }]));
}
