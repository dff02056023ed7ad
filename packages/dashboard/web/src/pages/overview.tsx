// Is it well? The verdict with numbers and the button that mends it, then the numbers over time.

import type { GroupStatusView, StatusView } from '@codis/config/api';
import { useEffect } from 'preact/hooks';
import { Chip, type Level } from '../components/chip.tsx';
import { WhyButton } from '../components/explain.tsx';
import { PageHead } from '../components/layout.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { PromoteButton } from '../components/promote.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, compact, count, duration, percent, plural, rate, UNKNOWN } from '../lib/format.ts';
import { followHistory, history, historyProblem } from '../state/history.ts';
import { alerts, live, migrations, status } from '../state/live.ts';
import { to } from '../state/router.ts';
import { AlertList } from './alerts.tsx';
import { Charts } from './charts.tsx';
import { FirstRun } from './first-run.tsx';
import { ProgressLine } from './progress.tsx';

export function OverviewPage() {
  useEffect(followHistory, []);
  const current = status.value;
  if (current === null) return <PageHead title="Overview" />;
  const begun = current.groups.length > 0 && current.slots.offline < current.slots.total;
  return (
    <>
      <PageHead title="Overview" />
      <Verdict status={current} />
      {begun && current.proxies.length > 0 ? null : <FirstRun />}
      <Tiles status={current} />
      <Running />
      <FiringAlerts />
      {historyProblem.value === null ? null : <ProblemBox problem={historyProblem.value} what="The charts" />}
      <Charts />
    </>
  );
}

const VERDICTS: Record<StatusView['verdict'], { level: Level; word: string }> = {
  healthy: { level: 'ok', word: 'Healthy' },
  degraded: { level: 'error', word: 'Degraded' },
  empty: { level: 'unknown', word: 'Empty' },
};

function Verdict({ status: current }: { status: StatusView }) {
  const { level, word } = VERDICTS[current.verdict];
  const sentence = current.summary.replace(/^\w+: /, '');
  return (
    <section class={`verdict ${level}`} aria-label="Verdict">
      <p class="lead" role="status">
        <Chip level={level} word={word} /> {sentence}
        {since(current)}
      </p>
      <MastersDown groups={current.groups} />
      {current.problems.length > 1 ? <Sentences level="error" texts={current.problems} /> : null}
      <Sentences level="warn" texts={current.warnings} />
    </section>
  );
}

/** Since when it has been wrong: the oldest critical alert that holds. */
function since({ verdict }: StatusView) {
  const [oldest] = alerts.value
    .filter(({ severity, state }) => severity === 'critical' && state !== 'resolved')
    .map((alert) => alert.since)
    .sort();
  if (verdict !== 'degraded' || oldest === undefined) return null;
  return (
    <>
      {' '}
      Since <Time at={oldest} />.
    </>
  );
}

function MastersDown({ groups }: { groups: readonly GroupStatusView[] }) {
  const wrong = groups.filter((group) => group.slotsCount > 0 && !hasWorkingMaster(group));
  if (wrong.length === 0) return null;
  return (
    <p class="actions">
      {wrong.map(({ id, servers }) => (
        <span key={id}>
          <PromoteButton primary group={id} addr={servers.find(({ role, up }) => role === 'replica' && up)?.addr ?? null} />{' '}
          <WhyButton of={{ group: id }} about={`Group ${id} has no working master`} />
        </span>
      ))}
    </p>
  );
}

export function hasWorkingMaster({ servers }: GroupStatusView): boolean {
  return servers.some(({ role, up, observedRole }) => role === 'master' && up && observedRole === 'master');
}

const SENTENCES_SHOWN = 8;

function Sentences({ level, texts }: { level: Level; texts: readonly string[] }) {
  if (texts.length === 0) return null;
  return (
    <ul class="sentences">
      {texts.slice(0, SENTENCES_SHOWN).map((text) => (
        <li key={text}>
          <Chip level={level} word={level === 'error' ? 'problem' : 'warning'} /> {text}
        </li>
      ))}
      {texts.length > SENTENCES_SHOWN ? <li>and {texts.length - SENTENCES_SHOWN} more</li> : null}
    </ul>
  );
}

function Tiles({ status: { slots, groups, proxies } }: { status: StatusView }) {
  const point = live.value?.point;
  const memory = groups.map(masterMemory);
  const max = sum(memory.map((entry) => entry?.max ?? null));
  const used = sum(memory.map((entry) => entry?.used ?? null));
  const online = proxies.filter(({ state }) => state === 'online').length;
  return (
    <dl class="tiles">
      <Tile name="Slots served" text={`${count(slots.served)} / ${count(slots.total)}`} note={percent((slots.served / slots.total) * 100)} />
      <Tile name="Keys" {...keysText(groups)} />
      <Tile name="Requests" text={rate(point?.opsPerSecond)} note={`${rate(point?.errorsPerSecond)} errors`} why={NO_RATE} />
      <Tile name="Latency p99" text={duration(point?.p99Ms)} note={`p50 ${duration(point?.p50Ms)}`} why={NO_RATE} />
      <Tile name="Sessions" text={count(point?.sessions)} note={`${online} of ${plural(proxies.length, 'proxy').replace('proxys', 'proxies')} online`} why="no proxy has said" />
      <Tile name="Memory of masters" text={bytes(used)} note={max === null || max === 0 ? 'no limit set' : `of ${bytes(max)}`} why="a master did not answer" />
    </dl>
  );
}

const NO_RATE = 'no proxy has answered twice yet, or there are no requests';

function Tile({ name, text, note, why }: { name: string; text: string; note: string; why?: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="figure">
          <Value text={text} why={why ?? 'it could not be asked for'} />
        </span>
        <span class="hint">{note}</span>
      </dd>
    </div>
  );
}

/** A sum of what is known, and the name of what is not: never silently less. */
function keysText(groups: readonly GroupStatusView[]): { text: string; note: string; why: string } {
  const counts = groups.filter(({ servers }) => servers.length > 0).map((group) => ({ id: group.id, keys: masterKeys(group) }));
  const unknown = counts.filter(({ keys }) => keys === null).map(({ id }) => id);
  const known = sum(counts.filter(({ keys }) => keys !== null).map(({ keys }) => keys));
  if (unknown.length === 0) return { text: compact(known ?? 0), note: count(known ?? 0), why: '' };
  const before = lastKnownKeys();
  const names = `group${unknown.length === 1 ? '' : 's'} ${unknown.join(', ')} unknown`;
  const text = known === null ? UNKNOWN : before === null ? `${compact(known)}+` : `${compact(known)} of ~${compact(before)}`;
  return { text, note: `(${names})`, why: names };
}

function lastKnownKeys(): number | null {
  return history.value?.series.keysCount.findLast((value) => value !== null) ?? null;
}

function masterKeys({ servers }: GroupStatusView): number | null {
  return servers.find(({ role }) => role === 'master')?.keysCount ?? null;
}

function masterMemory({ servers }: GroupStatusView): { used: number | null; max: number | null } | null {
  const master = servers.find(({ role }) => role === 'master');
  return master ? { used: master.usedMemoryBytes, max: master.maxMemoryBytes } : null;
}

/** Null when none of them is known. */
function sum(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
}

function Running() {
  const open = migrations.value.filter(({ state }) => state === 'running' || state === 'paused');
  if (open.length === 0) return null;
  return (
    <section>
      <h2>Migrations under way</h2>
      {open.map((migration) => (
        <ProgressLine key={migration.id} migration={migration} />
      ))}
    </section>
  );
}

function FiringAlerts() {
  const firing = alerts.value.filter(({ state }) => state === 'firing');
  if (firing.length === 0) return null;
  return (
    <section>
      <h2>
        Alerts <a href={to('alerts')}>all of them</a>
      </h2>
      <AlertList alerts={firing.slice(0, 5)} />
    </section>
  );
}
