// What people said to alerts: acknowledged, or to be silent for a while. Kept in the coordinator, so that every dashboard knows it; the alerts themselves are found by each anew.

import { type Coordinator, PATHS } from '../coordinator/index.ts';
import { CodisError } from '../model/index.ts';
import type { Caller } from './caller.ts';
import { commitAudited } from './commit.ts';
import type { EventText } from './event-text.ts';

/** Notes older than this are dropped when another is made: their alerts are long over, or will be noted again. */
const KEPT_MS = 30 * 86_400_000;

/** Of one alert. Times are ISO 8601. */
export interface AlertNote {
  readonly acknowledgedBy: string | null;
  /** An alert that fires again after it was acknowledged is news. */
  readonly acknowledgedAt: string | null;
  readonly silencedUntil: string | null;
  readonly notedAt: string;
}

export type AlertNotes = ReadonlyMap<string, AlertNote>;

/** By alert. Throws CODIS_E_COORDINATOR_CORRUPT. */
export async function readAlertNotes(coordinator: Coordinator): Promise<AlertNotes> {
  const entry = await coordinator.read(PATHS.alerts);
  return entry ? decode(entry.data) : new Map();
}

export function acknowledgeAlert(caller: Caller, { id }: { id: string }): Promise<AlertNotes> {
  const event = { action: 'alert.acknowledge', object: `alert ${id}`, epoch: null } as const;
  const told = ({ acknowledgedBy }: AlertNote) => (acknowledgedBy === null ? 'not acknowledged' : 'acknowledged');
  return note(caller, { id, event, told }, (known, now) => ({ ...known, acknowledgedBy: caller.actor, acknowledgedAt: now, notedAt: now }));
}

/** For so many minutes from now on; 0 ends a silence. */
export function silenceAlert(caller: Caller, { id, minutes }: { id: string; minutes: number }): Promise<AlertNotes> {
  const object = minutes === 0 ? `alert ${id}: no more` : `alert ${id} for ${minutes} minutes`;
  const event = { action: 'alert.silence', object, epoch: null } as const;
  const told = ({ silencedUntil }: AlertNote) => (silencedUntil === null ? 'heard' : `silent until ${silencedUntil}`);
  return note(caller, { id, event, told }, (known, now) => ({
    ...known,
    silencedUntil: minutes === 0 ? null : new Date(Date.parse(now) + minutes * 60_000).toISOString(),
    notedAt: now,
  }));
}

const NONE: AlertNote = { acknowledgedBy: null, acknowledgedAt: null, silencedUntil: null, notedAt: '' };

interface Noted {
  readonly id: string;
  readonly event: Pick<EventText, 'action' | 'object' | 'epoch'>;
  /** What of a note is changed, in words. */
  told(note: AlertNote): string;
}

function note(caller: Caller, { id, event, told }: Noted, change: (known: AlertNote, now: string) => AlertNote): Promise<AlertNotes> {
  return commitAudited(caller, async () => {
    const now = new Date().toISOString();
    const entry = await caller.coordinator.read(PATHS.alerts);
    const known = entry ? decode(entry.data) : new Map<string, AlertNote>();
    const kept = [...known].filter(([, { notedAt }]) => Date.parse(now) - Date.parse(notedAt) < KEPT_MS);
    const before = known.get(id) ?? NONE;
    const after = change(before, now);
    const notes = new Map([...kept, [id, after]]);
    const data = Buffer.from(JSON.stringify(Object.fromEntries(notes)));
    return {
      ops: [entry ? { op: 'set', path: PATHS.alerts, data, version: entry.version } : { op: 'create', path: PATHS.alerts, data }],
      event: { ...event, before: told(before), after: told(after) },
      value: notes,
    };
  });
}

function decode(data: Uint8Array): Map<string, AlertNote> {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, Partial<AlertNote>>;
    return new Map(
      Object.entries(value).map(([id, { acknowledgedBy, acknowledgedAt, silencedUntil, notedAt }]) => [
        id,
        {
          acknowledgedBy: textOrNull(acknowledgedBy),
          acknowledgedAt: textOrNull(acknowledgedAt),
          silencedUntil: textOrNull(silencedUntil),
          notedAt: textOrNull(notedAt) ?? '',
        },
      ]),
    );
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `the notes on alerts can't be read: ${(cause as Error).message}`, { cause });
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
