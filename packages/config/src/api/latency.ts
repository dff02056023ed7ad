// How long the servers take as each proxy sees them.

import type { RoleName } from './views.ts';

/** `GET /latency`: each proxy beside each server, over the last quarter to half of a minute. */
export interface LatencyView {
  /** ISO 8601. */
  readonly at: string;
  readonly proxies: readonly LatencyProxyView[];
  /** All masters, and those that proxies read from. */
  readonly servers: readonly LatencyServerView[];
  /** One for each proxy that answered and each server. */
  readonly cells: readonly LatencyCellView[];
  /** What stands out, each in a sentence. */
  readonly findings: readonly string[];
  /** How the numbers were come by, each in a sentence. */
  readonly basis: readonly string[];
}

export interface LatencyProxyView {
  readonly id: string;
  /** Why nothing is known of it; null when it answered. */
  readonly problem: string | null;
}

export interface LatencyServerView {
  readonly addr: string;
  readonly group: number;
  readonly role: RoleName;
}

/** Whole requests, from when the proxy read them to when the reply was there. Null: none lately. */
export interface LatencyCellView {
  readonly proxy: string;
  readonly server: string;
  readonly requestsCount: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Why it stands out from the others; null when it does not, or there is too little to tell. */
  readonly outlier: string | null;
}
