// How far a migration is, as text: a line for a log, a block for a terminal.

import type { MigrationView } from '../api/index.ts';
import { rangeText } from './commands/changes.ts';
import { oneLine } from './output.ts';
import { throttleText } from './throttle.ts';
import { bytesOfText, bytesText, clockText, countText } from './units.ts';

const LINE_BAR = 20;
/** All of it fits into 80 columns, but for the retries. */
const BLOCK_BAR = 10;

/** `migration 3 [######....] 412/1024 slots  3.1M keys  1.9/4.6 GiB  88.0 MiB/s  ETA 00:00:31  retries 0  running`, and what it waits for. `bytesPerSecond`: null when it is not known. */
export function progressLine(migration: MigrationView, bytesPerSecond: number | null = null): string {
  return [
    `migration ${migration.id} ${amounts(migration, { bytesPerSecond, bar: LINE_BAR })}`,
    retriesText(migration),
    migration.state,
    ...troubles(migration),
  ].join('  ');
}

/** What is redrawn in place: no line of it is longer than `columns`. */
export function progressBlock(migration: MigrationView, bytesPerSecond: number | null, columns: number): string[] {
  const { id, moves, state, throttle, actor, comment } = migration;
  const what = moves.map(({ first, last, to }) => `${rangeText(first, last)}→${to}`).join(',');
  const far = amounts(migration, { bytesPerSecond, bar: BLOCK_BAR });
  const retries = retriesText(migration);
  const fits = far.length + 2 + retries.length <= columns;
  const lines = [
    `migration ${id} is ${state}: ${what}, by ${actor}${comment === null ? '' : ` (${comment})`}`,
    fits ? `${far}  ${retries}` : far,
    `${fits ? '' : `${retries}  `}throttle: ${throttleText(throttle)}`,
    ...troubles(migration),
  ];
  return lines.map((line) => oneLine(line).slice(0, columns));
}

function amounts(migration: MigrationView, { bytesPerSecond, bar }: { bytesPerSecond: number | null; bar: number }): string {
  const { slotsDone, slotsTotal, keysSwept, bytesSwept, keysLeft, keysPerSecond, secondsLeft, state } = migration;
  const filled = Math.floor(shareDone(migration) * bar);
  const whole = keysLeft === null || keysSwept === 0 ? null : (bytesSwept * (keysSwept + keysLeft)) / keysSwept;
  const runs = state === 'running';
  return [
    `[${'#'.repeat(filled).padEnd(bar, '.')}] ${slotsDone}/${slotsTotal} slots`,
    `${countText(keysSwept)} keys`,
    whole === null ? bytesText(bytesSwept) : bytesOfText(bytesSwept, whole),
    ...(runs && bytesPerSecond !== null ? [`${bytesText(bytesPerSecond)}/s`] : []),
    ...(runs && bytesPerSecond === null && keysPerSecond !== null ? [`${countText(keysPerSecond)} keys/s`] : []),
    ...(secondsLeft === null ? [] : [`ETA ${clockText(secondsLeft)}`]),
  ].join('  ');
}

const retriesText = ({ retries }: MigrationView) => `retries ${retries}`;

function troubles({ waiting, stalled }: MigrationView): string[] {
  return [
    ...(waiting === null ? [] : [`waiting: ${waiting}`]),
    ...(stalled === null ? [] : [`stalled since ${stalled.since}: ${stalled.reason}`]),
  ];
}

/** By keys, where it is known how many there are; slots arrive many at a time. */
function shareDone({ slotsDone, slotsTotal, keysSwept, keysLeft, state }: MigrationView): number {
  if (state === 'done' || slotsTotal === 0) return 1;
  const bySlots = slotsDone / slotsTotal;
  return keysLeft === null || keysSwept + keysLeft === 0 ? bySlots : Math.max(bySlots, keysSwept / (keysSwept + keysLeft));
}
