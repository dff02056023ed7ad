// The charts of the overview.

import { Chart, type Line } from '../components/chart.tsx';
import { Said } from '../components/said.tsx';
import { Time } from '../components/value.tsx';
import { bytes, compact, duration, plural, printable } from '../lib/format.ts';
import { RANGE_SECONDS } from '../lib/history.ts';
import { msg, t } from '../lib/words.ts';
import { history, RANGES, range } from '../state/history.ts';
import { to } from '../state/router.ts';

const OPS: readonly Line[] = [{ name: 'opsPerSecond', label: msg('requests'), colour: '--accent' }];
const ERRORS: readonly Line[] = [{ name: 'errorsPerSecond', label: msg('errors'), colour: '--error' }];
const LATENCY: readonly Line[] = [
  { name: 'p50Ms', label: 'p50', colour: '--group-3' },
  { name: 'p95Ms', label: 'p95', colour: '--group-1', dash: [6, 3] },
  { name: 'p99Ms', label: 'p99', colour: '--group-4', dash: [2, 3] },
];
const SESSIONS: readonly Line[] = [{ name: 'sessions', label: msg('sessions'), colour: '--accent' }];
const MEMORY: readonly Line[] = [{ name: 'usedMemoryBytes', label: msg('memory'), colour: '--accent' }];
const KEYS: readonly Line[] = [{ name: 'keysCount', label: msg('keys'), colour: '--accent' }];

export function Charts() {
  return (
    <section aria-label={t('Charts')}>
      <div class="toolbar">
        <h2>{t('Lately')}</h2>
        <span class="spring" />
        <fieldset class="segments">
          <legend class="visually-hidden">{t('Range of time')}</legend>
          {RANGES.map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="range"
                checked={range.value === name}
                onChange={() => {
                  range.value = name;
                }}
              />
              <span>{t(name.endsWith('m') ? '{n} min' : '{n} h', { n: Number.parseInt(name, 10) })}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="charts">
        <Chart title={t('Requests per second')} lines={OPS} format={compact} />
        <Chart title={t('Errors per second')} lines={ERRORS} format={compact} />
        <Chart title={t('Latency')} lines={LATENCY} format={duration} />
        <Chart title={t('Sessions')} lines={SESSIONS} format={compact} />
        <Chart title={t('Memory of masters')} lines={MEMORY} format={bytes} />
        <Chart title={t('Keys')} lines={KEYS} format={compact} />
      </div>
      <p class="hint">
        {history.value === null ? '' : t('A point every {step}. ', { step: duration(history.value.stepSeconds * 1000) })}
        {t('Kept by this dashboard since it started. Dashed lines are what happened.')}
      </p>
      <Happened />
    </section>
  );
}

const HAPPENED_MAX = 50;

/** The dashed lines in words, newest first. */
function Happened() {
  const current = history.value;
  const last = current?.times.at(-1);
  if (current === null || last === undefined) return null;
  const shown = current.markers.filter(({ time }) => time > last - RANGE_SECONDS[current.range]).reverse();
  return (
    <details class="runs">
      <summary>{t('What happened in this time ({lines})', { lines: plural(shown.length, 'line') })}</summary>
      {shown.slice(0, HAPPENED_MAX).map(({ time, text, event }) => (
        <p key={`${time} ${event} ${text}`}>
          <Time at={new Date(time * 1000).toISOString()} />{' '}
          {event === null ? t('alert') : <a href={to('events', event)}>{t('event {id}', { id: event })}</a>}:{' '}
          <Said text={printable(text)} />
        </p>
      ))}
      <p>
        <a href={to('events')}>{t('All events')}</a>
      </p>
    </details>
  );
}
