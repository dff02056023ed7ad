// The charts of the overview.

import { Chart, type Line } from '../components/chart.tsx';
import { bytes, compact, duration } from '../lib/format.ts';
import { history, RANGES, range } from '../state/history.ts';
import { to } from '../state/router.ts';

const OPS: readonly Line[] = [{ name: 'opsPerSecond', label: 'requests', colour: '--accent' }];
const ERRORS: readonly Line[] = [{ name: 'errorsPerSecond', label: 'errors', colour: '--error' }];
const LATENCY: readonly Line[] = [
  { name: 'p50Ms', label: 'p50', colour: '--group-3' },
  { name: 'p95Ms', label: 'p95', colour: '--group-1', dash: [6, 3] },
  { name: 'p99Ms', label: 'p99', colour: '--group-4', dash: [2, 3] },
];
const SESSIONS: readonly Line[] = [{ name: 'sessions', label: 'sessions', colour: '--accent' }];
const MEMORY: readonly Line[] = [{ name: 'usedMemoryBytes', label: 'memory', colour: '--accent' }];
const KEYS: readonly Line[] = [{ name: 'keysCount', label: 'keys', colour: '--accent' }];

export function Charts() {
  return (
    <section aria-label="Charts">
      <div class="toolbar">
        <h2>Lately</h2>
        <span class="spring" />
        <fieldset class="segments">
          <legend class="visually-hidden">Range of time</legend>
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
              <span>{name.replace('m', ' min').replace('h', ' h')}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="charts">
        <Chart title="Requests per second" lines={OPS} format={compact} />
        <Chart title="Errors per second" lines={ERRORS} format={compact} />
        <Chart title="Latency" lines={LATENCY} format={duration} />
        <Chart title="Sessions" lines={SESSIONS} format={compact} />
        <Chart title="Memory of masters" lines={MEMORY} format={bytes} />
        <Chart title="Keys" lines={KEYS} format={compact} />
      </div>
      <p class="hint">
        {history.value === null ? '' : `A point every ${duration(history.value.stepSeconds * 1000)}. `}Kept by this dashboard since it
        started. Dashed lines are <a href={to('events')}>events</a>.
      </p>
    </section>
  );
}
