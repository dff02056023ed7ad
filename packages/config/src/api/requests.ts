// What the dashboard's HTTP API takes. `If-Match: "<epoch>"` goes with any change of the topology: it is refused with CODIS_E_STALE at another epoch.

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
}

/** `POST /groups/{group}/servers/{addr}/promote`. */
export interface PromoteServerRequest {
  readonly force?: boolean;
}

/** `PUT /proxies/{id}/wanted`. */
export interface ProxyWantedRequest {
  readonly wanted: 'online' | 'offline';
}

/** `POST /migrations`. */
export interface CreateMigrationRequest {
  readonly moves: readonly { readonly first: number; readonly last: number; readonly to: number }[];
  /** Pause between two batches of keys, in milliseconds. */
  readonly delayMs?: number;
}
