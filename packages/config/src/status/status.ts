// Is it well? One reading of topology, proxies and migrations, with every server asked in person, and the verdict on it.
//
// Invariant: nothing is assumed. A server that did not answer is down and its numbers are null, never zero or last minute's.

import type { GroupStatusView, ServerStatusView, StatusView } from '../api/index.ts';
import type { Coordinator } from '../coordinator/index.ts';
import { type CodisError, isCodisError, type Migration, type ProxyView, type Server, SLOT_COUNT, type Topology } from '../model/index.ts';
import { listMigrations, listProxies, probeServer, readTopologyIfAny, type ServerProbe } from '../operations/index.ts';
import { conditionId, works } from './conditions.ts';
import { carrySince, causesOf, judge, keyTotal, servedCount } from './verdict.ts';
import { groupViews, proxyView, type Serving, serverView } from './views.ts';

/** How long a server may take to answer before it counts as down. */
const PROBE_MS = 800;
/** Everyone who asks within this time gets the same reading. */
const FRESH_MS = 1000;

/** Reads the status, at most once a second however many ask. `apart`: a reading for oneself, which nobody shares: who looks all the time must not make old news of what others ask for.
 *  Rejects with the coordinator's errors. */
export type StatusReader = (how?: { readonly apart?: boolean }) => Promise<StatusView>;

export interface StatusSource {
  readonly coordinator: Coordinator;
  readonly product: string;
  readonly password: string;
  elected(): boolean;
  /** A server answered. */
  onProbe?(probe: ServerProbe): void;
  /** All of them; read anew each time unless said. */
  migrations?(): Promise<Migration[]>;
  /** What proxies were last heard to do at their admin addresses, by id. */
  servings?(proxies: readonly ProxyView[]): Promise<ReadonlyMap<string, Serving>>;
}

export function statusReader(source: StatusSource): StatusReader {
  const memory: Memory = { since: new Map(), keys: new Map() };
  let last: { at: number; reading: Promise<StatusView> } | undefined;
  return ({ apart = false } = {}) => {
    if (apart) return readStatus(source, memory);
    const now = performance.now();
    if (last && now - last.at < FRESH_MS) return last.reading;
    const reading = readStatus(source, memory);
    last = { at: now, reading };
    reading.catch(() => {
      last = undefined;
    });
    return reading;
  };
}

/** What one reading leaves for the next. */
interface Memory {
  /** By condition, and by verdict. */
  since: ReadonlyMap<string, string>;
  /** By group, what its master was last heard to hold. */
  readonly keys: Map<number, number>;
}

async function readStatus(source: StatusSource, memory: Memory): Promise<StatusView> {
  const { coordinator, product, elected, servings, migrations: list } = source;
  const readAt = new Date().toISOString();
  const [current, registered, migrations] = await Promise.all([
    readTopologyIfAny({ coordinator }),
    listProxies(coordinator),
    list?.() ?? listMigrations(coordinator),
  ]);
  const groups = current ? await groupStatuses(current.topology, source) : [];
  const heard = await servings?.(registered);
  const proxies = registered.map((proxy) => proxyView(proxy, current?.epoch ?? null, heard?.get(proxy.id) ?? null));
  const slots = slotCounts(current?.topology ?? null, groups);
  const { conditions, ...judgement } = judge({ initialised: current !== null, slots, groups, proxies });
  memory.since = carrySince(memory.since, [judgement.verdict, ...conditions.map(conditionId)], readAt);
  rememberKeys(memory.keys, groups);
  return {
    product,
    ...judgement,
    since: memory.since.get(judgement.verdict) ?? readAt,
    causes: causesOf(conditions, memory.since, readAt),
    keys: keyTotal(groups, memory.keys),
    epoch: current?.epoch ?? null,
    slots,
    groups,
    proxies,
    migrationsRunning: migrations.filter(({ state }) => state === 'running').length,
    elected: elected(),
    readAt,
  };
}

function rememberKeys(keys: Map<number, number>, groups: readonly GroupStatusView[]): void {
  for (const { id, servers } of groups) {
    const count = servers.find(({ role }) => role === 'master')?.keysCount ?? null;
    if (count !== null) keys.set(id, count);
  }
}

function slotCounts(topology: Topology | null, groups: readonly GroupStatusView[]): StatusView['slots'] {
  const states = topology?.slots ?? [];
  return {
    total: SLOT_COUNT,
    served: topology ? servedCount(topology, groups) : 0,
    offline: topology ? states.filter(({ kind }) => kind === 'offline').length : SLOT_COUNT,
    moving: states.filter(({ kind }) => kind === 'locked' || kind === 'migrating').length,
  };
}

type Probing = Pick<StatusSource, 'product' | 'password' | 'onProbe'>;

function groupStatuses(topology: Topology, probing: Probing): Promise<GroupStatusView[]> {
  return Promise.all(
    groupViews(topology).map(async ({ id, slotsCount }) => {
      const servers = topology.groups.find((group) => group.id === id)?.servers ?? [];
      return { id, slotsCount, servers: withLag(await Promise.all(servers.map((server) => askServer(server, probing)))) };
    }),
  );
}

interface Asked {
  readonly view: ServerStatusView;
  /** Null: it did not answer. */
  readonly probe: ServerProbe | null;
}

/** How far behind the master each replica is, where both answered. */
function withLag(servers: readonly Asked[]): ServerStatusView[] {
  const master = servers.find(({ view }) => works(view));
  return servers.map(({ view }) => {
    if (!master?.probe || view.offset === null || view.observedRole !== 'replica') return view;
    return { ...view, lagBytes: Math.max(0, master.probe.offset - view.offset), lagSeconds: heardAgo(master.probe, view.addr) };
  });
}

/** A replica may be known to its master by another name of its host; its port is the same. */
function heardAgo({ heardAgo: known }: ServerProbe, addr: string): number | null {
  const port = addr.slice(addr.lastIndexOf(':'));
  const alike = [...known].filter(([name]) => name.endsWith(port));
  return known.get(addr) ?? (alike.length === 1 ? (alike[0]?.[1] ?? null) : null);
}

const UNKNOWN = {
  observedRole: null,
  linkUp: null,
  sync: null,
  version: null,
  keysCount: null,
  usedMemoryBytes: null,
  maxMemoryBytes: null,
  replicates: null,
  offset: null,
  lagBytes: null,
  lagSeconds: null,
  opsPerSecond: null,
  uptimeSeconds: null,
} as const;

async function askServer(server: Server, probing: Probing): Promise<Asked> {
  try {
    const probe = await probeTwice(server.addr, probing);
    probing.onProbe?.(probe);
    return { view: found(server, probe), probe };
  } catch (error) {
    if (!isCodisError(error)) throw error;
    return { view: { ...serverView(server), up: false, ...UNKNOWN, problem: error.message }, probe: null };
  }
}

/** A process that is busy with something else may take an answer for late that has come long since: so only who is refused is down at once. */
async function probeTwice(addr: Server['addr'], probing: Probing): Promise<ServerProbe> {
  try {
    return await probeServer(addr, { ...probing, timeoutMs: PROBE_MS });
  } catch (error) {
    if (!isCodisError(error) || isRefused(error)) throw error;
    return probeServer(addr, { ...probing, timeoutMs: PROBE_MS });
  }
}

function isRefused({ cause }: CodisError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

function found(server: Server, probe: ServerProbe): ServerStatusView {
  return {
    ...serverView(server),
    up: true,
    observedRole: probe.role,
    linkUp: probe.master ? probe.master.linkUp : null,
    sync: probe.master?.sync ?? null,
    version: probe.version,
    keysCount: probe.keysCount,
    usedMemoryBytes: probe.usedMemoryBytes,
    maxMemoryBytes: probe.maxMemoryBytes,
    replicates: probe.master?.addr ?? null,
    offset: probe.offset,
    lagBytes: null,
    lagSeconds: null,
    opsPerSecond: probe.opsPerSecond,
    uptimeSeconds: probe.uptimeSeconds,
    problem: mismatch(server, probe),
  };
}

function mismatch({ addr, role }: Server, probe: ServerProbe): string | null {
  if (probe.role !== role) return `${addr} should be a ${role}, but is a ${probe.role}`;
  if (probe.master && !probe.master.linkUp) return `${addr} has no link to its master ${probe.master.addr}`;
  return null;
}
