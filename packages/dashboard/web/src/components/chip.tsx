// A state as icon, word and shape: never by colour alone.

import { t } from '../lib/words.ts';

export type Level = 'ok' | 'warn' | 'error' | 'unknown' | 'busy' | 'idle';

const ICONS: Record<Level, string> = {
  ok: 'M2.5 6.5l2.5 2.5 5-5.5',
  warn: 'M6 1.5L11 10.5H1zM6 5v2.5M6 9v.2',
  error: 'M3 3l6 6M9 3l-6 6',
  unknown: 'M4 4.5a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1M6 9.3v.2',
  idle: 'M3 6h6',
  busy: 'M2 6h8M7.5 3.5L10 6 7.5 8.5',
};

export function Icon({ level }: { level: Level }) {
  return (
    <svg class={`icon ${level}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={ICONS[level]} />
    </svg>
  );
}

/** `word`: English, and translated here. */
export function Chip({ level, word, title }: { level: Level; word: string; title?: string | undefined }) {
  return (
    <span class={`chip ${level}`} title={title}>
      <Icon level={level} />
      {t(word)}
    </span>
  );
}

/** A group's colour and texture, with its number beside it. */
export function GroupMark({ group }: { group: number }) {
  return (
    <span class="group-mark">
      <span class={`swatch ${lookClass(group)}`} aria-hidden="true" />
      {t('group {id}', { id: group })}
    </span>
  );
}

/** The classes that paint something as a group's. */
export function lookClass(group: number): string {
  return `hue-${group % 8} texture-${Math.floor((group - 1) / 8) % 3}`;
}
