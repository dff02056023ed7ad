// Times of day between which a migration runs: `00:00-07:00`, `22:30-06:00` over midnight. The clock on the wall decides, whatever it jumps: so an hour that a change of the clock leaves out or
// repeats is simply not there, or there twice. Pure; whose clock it is the caller knows.

import { CodisError } from './errors.ts';

/** Minutes since midnight; `from` is in it, `to` is not. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

const FORM = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;

/** Throws CODIS_E_BAD_REQUEST for what is no window, or one that is never or always open. */
export function parseWindow(text: string): Window {
  const [match, fromHour, fromMinute, toHour = 0, toMinute = 0] = FORM.exec(text.trim()) ?? [];
  if (match === undefined) {
    throw new CodisError(
      'CODIS_E_BAD_REQUEST',
      `${JSON.stringify(text)} is no window: write two times of day, like 00:00-07:00 or 22:30-06:00`,
    );
  }
  const window = { from: Number(fromHour) * 60 + Number(fromMinute), to: Number(toHour) * 60 + Number(toMinute) };
  if (window.from === window.to) {
    throw new CodisError('CODIS_E_BAD_REQUEST', `the window ${text} begins when it ends; for the whole day leave it out, or say none`);
  }
  return window;
}

/** As `parseWindow` reads it: the one spelling of a window. */
export const windowText = ({ from, to }: Window): string => `${timeText(from)}-${timeText(to)}`;

/** `07:05`. */
export function timeText(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** Whether it is open at a minute of the day. */
export function isOpenAt({ from, to }: Window, minute: number): boolean {
  return from < to ? from <= minute && minute < to : from <= minute || minute < to;
}
