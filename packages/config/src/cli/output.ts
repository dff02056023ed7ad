// What codis-config prints: answers to stdout, as tables for people, as JSON, YAML, CSV or names for programs; notes to stderr. No colour, no wrapping.

import { unreachable } from '../model/index.ts';
import { jsonText, yamlText } from './data-text.ts';

export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export interface Table {
  readonly head: readonly string[];
  /** Null: not known. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** One answer in all its shapes. */
export interface Answer {
  /** Printed as it is for `-o json` and `-o yaml`: what the API answered. */
  readonly json: unknown;
  /** Stands above the table. */
  readonly headline?: string;
  /** A table, or a sentence. */
  readonly table: Table | string;
  /** With every column there is, for `-o wide` and `-o csv`, where `table` leaves some out or is text. */
  readonly wide?: Table;
  /** What it is about, one per line, for `-o name`. */
  readonly names: readonly (string | number)[];
  readonly notes?: readonly string[];
}

/** `answer` as `format`, with a newline at the end unless it is empty. */
export function render(answer: Answer, format: Format): string {
  switch (format) {
    case 'json':
      return jsonText(answer.json);
    case 'yaml':
      return yamlText(answer.json);
    case 'name':
      return answer.names.map((name) => `${oneLine(String(name))}\n`).join('');
    case 'csv':
      return renderCsv(answer.wide ?? asTable(answer.table));
    case 'wide':
      return renderText(answer, answer.wide ?? answer.table);
    case 'table':
      return renderText(answer, answer.table);
    default:
      return unreachable(format);
  }
}

/** Whether it is for people: it may have more than one answer in it, and sentences. */
export function isText(format: Format): boolean {
  return format === 'table' || format === 'wide';
}

/** Whether every column is shown. */
export function showsAll(format: Format): boolean {
  return format === 'wide' || format === 'csv';
}

function renderText({ headline }: Answer, table: Table | string): string {
  const body = typeof table === 'string' ? `${tameText(table)}\n` : renderTable(table);
  return headline === undefined ? body : `${tameText(headline)}\n\n${body}`;
}

function asTable(table: Table | string): Table {
  return typeof table === 'string' ? { head: ['RESULT'], rows: [[table]] } : table;
}

export function renderTable({ head, rows }: Table): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : oneLine(String(cell)))))];
  const numeric = head.map((_, column) => rows.some((row) => row[column] !== null) && rows.every((row) => isNumeric(row[column])));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join('  ');
  return cells.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** A number, or an amount with its unit. */
function isNumeric(cell: string | number | null | undefined): boolean {
  return cell === null || typeof cell === 'number' || /^[\d./]+ [KMGT]?i?B$/.test(cell ?? '');
}

/** RFC 4180, but that lines end with a plain newline. What is not known is empty. */
function renderCsv({ head, rows }: Table): string {
  const field = (cell: string | number | null) => {
    const text = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const names = head.map((name) => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_'));
  return [names, ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

/** A value from elsewhere can't break the table, nor the terminal: no control characters, none that turn the direction of writing. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
}

/** As `oneLine`, but lines stay lines. */
export function tameText(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}
