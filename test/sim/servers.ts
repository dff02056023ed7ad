// The servers of the simulation: two groups, each with a master and replicas that may lag behind it. What a master runs goes into its log in the order in
// which it ran; a replica has taken up some of that from the beginning, and no more than that is left when it has to take the master's place.
//
// A value is a number; half a value (a copy under way) is that number less a half.

import { asServerAddr, type Epoch, type GroupId, type ServerAddr } from '@codis/config/model';

/** What is written to a master. `client`: by a client, who has its answer. `moved`: a move brought or took the key, and did not wait for replicas;
 *  `moved-durably`: it brought it and does. `inner`: what is nobody's key. */
export type Cause = 'client' | 'moved' | 'moved-durably' | 'inner';

export interface Entry {
  readonly name: string;
  /** Not there any more. */
  readonly value: number | undefined;
  readonly cause: Cause;
  /** What clients were promised of this key before. */
  readonly before: number | undefined;
  /** Of the topology just then. */
  readonly epoch: Epoch;
}

interface Replica {
  readonly data: Map<string, number>;
  /** How many entries of the log it has. */
  applied: number;
}

export interface Group {
  readonly id: GroupId;
  master: ServerAddr;
  /** Which process the master is: after a restart or a failover another one, and every connection there was is gone. */
  process: number;
  data: Map<string, number>;
  log: Entry[];
  readonly replicas: Map<ServerAddr, Replica>;
}

export const SERVERS_COUNT = 3;

export function newGroup(id: GroupId, name: string): Group {
  const addrs = Array.from({ length: SERVERS_COUNT }, (_, at) => asServerAddr(`${name}:${at + 1}`));
  const [master, ...others] = addrs as [ServerAddr, ...ServerAddr[]];
  const replicas = new Map(others.map((addr): [ServerAddr, Replica] => [addr, { data: new Map(), applied: 0 }]));
  return { id, master, process: 0, data: new Map(), log: [], replicas };
}

export function write(group: Group, entry: Entry): void {
  put(group.data, entry);
  group.log.push(entry);
}

function put(data: Map<string, number>, { name, value }: Pick<Entry, 'name' | 'value'>): void {
  if (value === undefined) data.delete(name);
  else data.set(name, value);
}

/** Its fence: the epoch below which connections may not be used; -1 for none. */
export const MARKER = 'marker';
export const markerOf = ({ data }: Group): number => data.get(MARKER) ?? -1;

/** A replica catches up with all but the last `lag` entries. */
export function replicate(group: Group, replica: number, lag = 0): void {
  const follower = [...group.replicas.values()][replica]!;
  while (follower.applied < group.log.length - lag) put(follower.data, group.log[follower.applied++]!);
}

export function replicateAll(group: Group): void {
  for (let at = 0; at < group.replicas.size; at++) replicate(group, at);
}

/** A replica takes the place of the master, which comes back as a replica of it. Returns what is lost: the entries that it had not heard of. `inPlace`: it takes
 *  over its address too. A marker that is lost is put back by the controller. */
export function failOver(group: Group, replica: number, inPlace: boolean): readonly Entry[] {
  const [addr, { data, applied }] = [...group.replicas][replica]!;
  const lost = group.log.slice(applied);
  const marker = markerOf(group);
  if (!inPlace) {
    group.replicas.delete(addr);
    group.replicas.set(group.master, { data: new Map(), applied: 0 });
    group.master = addr;
  }
  group.process++;
  data.set(MARKER, marker);
  group.data = new Map(data);
  group.log = [];
  for (const follower of group.replicas.keys()) group.replicas.set(follower, { data: new Map(data), applied: 0 });
  return lost;
}
