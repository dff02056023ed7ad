// What the contract suite needs of a driver's store, and the bench each test works on.

import { onTestFinished } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import type { CommitResult, Coordinator, Entry, Op, Refusal, SessionId, SessionState } from '../../../src/coordinator/coordinator.ts';

/** A real store, and the faults that can be brought upon it. */
export interface CoordinatorEnvironment {
  /** A new session of the same store, connected. The environment closes what the test has not. */
  connect(product: string): Promise<Coordinator>;
  /** Ends the session as if its process had died; `coordinator` itself lives on and has to find out. */
  killSession(coordinator: Coordinator): Promise<void>;
  /** Makes the store unreachable for every connection, without ending sessions; `resume` undoes it. Absent where a driver's store can't be cut off. */
  readonly outage?: { suspend(): Promise<void>; resume(): Promise<void> };
  /** The session timeout of its connections. */
  readonly sessionTimeoutMs: number;
  close(): Promise<void>;
}

let productCount = 0;

/** The environment, once it is there, and connections that end with the test they were made in. */
export class Bench {
  #environment: CoordinatorEnvironment | undefined;

  use(environment: CoordinatorEnvironment): void {
    this.#environment = environment;
  }

  get environment(): CoordinatorEnvironment {
    if (!this.#environment) throw new Error('the environment is made in beforeAll; use it inside tests only');
    return this.#environment;
  }

  /** A product that no other test uses. */
  product(): string {
    return `contract-${process.pid}-${++productCount}`;
  }

  async connect(product: string): Promise<Coordinator> {
    const coordinator = await this.environment.connect(product);
    onTestFinished(() => coordinator.close());
    return coordinator;
  }

  /** `count` sessions of one new product. */
  async sessions(count: number): Promise<[Coordinator, ...Coordinator[]]> {
    const product = this.product();
    const first = await this.connect(product);
    const rest: Coordinator[] = [];
    while (rest.length < count - 1) rest.push(await this.connect(product));
    return [first, ...rest];
  }
}

export const bytes = (text: string): Buffer => Buffer.from(text);

export const create = (path: string, text = ''): Op => ({ op: 'create', path, data: bytes(text) });
export const createEphemeral = (path: string, text = ''): Op => ({ op: 'create', path, data: bytes(text), ephemeral: true });
export const set = (path: string, text: string, version?: number): Op =>
  version === undefined ? { op: 'set', path, data: bytes(text) } : { op: 'set', path, data: bytes(text), version };
export const remove = (path: string, version?: number): Op =>
  version === undefined ? { op: 'delete', path } : { op: 'delete', path, version };
export const check = (path: string, version: number): Op => ({ op: 'check', path, version });

/** Commits what must succeed; returns the versions. */
export async function committed(coordinator: Coordinator, ...ops: Op[]): Promise<readonly number[]> {
  const result: CommitResult = await coordinator.commit(ops);
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.refusal)}`);
  return result.versions;
}

/** Commits what must be refused; returns the refusal. */
export async function refused(coordinator: Coordinator, ...ops: Op[]): Promise<Refusal> {
  const result = await coordinator.commit(ops);
  if (result.ok) throw new Error(`not refused: ${JSON.stringify(ops.map(({ op, path }) => ({ op, path })))}`);
  return result.refusal;
}

/** An entry as a test compares it: the text and the version. */
export const seen = (entry: Entry | null): string | null => (entry ? `${entry.data.toString()}@${entry.version}` : null);

/** The connected session's id; fails in any other state. */
export function sessionOf(coordinator: Coordinator): SessionId {
  const state = coordinator.state;
  if (state.kind !== 'connected') throw new Error(`the state is ${state.kind}`);
  return state.session;
}

/** Everything a watch was told, oldest first. */
export class Told<T> {
  readonly values: T[] = [];
  readonly listener = (value: T): void => {
    this.values.push(value);
  };

  get last(): T | undefined {
    return this.values.at(-1);
  }

  /** Waits until the newest value satisfies `test`. */
  async until(what: string, test: (value: T) => boolean, timeoutMs = 10_000): Promise<void> {
    const satisfied = () => this.values.length > 0 && test(this.values.at(-1) as T);
    await eventually(satisfied, { what: `${what}; told so far: ${this.values.length}`, timeoutMs });
  }
}

/** The kinds of state that `coordinator` enters from now on. */
export function recordStates(coordinator: Coordinator): SessionState[] {
  const states: SessionState[] = [];
  coordinator.onState((state) => states.push(state));
  return states;
}
