// What a migration may take of the servers, in units a person thinks in. An empty field is no limit.

import type { ThrottleRequest, ThrottleView } from '@codis/config/api';
import { type Signal, signal } from '@preact/signals';
import { msg, t } from '../lib/words.ts';
import { Field, wholeNumber } from './field.tsx';

const MIB = 1024 * 1024;

export interface ThrottleForm {
  readonly keysPerSecond: Signal<string>;
  readonly mibPerSecond: Signal<string>;
  readonly addedP99Ms: Signal<string>;
  readonly sharePercent: Signal<string>;
  readonly delayMs: Signal<string>;
  readonly slotsAtOnce: Signal<string>;
  readonly window: Signal<string>;
}

const CHECKS = {
  keysPerSecond: wholeNumber(msg('Keys per second'), { min: 1, max: 1_000_000_000, optional: true }),
  mibPerSecond: wholeNumber(msg('MiB per second'), { min: 1, max: 100_000, optional: true }),
  addedP99Ms: wholeNumber(msg('The added latency'), { min: 1, max: 1000, optional: true }),
  sharePercent: wholeNumber(msg('The share'), { min: 1, max: 100, optional: true }),
  delayMs: wholeNumber(msg('The pause'), { min: 0, max: 60_000, optional: true }),
  slotsAtOnce: wholeNumber(msg('The number of slots'), { min: 1, max: 1024, optional: true }),
  window: windowProblem,
} satisfies Record<keyof ThrottleForm, (text: string) => string | null>;

function windowProblem(text: string): string | null {
  if (text.trim() === '') return null;
  const times = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)$/.exec(text.trim());
  if (times === null) return t('Write two times of day, like 00:00-07:00 or 22:30-06:00.');
  return times[1] === times[2]?.replace('24', '00') ? t('It begins when it ends; leave it empty for the whole day.') : null;
}

export function throttleForm(of?: ThrottleView): ThrottleForm {
  const text = (value: number | null | undefined) => signal(value === null || value === undefined ? '' : String(value));
  return {
    keysPerSecond: text(of?.keysPerSecond),
    mibPerSecond: text(of?.bytesPerSecond == null ? null : Math.max(1, Math.round(of.bytesPerSecond / MIB))),
    addedP99Ms: text(of?.addedP99Ms),
    sharePercent: text(of?.sharePercent),
    delayMs: text(of === undefined || of.delayMs === 0 ? null : of.delayMs),
    slotsAtOnce: text(of?.slotsAtOnce),
    window: signal(of?.window ?? ''),
  };
}

export function throttleProblem(form: ThrottleForm): string | null {
  for (const [name, check] of Object.entries(CHECKS)) {
    const problem = check(form[name as keyof ThrottleForm].value);
    if (problem !== null) return problem;
  }
  return null;
}

export function throttleRequest(form: ThrottleForm): ThrottleRequest {
  const number = ({ value }: Signal<string>) => (value.trim() === '' ? null : Number(value));
  const mib = number(form.mibPerSecond);
  return {
    delayMs: number(form.delayMs) ?? 0,
    keysPerSecond: number(form.keysPerSecond),
    bytesPerSecond: mib === null ? null : mib * MIB,
    addedP99Ms: number(form.addedP99Ms),
    sharePercent: number(form.sharePercent),
    slotsAtOnce: number(form.slotsAtOnce),
    window: form.window.value.trim() === '' ? null : form.window.value.trim(),
  };
}

/** As options of codis-config; those that are not said are `none` when it changes a migration that may have them. */
export function throttleOptions(form: ThrottleForm, { all }: { all: boolean }): string {
  const option = (name: string, { value }: Signal<string>, none: string) =>
    value.trim() !== '' ? ` --${name}=${value.trim()}` : all ? ` --${name}=${none}` : '';
  return [
    option('keys-per-second', form.keysPerSecond, 'none'),
    option('mb-per-second', form.mibPerSecond, 'none'),
    option('added-p99', form.addedP99Ms, 'none'),
    option('share', form.sharePercent, 'none'),
    option('delay', form.delayMs, '0'),
    option('slots-at-once', form.slotsAtOnce, 'none'),
    option('window', form.window, 'none'),
  ].join('');
}

export function ThrottleFields({ form }: { form: ThrottleForm }) {
  return (
    <div class="throttle">
      <Field
        label={t('Keys, at most')}
        unit={t('keys/s')}
        numeric
        value={form.keysPerSecond}
        check={CHECKS.keysPerSecond}
        placeholder={t('no limit')}
      />
      <Field
        label={t('Memory, at most')}
        unit="MiB/s"
        numeric
        value={form.mibPerSecond}
        check={CHECKS.mibPerSecond}
        placeholder={t('no limit')}
      />
      <Field label={t('Added to p99')} unit="ms" numeric value={form.addedP99Ms} check={CHECKS.addedP99Ms} placeholder={t('no limit')} />
      <Field
        label={t('Share of the source')}
        unit="%"
        numeric
        value={form.sharePercent}
        check={CHECKS.sharePercent}
        placeholder={t('what clients leave')}
      />
      <Field label={t('Pause between batches')} unit="ms" numeric value={form.delayMs} check={CHECKS.delayMs} placeholder={t('none')} />
      <Field label={t('Slots at once')} numeric value={form.slotsAtOnce} check={CHECKS.slotsAtOnce} placeholder={t('as many as is good')} />
      <Field label={t('Only between (the controller’s clock)')} value={form.window} check={CHECKS.window} placeholder="00:00-07:00" />
    </div>
  );
}
