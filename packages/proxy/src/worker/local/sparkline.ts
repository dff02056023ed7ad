// The graph of LATENCY GRAPH: samples as columns of characters, with how long ago each was below it. Source: sparkline.c and latency.c of Redis.

const COLUMNS_MAX = 80;
const ROWS = 4;
/** From low to high within a row. */
const LEVELS = '_o#';

/** Samples: Unix time in seconds and a value, oldest first. */
export function sparkline(samples: readonly (readonly [time: number, value: number])[], now = Math.floor(Date.now() / 1000)): string {
  const shown = samples.slice(-COLUMNS_MAX);
  const values = shown.map(([, value]) => value);
  const low = Math.min(...values);
  const range = Math.max(Math.max(...values) - low, 1);
  const heights = values.map((value) => Math.floor(((value - low) * (ROWS * LEVELS.length - 1)) / range));
  const lines: string[] = [];
  for (let row = ROWS - 1; row >= 0; row--) {
    const cells = heights.map((height) => cell(height - row * LEVELS.length));
    lines.push(cells.join(''));
  }
  const labels = shown.map(([time]) => ago(now - time));
  const depth = Math.max(...labels.map((label) => label.length));
  for (let at = 0; at < depth; at++) lines.push(labels.map((label) => label[at] ?? ' ').join(''));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

function cell(level: number): string {
  if (level >= LEVELS.length) return '|';
  return LEVELS[level] ?? ' ';
}

function ago(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
