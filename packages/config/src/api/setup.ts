// From a list of Redis servers to a working cluster, and what a server is before it is added.

import type { RoleName } from './views.ts';

/** `POST /servers/probe`: looks, changes nothing. */
export interface ProbeServersRequest {
  /** At most 256. */
  readonly addrs: readonly string[];
}

/** A server as it says of itself; null: it could not be asked. */
export interface ProbedServerView {
  readonly addr: string;
  readonly role: RoleName | null;
  /** Whom it replicates. */
  readonly master: string | null;
  readonly linkUp: boolean | null;
  readonly version: string | null;
  readonly keysCount: number | null;
  readonly usedMemoryBytes: number | null;
  readonly maxMemoryBytes: number | null;
  readonly replicasCount: number | null;
  /** `rdb`, `aof`, `rdb+aof` or `none`. */
  readonly persistence: string | null;
  /** The group that has it already. */
  readonly group: number | null;
  /** Why it can't be used, in words; null when it can. */
  readonly problem: string | null;
}

export interface ProposedGroupView {
  readonly group: number;
  readonly servers: readonly { readonly addr: string; readonly role: RoleName }[];
}

/** The answer to a probe: what there is, and the cluster one would make of it. */
export interface ProbeView {
  readonly servers: readonly ProbedServerView[];
  /** New groups of the masters that were found, with their replicas. Can be sent to `POST /setup` as it is, or changed before. */
  readonly groups: readonly ProposedGroupView[];
  /** What to think about first, each in a sentence. */
  readonly warnings: readonly string[];
  /** The command lines that do what `POST /setup` does with these groups, in order; none when it would be refused. */
  readonly cli: readonly string[];
}

/** `POST /setup`: makes the slot table if there is none, the groups, and gives every slot that has no group to one of them, evenly. Each step is one event, and what is there already is left as it is,
 *  so a set-up that failed half-way is asked for again. */
export interface SetupRequest {
  readonly groups: readonly ProposedGroupView[];
  /** Also masters that hold keys, and replicas whose keys get lost. */
  readonly force?: boolean;
}

export interface SetupView {
  readonly epoch: number;
  /** What was done, in order. */
  readonly steps: readonly string[];
  readonly notes: readonly string[];
}

/** `GET /groups/{group}/candidates`: who could become master, best first. */
export interface CandidatesView {
  readonly group: number;
  /** The master of now; null when there is none. */
  readonly master: string | null;
  readonly masterUp: boolean;
  readonly candidates: readonly CandidateView[];
  /** Proxies that have no session or an older table: they don't hold up a promotion, but may go on asking the old master. */
  readonly proxiesBehind: readonly string[];
}

export interface CandidateView {
  readonly addr: string;
  readonly up: boolean;
  /** By how much of the replication stream it is behind the master, or behind the best candidate when the master is down; null: not known. */
  readonly behindBytes: number | null;
  /** Whether it would be taken without force. */
  readonly able: boolean;
  /** One sentence: what would be lost, or why it can't be. */
  readonly text: string;
}
