// What codis-config prints: answers to stdout, as a table for people, as JSON or names for programs; notes to stderr. No colour, no wrapping.

export const FORMATS = ['table', 'json', 'name'] as const;
export type Format = (typeof FORMATS)[number];

export interface Table {
  readonly head: readonly string[];
  /** Null: not known. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** One answer in its three shapes. */
export interface Answer {
  /** Printed as it is for `-o json`: what the API answered. */
  readonly json: unknown;
  /** Stands above the table. */
  readonly headline?: string;
  /** A table, or a sentence. */
  readonly table: Table | string;
  /** What it is about, one per line, for `-o name`. */
  readonly names: readonly (string | number)[];
  readonly notes?: readonly string[];
}

/** `answer` as `format`, with a newline at the end unless it is empty. */
export function render(answer: Answer, format: Format): string {
  if (format === 'json') return `${JSON.stringify(answer.json, null, 2)}\n`;
  if (format === 'name') return answer.names.map((name) => `${name}\n`).join('');
  const body = typeof answer.table === 'string' ? `${answer.table}\n` : renderTable(answer.table);
  return answer.headline === undefined ? body : `${answer.headline}\n\n${body}`;
}

function renderTable({ head, rows }: Table): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : oneLine(String(cell)))))];
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ');
  return cells.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** A value from elsewhere can't break the table, nor the terminal. */
export function oneLine(text: string): string {
  return Array.from(text, (char) => (char < ' ' || char === '\x7f' ? ' ' : char)).join('');
}
