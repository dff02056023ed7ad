// Numbers and times as a person reads them. What is not known is said to be, never shown as 0.

import { inNumber, locale, msg, t } from './words.ts';

export const UNKNOWN = '—';

type Maybe = number | null | undefined;

/** 1234567 → `1,234,567`. */
export function count(value: Maybe): string {
  return value === null || value === undefined ? UNKNOWN : Math.round(value).toLocaleString(locale());
}

/** 183204 → `183k`: where there is room for four characters. */
export function compact(value: Maybe): string {
  if (value === null || value === undefined) return UNKNOWN;
  const units = ['', 'k', 'M', 'G', 'T'];
  let scaled = Math.abs(value);
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = unit === 0 ? (scaled < 10 && !Number.isInteger(scaled) ? 1 : 0) : scaled < 9.95 ? 1 : 0;
  return `${value < 0 ? '-' : ''}${scaled.toFixed(digits)}${units[unit]}`;
}

/** 1536 → `1.5 KiB`. */
export function bytes(value: Maybe): string {
  if (value === null || value === undefined) return UNKNOWN;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = Math.abs(value);
  let unit = 0;
  while (scaled >= 1023.5 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${value < 0 ? '-' : ''}${scaled.toFixed(unit > 0 && scaled < 99.5 ? 1 : 0)} ${units[unit]}`;
}

/** A rate: `1.2k/s`. */
export function rate(value: Maybe, unit = ''): string {
  return value === null || value === undefined ? UNKNOWN : t(unit === '' ? '{n}/s' : `{n} ${unit}/s`, { n: compact(value) });
}

export function percent(value: Maybe): string {
  if (value === null || value === undefined) return UNKNOWN;
  return value > 0 && value < 1 ? '<1 %' : `${Math.round(value)} %`;
}

/** 3723000 → `1 h 2 min`; the two largest units. */
export function duration(ms: Maybe): string {
  if (ms === null || ms === undefined) return UNKNOWN;
  if (ms === 0) return t('{n} s', { n: 0 });
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1000);
  const parts = [
    { value: Math.floor(seconds / 86_400), unit: msg('{n} d') },
    { value: Math.floor(seconds / 3600) % 24, unit: msg('{n} h') },
    { value: Math.floor(seconds / 60) % 60, unit: msg('{n} min') },
    { value: seconds % 60, unit: msg('{n} s') },
  ];
  const first = parts.findIndex(({ value }) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(({ value }) => value > 0)
    .map(({ value, unit }) => t(unit, { n: value }))
    .join(' ');
}

/** `04:23:09`, with the day before it when that is another one than today's. */
export function time(iso: string | null | undefined, now: Date = new Date()): string {
  if (iso === null || iso === undefined) return UNKNOWN;
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return UNKNOWN;
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  return at.toDateString() === now.toDateString() ? clock : `${day(at)} ${clock}`;
}

function day(at: Date): string {
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
}

/** How long ago: `12 s ago`. */
export function ago(iso: string | null | undefined, nowMs: number): string {
  if (iso === null || iso === undefined) return UNKNOWN;
  const ms = nowMs - Date.parse(iso);
  return Number.isNaN(ms) ? UNKNOWN : ms < 1000 ? t('just now') : t('{duration} ago', { duration: duration(ms) });
}

/** `3 slots`; in a catalogue it is `{n} slot`. */
export function plural(value: number, thing: string): string {
  return t(inNumber(`{n} ${thing}`, value), { n: count(value) });
}

/** With a capital at its beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Text of unknown origin on one line: control characters and what turns text round are shown as escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** An argument as a shell takes it literally. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
