// Alerts: what somebody should know of without looking. A condition is `pending` until it has held for a while, then `firing`; `resolved` ones stay
// in the list for an hour. An alert is one rule about one object, so it has one id for as long as it lives: `slots-unserved:2`.

import type { ObjectView, TryView } from './common.ts';

export type AlertRuleName =
  | 'slots-unserved'
  | 'slots-offline'
  | 'no-replica'
  | 'replica-broken'
  | 'replication-lag'
  | 'memory'
  | 'proxy-lost'
  | 'no-proxy'
  | 'proxy-behind'
  | 'error-rate'
  | 'latency'
  | 'migration-stalled'
  | 'mixed-versions'
  | 'coordinator-lost'
  | 'no-controller';

export type AlertStateName = 'pending' | 'firing' | 'acknowledged' | 'silenced' | 'resolved';
export type AlertSeverityName = 'critical' | 'warning';

export interface AlertView {
  readonly id: string;
  readonly rule: AlertRuleName;
  readonly severity: AlertSeverityName;
  readonly state: AlertStateName;
  readonly object: ObjectView;
  /** What is the case, in one sentence with numbers. */
  readonly text: string;
  /** Why it matters, or what it comes from. */
  readonly why: string;
  readonly try: readonly TryView[];
  /** Since when the condition has held. */
  readonly since: string;
  /** Null while pending. */
  readonly firedAt: string | null;
  readonly resolvedAt: string | null;
  readonly acknowledgedBy: string | null;
  /** Null when it is not silenced. */
  readonly silencedUntil: string | null;
}

/** `GET /alerts`, worst first: firing, acknowledged, silenced, pending, resolved. Also the answer to acknowledging and silencing. */
export interface AlertsView {
  readonly alerts: readonly AlertView[];
  /** When the rules were last looked at; null: not yet. */
  readonly evaluatedAt: string | null;
}

/** `POST /alerts/{alert}/silence`. `POST /alerts/{alert}/acknowledge` takes no body. */
export interface SilenceAlertRequest {
  /** 0 ends the silence. */
  readonly minutes: number;
}
