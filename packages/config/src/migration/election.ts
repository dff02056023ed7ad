// Who is the controller. The ephemeral node `controller` says it to people and rivals; the persistent node `term` makes it binding: electing
// raises its version in the same commit, and every write of a controller checks that version. So of two processes that both believe they
// are elected (one of them frozen, cut off, or slow to hear) only the last one elected can write, whatever the other reads or assumes.

import { type CommitResult, type Coordinator, type Op, PATHS } from '../coordinator/index.ts';
import { CodisError } from '../model/index.ts';

/** One period of being elected. */
export interface Term {
  /** Counts the elections of the product. */
  readonly number: number;
  /** ISO 8601. */
  readonly since: string;
}

/** `controller` as it is stored. */
export interface ControllerRecord {
  readonly id: string;
  readonly pid: number;
}

/** Tries to become the controller; null while somebody else is. A session that is elected already gets a new term. */
export async function campaign(coordinator: Coordinator, me: ControllerRecord): Promise<Term | null> {
  const { state } = coordinator;
  if (state.kind !== 'connected') return null;
  const [elected, term] = await Promise.all([coordinator.read(PATHS.controller), coordinator.read(PATHS.term)]);
  if (elected && elected.owner !== state.session) return null;
  const data = Buffer.from(JSON.stringify(me));
  const result = await coordinator.commit([
    term ? { op: 'set', path: PATHS.term, data, version: term.version } : { op: 'create', path: PATHS.term, data },
    elected
      ? { op: 'check', path: PATHS.controller, version: elected.version }
      : { op: 'create', path: PATHS.controller, data, ephemeral: true },
  ]);
  const number = result.ok ? result.versions[0] : undefined;
  return number === undefined ? null : { number, since: new Date().toISOString() };
}

/** Commits `ops` if `term` is still the current one. Throws CODIS_E_CONFLICT when it is not: this controller was deposed. */
export async function commitInTerm(coordinator: Coordinator, term: Term, ops: readonly Op[]): Promise<CommitResult> {
  const result = await coordinator.commit([{ op: 'check', path: PATHS.term, version: term.number }, ...ops]);
  if (!result.ok && result.refusal.index === 0) {
    throw new CodisError('CODIS_E_CONFLICT', `another controller was elected after term ${term.number}`);
  }
  return result;
}

/** Gives the office up, so that the next one need not wait for the session to end. */
export async function resign(coordinator: Coordinator, term: Term): Promise<void> {
  await commitInTerm(coordinator, term, [{ op: 'delete', path: PATHS.controller }]);
}
