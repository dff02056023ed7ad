// A value that may not be known: then it is a dash that says why.

import { ago, time, UNKNOWN } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { t } from '../lib/words.ts';
import { now } from '../state/live.ts';

/** `why`: a constant, or what the dashboard says. Both are English, and said in the language of the page here. */
export function Value({ text, why }: { text: string; why: string }) {
  if (text !== UNKNOWN) return <>{text}</>;
  const said = told(why) ?? t(why);
  return (
    <span class="unknown" title={said} lang={said === why ? 'en' : undefined}>
      {UNKNOWN}
      <span class="visually-hidden"> {t('not known: {why}', { why: said })}</span>
    </span>
  );
}

/** A time of day, with the whole of it in UTC on hover. */
export function Time({ at }: { at: string | null }) {
  if (at === null) return <Value text={UNKNOWN} why={t('it has not happened')} />;
  return (
    <time dateTime={at} title={at}>
      {time(at)}
    </time>
  );
}

/** How long ago something was. */
export function Ago({ at }: { at: string | null }) {
  if (at === null) return <Value text={UNKNOWN} why={t('it has not happened')} />;
  return (
    <time dateTime={at} title={at}>
      {ago(at, now.value)}
    </time>
  );
}

/** A bar with what it means in words beside it. */
export function Meter({ value, max, label, text }: { value: number | null; max: number; label: string; text: string }) {
  if (value === null || max <= 0) return <Value text={UNKNOWN} why={t('{label} is not known', { label })} />;
  const share = value / max;
  const level = share > 0.9 ? 'error' : share > 0.8 ? 'warn' : 'ok';
  return (
    <span class="meter">
      <meter class={level} min={0} max={max} value={Math.min(value, max)} aria-label={label}>
        {text}
      </meter>
      <span class="meter-text">{text}</span>
    </span>
  );
}
