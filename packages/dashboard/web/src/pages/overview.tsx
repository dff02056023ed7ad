// Is it well? The verdict with numbers and the button that mends it, then the numbers over time.

import type { GroupStatusView, KeyTotalView, StatusView } from '@codis/config/api';
import { useEffect } from 'preact/hooks';
import { CauseActions, Causes } from '../components/causes.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { PageHead } from '../components/layout.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { Time, Value } from '../components/value.tsx';
import { bytes, compact, count, duration, percent, plural, rate, sentence } from '../lib/format.ts';
import { msg, rich, t } from '../lib/words.ts';
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
  if (current === null) return <PageHead title={t('Overview')} />;
  return (
    <>
      <PageHead title={t('Overview')} />
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
      {historyProblem.value === null ? null : <ProblemBox problem={historyProblem.value} what={t('The charts')} />}
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
    <section class={`verdict ${level}`} aria-label={t('Verdict')}>
      <p class="lead" role="status">
        <Chip level={level} word={word} /> <Said text={sentence(current.summary.replace(/^\w+: /, ''))} whole />{' '}
        {current.verdict === 'empty' ? null : <span class="hint">{rich('Since {at}.', { at: <Time at={current.since} /> })}</span>}
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
      <Tile name={t('Slots served')} text={`${slots.served} / ${slots.total}`} note={percent((slots.served / slots.total) * 100)} />
      <Tile name={t('Keys')} {...keysText(keys)} />
      <Tile
        name={t('Requests')}
        text={rate(point?.opsPerSecond)}
        note={t('{rate} errors', { rate: rate(point?.errorsPerSecond) })}
        why={NO_RATE}
      />
      <Tile name={t('Latency p99')} text={duration(point?.p99Ms)} note={t('p50 {time}', { time: duration(point?.p50Ms) })} why={NO_RATE} />
      <Tile
        name={t('Sessions')}
        text={count(point?.sessions)}
        note={t('{online} of {proxies} online', { online, proxies: plural(proxies.length, 'proxy') })}
        why={t('no proxy has said')}
      />
      <Tile
        name={t('Memory of masters')}
        text={bytes(used)}
        note={max === null || max === 0 ? t('no limit set') : t('of {max}', { max: bytes(max) })}
        why={t('a master did not answer')}
      />
    </dl>
  );
}

const NO_RATE = msg('no proxy has answered twice yet, or there are no requests');

function Tile({ name, text, note, why }: { name: string; text: string; note: string; why?: string }) {
  return (
    <div class="tile">
      <dt>{name}</dt>
      <dd>
        <span class="figure">
          <Value text={text} why={why ?? t('it could not be asked for')} />
        </span>
        <span class="hint">{note}</span>
      </dd>
    </div>
  );
}

/** What is known, and the name of what is not: never silently less. */
function keysText({ knownCount, estimatedCount, unknownGroups }: KeyTotalView): { text: string; note: string } {
  if (unknownGroups.length === 0) return { text: compact(knownCount), note: count(knownCount) };
  const groups = unknownGroups.join(', ');
  return {
    text: t('{known} of {all}', { known: compact(knownCount), all: estimatedCount === null ? '?' : `~${compact(estimatedCount)}` }),
    note: unknownGroups.length === 1 ? t('(group {groups} unknown)', { groups }) : t('(groups {groups} unknown)', { groups }),
  };
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
      <h2>{t('Migrations under way')}</h2>
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
        {t('Alerts')} <a href={to('alerts')}>{t('all of them')}</a>
      </h2>
      <AlertList alerts={firing.slice(0, 5)} />
    </section>
  );
}
