// Words that several parts of the API share: what an answer is about, and what to do about it.

import type { PlanView } from './plans.ts';

/** Something one can look at. */
export interface ObjectView {
  readonly kind: 'cluster' | 'slot' | 'group' | 'server' | 'proxy' | 'migration' | 'plan' | 'coordinator' | 'dashboard' | 'user' | 'token';
  /** Its id as the API writes it: `2`, `127.0.0.1:6379`, `proxy_1`; a run of slots as `0-511`; empty for the cluster. */
  readonly id: string;
}

/** What to do: in words for the button, as a command line, and as a call where there is one. */
export interface TryView {
  /** `Promote 127.0.0.1:6380`. */
  readonly label: string;
  readonly cli: string | null;
  readonly api: ApiCallView | null;
}

/** `path` begins behind /api/v1. */
export interface ApiCallView {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** JSON text; null for none. */
  readonly body: string | null;
}

/** The answer to a change that was asked for with `?dryRun=true`: nothing was changed. It stands in the place of the usual answer. */
export interface DryRunView {
  readonly dryRun: true;
  /** The audit events that the change would have made. */
  readonly would: readonly WouldView[];
  /** Of making a plan: the plan as it would be; else null. */
  readonly plan: PlanView | null;
  readonly notes: readonly string[];
}

export interface WouldView {
  readonly action: string;
  readonly object: string;
  /** The epoch it would have made; null when it does not touch the topology. */
  readonly epoch: number | null;
  readonly before: string | null;
  readonly after: string | null;
}
