// What an explanation is made of: checks, each with what was seen and what would mend it. Pure.

import type {
  CheckView,
  ExplainView,
  MigrationView,
  ObjectView,
  ProxyStatsView,
  ProxyWorkerView,
  StatusView,
  TopologyView,
  TryView,
} from '@codis/config/api';

/** What is known of the cluster when somebody asks why. */
export interface Facts {
  readonly status: StatusView;
  readonly topology: TopologyView;
  readonly migrations: readonly MigrationView[];
  readonly proxies: readonly ProxyStatsView[];
  /** By proxy; only of those that answer. */
  readonly workers: ReadonlyMap<string, readonly ProxyWorkerView[]>;
  /** By proxy: masters that have not confirmed that what it gave up there is gone. */
  readonly unconfirmed: ReadonlyMap<string, readonly string[]>;
  /** Whether some dashboard is elected. */
  readonly hasController: boolean;
}

export interface Check extends CheckView {
  readonly try?: readonly TryView[];
}

const ORDER: Readonly<Record<CheckView['result'], number>> = { failed: 0, warning: 1, unknown: 2, ok: 3 };

/** `fine`: the verdict when nothing is the matter. Checks stand in order of how much they tell. */
export function explanation(object: ObjectView, checks: readonly Check[], fine: string): ExplainView {
  const sorted = checks.toSorted((a, b) => ORDER[a.result] - ORDER[b.result]);
  const level = sorted[0]?.result ?? 'unknown';
  const tries = sorted.filter(({ result }) => result !== 'ok').flatMap((check) => check.try ?? []);
  const first = sorted[0];
  return {
    object,
    level,
    verdict: level === 'ok' || !first ? fine : `${first.evidence}`,
    because: sorted.map(({ check, result, evidence }) => ({ check, result, evidence })),
    try: distinct(tries),
  };
}

export function ok(check: string, evidence: string): Check {
  return { check, result: 'ok', evidence };
}

export function failed(check: string, evidence: string, tries: readonly TryView[] = []): Check {
  return { check, result: 'failed', evidence, try: tries };
}

export function warning(check: string, evidence: string, tries: readonly TryView[] = []): Check {
  return { check, result: 'warning', evidence, try: tries };
}

export function unknown(check: string, evidence: string): Check {
  return { check, result: 'unknown', evidence };
}

/** `body`: JSON text. */
export function post(label: string, cli: string, path: string, body: string | null = null): TryView {
  return { label, cli, api: { method: 'POST', path, body } };
}

export function say(label: string, cli: string | null = null): TryView {
  return { label, cli, api: null };
}

function distinct(tries: readonly TryView[]): TryView[] {
  return [...new Map(tries.map((one) => [one.label, one])).values()];
}
