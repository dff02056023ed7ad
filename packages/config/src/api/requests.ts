// What the dashboard's HTTP API takes. `If-Match: "<epoch>"` goes with any change of the topology: it is refused with CODIS_E_STALE at another epoch.
// Every change takes `?dryRun=true`: it is checked as usual and answered with a DryRunView, and nothing is changed. A POST with `Idempotency-Key: <any text>` is carried out once: sent again
// with the same body within ten minutes it gets the answer of the first time.

import type { RoleName } from './views.ts';

/** `POST /slots/init`. */
export interface InitSlotsRequest {
  readonly force?: boolean;
}

/** `PUT /slots/range`: to a group, or offline when `group` is null. */
export interface AssignRangeRequest {
  readonly first: number;
  readonly last: number;
  readonly group: number | null;
}

/** `POST /groups`. */
export interface AddGroupRequest {
  readonly group: number;
}

/** `POST /groups/{group}/servers`. Codis's `slave` is taken for `replica`. */
export interface AddServerRequest {
  readonly addr: string;
  readonly role: RoleName | 'slave';
  readonly force?: boolean;
  readonly zone?: string;
}

/** `PUT /groups/{group}/servers/{addr}`: what is not named stays. */
export interface SetServerRequest {
  /** Null takes it away. */
  readonly zone?: string | null;
  readonly replicaReads?: boolean;
}

/** `POST /groups/{group}/servers/{addr}/promote`. */
export interface PromoteServerRequest {
  readonly force?: boolean;
}

/** `POST /groups/{group}/servers/{addr}/replicate`: has it follow its group's master. */
export interface ReplicateServerRequest {
  /** Also when its own keys get lost. */
  readonly force?: boolean;
}

/** `PUT /proxies/{id}/wanted`; with `?wait=false` answered at once, whether or not it was taken up. */
export interface ProxyWantedRequest {
  readonly wanted: 'online' | 'offline';
  /** With `offline`: how long its clients may go on before they are disconnected; 5 unless said. */
  readonly drainSeconds?: number;
}

/** `POST /migrations/{id}/throttle`: what is not named stays; null takes a limit away. */
export interface ThrottleRequest {
  /** Pause between two batches of keys, in milliseconds. */
  readonly delayMs?: number;
  readonly keysPerSecond?: number | null;
  readonly bytesPerSecond?: number | null;
  readonly addedP99Ms?: number | null;
  readonly sharePercent?: number | null;
  readonly slotsAtOnce?: number | null;
  /** `00:00-07:00`, by the local clock of the controller. */
  readonly window?: string | null;
}

/** `POST /migrations/{id}/cancel`; without a body what has moved stays where it is. */
export interface CancelMigrationRequest {
  /** What goes back where it came from: the slots that are under way (`current`), or also those that have moved (`all`). They arrive first, and then another migration
   *  brings them back; `takenBackBy` is its number, and null when there is nothing to bring back. */
  readonly rollBack?: 'current' | 'all';
}

/** `POST /migrations/{id}/adopt`. */
export interface AdoptMigrationRequest extends ThrottleRequest {
  /** Changes nothing, and answers what would be on record. */
  readonly dryRun?: boolean;
}

/** How slots are to be moved. */
export interface MannerRequest extends ThrottleRequest {
  /** Keys leave the source only when all replicas of the target have them. */
  readonly durable?: boolean;
  /** Why, for who looks at it later. */
  readonly comment?: string;
}

/** `POST /migrations`. */
export interface CreateMigrationRequest extends MannerRequest {
  readonly moves: readonly { readonly first: number; readonly last: number; readonly to: number }[];
}
