// Results as Markdown: what a person reads, and what is kept in bench/results.

/** A table whose first column is text and whose others are numbers, all as they are to stand there. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) => Math.max(title.length, 4, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => pad(cell, column, widths)).join(' | ')} |\n`;
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return line(header) + line(rule) + rows.map(line).join('');
}

/** `12.3 (12.1–12.6)`. */
export function withSpread({ median, low, high }: { median: number; low: number; high: number }, digits: number): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

/** A list of facts, one to a line. */
export function renderFacts(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `- ${name}: ${value}\n`)
    .join('');
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0;
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
