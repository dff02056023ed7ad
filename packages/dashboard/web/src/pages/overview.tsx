// Is it well? The verdict with numbers and the button that mends it, then the numbers over time.

import type { GroupStatusView, KeyTotalView, StatusView } from '@codis/config/api';
import { useEffect } from 'preact/hooks';
import { CauseActions, Causes } from '../components/causes.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { PageHead } from '../components/layout.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, compact, count, duration, percent, plural, rate, sentence } from '../lib/format.ts';
import { followHistory, historyProblem } from '../state/history.ts';
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
  return (
    <>
      <PageHead title="Overview" />
      <Verdict status={current} />
      <FirstRun />
      {current.groups.length === 0 ? null : <Numbers status={current} />}
    </>
  );
}

function Numbers({ status: current }: { status: StatusView }) {
  return (
    <>
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
  empty: { level: 'idle', word: 'Empty' },
};

function Verdict({ status: current }: { status: StatusView }) {
  const { level, word } = VERDICTS[current.verdict];
  // The first one stands in the sentence already.
  const said = current.causes.find(({ severity, text }) => severity === 'problem' && current.summary.includes(text));
  return (
    <section class={`verdict ${level}`} aria-label="Verdict">
      <p class="lead" role="status">
        <Chip level={level} word={word} /> {sentence(current.summary.replace(/^\w+: /, ''))}.{' '}
        {current.verdict === 'empty' ? null : (
          <span class="hint">
            Since <Time at={current.since} />.
          </span>
        )}
      </p>
      {said === undefined ? null : <CauseActions cause={said} />}
      <Causes causes={current.causes.filter((cause) => cause !== said)} />
    </section>
  );
}

function Tiles({ status: { slots, groups, proxies, keys } }: { status: StatusView }) {
  const point = live.value?.point;
  const memory = groups.map(masterMemory);
  const max = sum(memory.map((entry) => entry?.max ?? null));
  const used = sum(memory.map((entry) => entry?.used ?? null));
  const online = proxies.filter(({ state }) => state === 'online').length;
  return (
    <dl class="tiles">
      <Tile name="Slots served" text={`${slots.served} / ${slots.total}`} note={percent((slots.served / slots.total) * 100)} />
      <Tile name="Keys" {...keysText(keys)} />
      <Tile name="Requests" text={rate(point?.opsPerSecond)} note={`${rate(point?.errorsPerSecond)} errors`} why={NO_RATE} />
      <Tile name="Latency p99" text={duration(point?.p99Ms)} note={`p50 ${duration(point?.p50Ms)}`} why={NO_RATE} />
      <Tile
        name="Sessions"
        text={count(point?.sessions)}
        note={`${online} of ${plural(proxies.length, 'proxy').replace('proxys', 'proxies')} online`}
        why="no proxy has said"
      />
      <Tile
        name="Memory of masters"
        text={bytes(used)}
        note={max === null || max === 0 ? 'no limit set' : `of ${bytes(max)}`}
        why="a master did not answer"
      />
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

/** What is known, and the name of what is not: never silently less. */
function keysText({ knownCount, estimatedCount, unknownGroups }: KeyTotalView): { text: string; note: string } {
  if (unknownGroups.length === 0) return { text: compact(knownCount), note: count(knownCount) };
  const unknown = `group${unknownGroups.length === 1 ? '' : 's'} ${unknownGroups.join(', ')} unknown`;
  return { text: `${compact(knownCount)} of ${estimatedCount === null ? '?' : `~${compact(estimatedCount)}`}`, note: `(${unknown})` };
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
