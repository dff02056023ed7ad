// The audit log: who changed what, when. One event per change, written in the same commit as the change, so neither exists without the other.
//
// Invariant: sequence numbers only go up. The log is capped: a commit that adds an event past EVENTS_MAX drops the oldest ones.

import { type Coordinator, eventPath, type Op, PATHS } from '../coordinator/index.ts';
import { CodisError } from '../model/index.ts';
import type { EventText, EventVia } from './event-text.ts';

/** How many events are kept. */
export const EVENTS_MAX = 10_000;
/** How many of the oldest one commit drops: more than it adds, so a cap that was lowered is reached in the end. */
const DROPPED_MAX = 10;

/** `events/<seq>`. */
export interface AuditEvent extends EventText {
  /** Unique, made by the caller before it writes: how it finds out whether a write of unknown outcome was made. */
  readonly id: string;
  readonly actor: string;
  readonly via: EventVia;
  /** Null for what the cluster did by itself. */
  readonly ip: string | null;
  /** ISO 8601. */
  readonly at: string;
}

export interface NumberedEvent extends AuditEvent {
  readonly seq: number;
}

/** The steps that add `event` to a commit, at a sequence number that was free when this was called: the commit is refused with `exists`
 *  when it no longer is. */
export async function eventOps(coordinator: Coordinator, event: AuditEvent, eventsMax = EVENTS_MAX): Promise<{ seq: number; ops: Op[] }> {
  const names = await coordinator.list(PATHS.events);
  const seq = Number(names.at(-1) ?? 0) + 1;
  const ops: Op[] = [{ op: 'create', path: eventPath(seq), data: Buffer.from(JSON.stringify(event)) }];
  const excess = Math.min(names.length + 1 - eventsMax, DROPPED_MAX);
  for (const name of names.slice(0, Math.max(excess, 0))) ops.push({ op: 'delete', path: `${PATHS.events}/${name}` });
  return { seq, ops };
}

export interface EventRange {
  /** Only events with a higher number. */
  readonly after?: number | undefined;
  /** Only events with a lower one. */
  readonly before?: number | undefined;
  readonly limit?: number;
}

/** Newest first. */
export interface EventPage {
  readonly events: readonly NumberedEvent[];
  /** The `before` with which the next page is asked for; null when there is nothing older in the range. */
  readonly older: number | null;
}

/** The newest events of a range. */
export async function readEventPage(coordinator: Coordinator, { after = 0, before, limit = 100 }: EventRange): Promise<EventPage> {
  const numbers = (await coordinator.list(PATHS.events)).map(Number).filter((seq) => seq > after && (before === undefined || seq < before));
  const page = numbers.slice(-limit);
  const events = await Promise.all(page.map((seq) => readEvent(coordinator, seq)));
  const older = page.length < numbers.length ? (page[0] ?? null) : null;
  return { events: events.filter((event) => event !== null).reverse(), older };
}

/** The newest events of a range, newest first. */
export async function listEvents(coordinator: Coordinator, range: EventRange = {}): Promise<readonly NumberedEvent[]> {
  return (await readEventPage(coordinator, range)).events;
}

/** Null when there is none, or none any more. Throws CODIS_E_COORDINATOR_CORRUPT. */
export async function readEvent(coordinator: Coordinator, seq: number): Promise<NumberedEvent | null> {
  const entry = await coordinator.read(eventPath(seq));
  return entry && { seq, ...decodeEvent(entry.data) };
}

type StoredEvent = Omit<AuditEvent, 'via' | 'ip' | 'before' | 'after'> & Partial<Pick<AuditEvent, 'via' | 'ip' | 'before' | 'after'>>;

function decodeEvent(data: Uint8Array): AuditEvent {
  try {
    const { id, actor, at, action, object, epoch, via, ip, before, after, ...rest } = JSON.parse(
      Buffer.from(data).toString('utf8'),
    ) as StoredEvent;
    for (const text of [id, actor, at, action, object]) if (typeof text !== 'string') throw new TypeError('a field is missing');
    // Events of an earlier version say less.
    const origin = { via: via ?? 'claimed', ip: ip ?? null };
    const change = { before: before ?? null, after: after ?? null, denied: rest.denied, failed: rest.failed };
    return { id, actor, ...origin, at, action, object, epoch: epoch === null ? null : Number(epoch), ...change };
  } catch (cause) {
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', `an event can't be read: ${(cause as Error).message}`, { cause });
  }
}
