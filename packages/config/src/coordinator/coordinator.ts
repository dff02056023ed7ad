// The coordinator: a small tree of versioned values that every process of a product shares. This is the whole contract; the
// drivers (filesystem/, zookeeper/) pass one test suite (test/coordinator/contract.ts), and another driver needs nothing else.
//
// Paths are relative to the product (`topology`, `proxies/p1/live`), without leading or trailing slash; parents must exist (`commit`
// creates none), but for the product's own root, which the driver makes. Names may hold any printable character of Unicode's
// basic plane but `/`, and are not `.` or `..`: what ZooKeeper takes. Another path is a bug of the caller (checks.ts).

/** Largest value a node may hold, and largest sum of the values of one commit, in bytes. ZooKeeper refuses packets of 1 MiB;
 *  this leaves room for the rest of a packet. */
export const VALUE_BYTES_MAX = 900_000;

/** A node as it was read. `version` is 0 after creation and one more after each set. */
export interface Entry {
  readonly data: Buffer;
  readonly version: number;
  /** The session that owns it, when it is ephemeral. */
  readonly owner: SessionId | null;
}

/** Opaque; two sessions never share one. */
export type SessionId = string;

/** One step of a `commit`. `version` guards it: the step fails unless the node is at exactly that version (0 is a version). */
export type Op =
  | { readonly op: 'create'; readonly path: string; readonly data: Buffer; readonly ephemeral?: boolean }
  | { readonly op: 'set'; readonly path: string; readonly data: Buffer; readonly version?: number }
  /** Fails while the node has children. */
  | { readonly op: 'delete'; readonly path: string; readonly version?: number }
  | { readonly op: 'check'; readonly path: string; readonly version: number };

/** Why a commit was refused; nothing of it was done. `index` says which step. */
export interface Refusal {
  readonly index: number;
  readonly path: string;
  readonly reason: 'exists' | 'missing' | 'no-parent' | 'version' | 'not-empty' | 'ephemeral-parent';
}

/** `versions` has, per step, the version its node is at afterwards (0 for create, -1 for delete; what was checked for check). */
export type CommitResult = { readonly ok: true; readonly versions: readonly number[] } | { readonly ok: false; readonly refusal: Refusal };

export type SessionState =
  /** Not connected yet, or again after a loss. */
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly session: SessionId }
  /** Cut off, but the session may still be alive: ephemerals stay, calls fail with CODIS_E_COORDINATOR_LOST. `since` is Date.now(). */
  | { readonly kind: 'suspended'; readonly session: SessionId; readonly since: number }
  /** The session is over and its ephemerals are gone or going. A new one is being made: `connected` follows with another id. */
  | { readonly kind: 'lost'; readonly since: number }
  | { readonly kind: 'closed' };

/** Ends a watch or a subscription; calling it twice is harmless. */
export type Unsubscribe = () => void;

/** One connection to the coordinator for one product. Errors of every call: CODIS_E_COORDINATOR_LOST (not connected; nothing was done) and
 *  CODIS_E_COORDINATOR_CORRUPT (what is stored is not ours; nothing was done); for `commit` also CODIS_E_VALUE_TOO_LARGE (see VALUE_BYTES_MAX;
 *  nothing was done) and CODIS_E_COORDINATOR_UNKNOWN (cut off in the middle: it may or may not have been done; read before deciding). */
export interface Coordinator {
  readonly state: SessionState;

  /** Called on every change of `state`, not for the current one. A listener that throws does not harm the others: the error is rethrown from a later turn. */
  onState(listener: (state: SessionState) => void): Unsubscribe;

  /** Resolves once connected; rejects with CODIS_E_COORDINATOR_LOST after `timeoutMs`, or once closed; with CODIS_E_COORDINATOR_CORRUPT
   *  as soon as that is known, though the connection goes on trying. */
  ready(timeoutMs: number): Promise<void>;

  /** The node, or null where there is none. Never older than anything this connection has read, written or been told of before. */
  read(path: string): Promise<Entry | null>;

  /** Names of the children, sorted; empty for a node that has none or does not exist. `''` is the product itself. */
  list(path: string): Promise<string[]>;

  /** All steps or none, in order; a later step sees what an earlier one did. */
  commit(ops: readonly Op[]): Promise<CommitResult>;

  /** Calls `listener` with the node as it is now (soon, not from within `watch`), and again after changes; null while it does not exist. Changes that
   *  follow each other fast may be seen as one, but the last is always seen, also over reconnects and new sessions. Versions of one incarnation
   *  never go back. A listener that throws does not harm the others: the error is rethrown from a later turn. */
  watch(path: string, listener: (entry: Entry | null) => void): Unsubscribe;

  /** As `watch`, for the names of the children, sorted. Values of the children are not watched. */
  watchChildren(path: string, listener: (names: readonly string[]) => void): Unsubscribe;

  /** Ends the session: its ephemerals are deleted before this resolves when the coordinator can be reached; takes at most a few seconds
   *  when not. The state becomes `closed` at once, and no listener is called after it was told so. */
  close(): Promise<void>;
}
