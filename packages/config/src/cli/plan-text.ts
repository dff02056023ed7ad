// A plan as codis-config shows it: a table of what moves, then in notes what it would cost and what to think about.

import type {
  BigKeyView,
  MoveDifferenceView,
  PlanDiffView,
  PlannedGroupView,
  PlannedMoveView,
  PlanSummaryView,
  PlanView,
} from '../api/index.ts';
import { rangeText } from './commands/changes.ts';
import type { Answer, Table } from './output.ts';
import { bytesText, durationText } from './units.ts';

/** `previewed`: what can be done with it now is somebody else's to say. */
export function planAnswer(plan: PlanView, { previewed = false } = {}): Answer {
  return {
    json: plan,
    headline: `plan ${plan.id}: ${plan.goal} (${plan.state}, epoch ${plan.epoch}, made ${plan.createdAt})`,
    table: plan.moves.length === 0 ? 'nothing to move' : movesTable(plan.moves),
    wide: runsTable(plan.moves),
    names: [plan.id],
    notes: [...planNotes(plan), ...(previewed ? [] : nextNotes(plan))],
  };
}

/** A plan that was worked out and not kept. */
export function previewAnswer(plan: PlanView): Answer {
  const answer = planAnswer(plan, { previewed: true });
  return { ...answer, headline: `dry run: nothing was changed; the plan would be: ${plan.goal} (epoch ${plan.epoch})`, names: [] };
}

export function diffAnswer(diff: PlanDiffView): Answer {
  const { id, goal, state, epoch, currentEpoch, changes, differences, obstacle } = diff;
  const same = obstacle === null ? 'a plan made now would move the same slots' : 'the same can’t be planned now';
  return {
    json: diff,
    headline: `plan ${id}: ${goal} (${state}, made at epoch ${epoch}, now ${currentEpoch})`,
    table: differences.length === 0 ? same : differencesTable(differences),
    wide: differencesTable(differences),
    names: differences.map(({ first, last }) => rangeText(first, last)),
    notes: [...changes.map((change) => `changed since: ${change}`), ...(obstacle === null ? [] : [`a new plan is refused: ${obstacle}`])],
  };
}

function differencesTable(differences: readonly MoveDifferenceView[]): Table {
  return {
    head: ['SLOTS', 'COUNT', 'AT', 'PLANNED', 'NOW'],
    rows: differences.map(({ first, last, from, planned, now }) => [
      rangeText(first, last),
      last - first + 1,
      from,
      planned ?? 'stay',
      now ?? 'stay',
    ]),
  };
}

/** One row for each pair of groups. */
function movesTable(moves: readonly PlannedMoveView[]): Table {
  const pairs = new Map<string, PlannedMoveView[]>();
  for (const move of moves) pairs.set(`${move.from} ${move.to}`, [...(pairs.get(`${move.from} ${move.to}`) ?? []), move]);
  const rows = [...pairs.values()].map((runs) => [
    runs[0]?.from ?? null,
    runs[0]?.to ?? null,
    runs.reduce((count, { first, last }) => count + last - first + 1, 0),
    sum(runs.map(({ keysCount }) => keysCount)),
    sum(runs.map(({ bytes }) => bytes)),
    runs.map(({ first, last }) => rangeText(first, last)).join(','),
  ]);
  return { head: ['FROM', 'TO', 'COUNT', 'KEYS', 'BYTES', 'SLOTS'], rows };
}

/** One row for each run of slots. */
function runsTable(moves: readonly PlannedMoveView[]): Table {
  return {
    head: ['FROM', 'TO', 'FIRST', 'LAST', 'COUNT', 'KEYS', 'BYTES'],
    rows: moves.map(({ from, to, first, last, keysCount, bytes }) => [from, to, first, last, last - first + 1, keysCount, bytes]),
  };
}

function sum(parts: readonly (number | null)[]): number | null {
  return parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);
}

function planNotes(plan: PlanView): string[] {
  const warnings = plan.warnings.map((warning) => `warning: ${warning}`);
  if (plan.moves.length === 0) return warnings;
  const [biggest] = plan.biggestKeys;
  const { balance } = plan;
  return [
    `${plan.slotsCount} slots, ${known(plan.keysCount, (count) => `about ${count} ${count === 1 ? 'key' : 'keys'}`, 'an unknown number of keys')}, ${known(plan.bytes, bytesText, 'an unknown number of bytes')}, ${known(plan.durationMs, durationText, 'an unknown time')}`,
    ...plan.groups.map(groupText),
    ...(balance === null ? [] : [`balance: ${balance.before} % → ${balance.after} % of everything is where an even spread has it`]),
    ...(biggest
      ? [
          `largest key seen: ${biggest.key} in slot ${biggest.slot}, database ${biggest.db}, about ${bytesText(biggest.bytes)}; ${blockingText(biggest)}`,
        ]
      : []),
    ...plan.basis.map((basis) => `estimated: ${basis}`),
    ...warnings,
  ];
}

function nextNotes({ id, state, migration, moves }: PlanView): string[] {
  if (state === 'applied') return [`migration ${migration} carries it out; watch it with: codis-config migration watch ${migration}`];
  if (state === 'stale') return ['the topology has changed since, so it can’t be applied any more; make a new one'];
  return moves.length === 0 ? [] : [`carry it out with: codis-config plan apply ${id}`];
}

function groupText({ group, slotsBefore, slotsAfter, memoryBytes, memoryAfterBytes, maxMemoryBytes }: PlannedGroupView): string {
  const slots = `group ${group}: ${slotsBefore} → ${slotsAfter} slots`;
  if (memoryBytes === null) return `${slots}, memory unknown`;
  const limit = maxMemoryBytes ? ` of ${bytesText(maxMemoryBytes)}${headroomText(memoryAfterBytes, maxMemoryBytes)}` : ', no limit';
  return `${slots}, memory ${bytesText(memoryBytes)} → ${known(memoryAfterBytes, bytesText, 'unknown')}${limit}`;
}

function headroomText(used: number | null, max: number): string {
  if (used === null) return '';
  return used > max ? `, ${bytesText(used - max)} too much` : `, ${bytesText(max - used)} left`;
}

/** `blocks its server for about 40 ms`. */
function blockingText({ inPieces, blockingMs }: BigKeyView): string {
  if (inPieces) return `it moves in pieces, and who writes it waits for about ${blockingMs} ms`;
  return `moving it blocks its server for about ${blockingMs} ms`;
}

function known(value: number | null, text: (value: number) => string, unknown: string): string {
  return value === null ? unknown : text(value);
}

export function plansTable(plans: readonly PlanSummaryView[]): Table {
  return {
    head: ['ID', 'STATE', 'GOAL', 'EPOCH', 'SLOTS', 'KEYS', 'BYTES', 'MIGRATION', 'CREATED', 'BY'],
    rows: plans.map(({ id, state, goal, epoch, slotsCount, keysCount, bytes, migration, createdAt, actor }) => [
      id,
      state,
      goal,
      epoch,
      slotsCount,
      keysCount,
      bytes,
      migration,
      createdAt,
      actor,
    ]),
  };
}
