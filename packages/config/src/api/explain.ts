// "Why?": what was looked at to come to a verdict on one thing, the most telling first.

import type { ObjectView, TryView } from './common.ts';

export type CheckResultName = 'ok' | 'warning' | 'failed' | 'unknown';

export interface CheckView {
  /** What was checked: `group 2 has a master`. */
  readonly check: string;
  readonly result: CheckResultName;
  /** What was seen, with numbers. */
  readonly evidence: string;
}

/** `GET /explain?slot=|group=|proxy=|migration=`, exactly one of them. */
export interface ExplainView {
  readonly object: ObjectView;
  /** The worst of the checks. */
  readonly level: CheckResultName;
  /** One sentence. */
  readonly verdict: string;
  /** Failed ones first, then warnings, unknown and ok. */
  readonly because: readonly CheckView[];
  /** Best first. */
  readonly try: readonly TryView[];
}
