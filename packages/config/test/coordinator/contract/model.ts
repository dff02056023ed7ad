// Goal: no sequence of commits, from whatever sessions, ends in another result than the contract's words say. Method: random commits from
// three sessions run against the store and against a plain Map that implements those words in the most obvious way.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import type { CommitResult, Coordinator, Op, Refusal, SessionId } from '../../../src/coordinator/coordinator.ts';
import { type Bench, sessionOf } from './environment.ts';

const SESSIONS = 3;
const RUNS = 25;

export function modelContract(bench: Bench): void {
  describe('any history', () => {
    it('gives the results of a plain map, and leaves the tree of a plain map', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commitArbitrary, { minLength: 5, maxLength: 30 }), async (history) => {
          const sessions = await bench.sessions(SESSIONS);
          const model = new Model();
          for (const { by, ops } of history) {
            const session = sessions[by] as Coordinator;
            const expected = model.commit(ops, sessionOf(session));
            expect(await session.commit(ops)).toEqual(expected);
            for (const { path } of ops) expect(await session.read(path)).toEqual(model.nodes.get(path) ?? null);
          }
          for (const session of sessions) await expectTree(session, model);
          const [survivor, ...others] = sessions;
          for (const other of others) {
            model.end(sessionOf(other));
            await other.close();
          }
          await expectTree(survivor, model);
        }),
        { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
      );
    });
  });
}

/** Few names and few versions, so that histories meet themselves. */
const PATHS = ['a', 'b', 'a/x', 'a/y', 'b/x', 'a/x/deep'] as const;
const pathArbitrary = fc.constantFrom(...PATHS);
const dataArbitrary = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
const versionArbitrary = fc.nat({ max: 3 });
const opArbitrary: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('create' as const), path: pathArbitrary, data: dataArbitrary }) },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('create' as const), path: pathArbitrary, data: dataArbitrary, ephemeral: fc.constant(true) }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('set' as const), path: pathArbitrary, data: dataArbitrary }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('set' as const), path: pathArbitrary, data: dataArbitrary, version: versionArbitrary }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('delete' as const), path: pathArbitrary }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), path: pathArbitrary, version: versionArbitrary }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('check' as const), path: pathArbitrary, version: versionArbitrary }) },
);
const commitArbitrary = fc.record({ by: fc.nat({ max: SESSIONS - 1 }), ops: fc.array(opArbitrary, { minLength: 1, maxLength: 4 }) });

interface ModelNode {
  readonly data: Buffer;
  readonly version: number;
  readonly owner: SessionId | null;
}

class Model {
  nodes = new Map<string, ModelNode>();

  commit(ops: readonly Op[], session: SessionId): CommitResult {
    const next = new Map(this.nodes);
    const versions: number[] = [];
    for (const [index, op] of ops.entries()) {
      const done = step(next, op, session);
      if (typeof done === 'string') return { ok: false, refusal: { index, path: op.path, reason: done } };
      versions.push(done);
    }
    this.nodes = next;
    return { ok: true, versions };
  }

  end(session: SessionId): void {
    this.nodes = new Map([...this.nodes].filter(([, node]) => node.owner !== session));
  }

  list(parent: string): string[] {
    const above = parent === '' ? 0 : parent.split('/').length;
    const below = [...this.nodes.keys()].filter((path) => parent === '' || path.startsWith(`${parent}/`));
    return below
      .map((path) => path.split('/'))
      .filter((names) => names.length === above + 1)
      .map((names) => names.at(-1) as string)
      .sort();
  }
}

function step(nodes: Map<string, ModelNode>, op: Op, session: SessionId): number | Refusal['reason'] {
  const node = nodes.get(op.path);
  if (op.op === 'create') {
    const parent = op.path.includes('/') ? nodes.get(op.path.slice(0, op.path.lastIndexOf('/'))) : null;
    if (parent === undefined) return 'no-parent';
    if (node) return 'exists';
    if (parent?.owner) return 'ephemeral-parent';
    nodes.set(op.path, { data: op.data, version: 0, owner: op.ephemeral ? session : null });
    return 0;
  }
  if (!node) return 'missing';
  if (op.version !== undefined && op.version !== node.version) return 'version';
  if (op.op === 'check') return op.version;
  if (op.op === 'set') {
    nodes.set(op.path, { ...node, data: op.data, version: node.version + 1 });
    return node.version + 1;
  }
  if ([...nodes.keys()].some((path) => path.startsWith(`${op.path}/`))) return 'not-empty';
  nodes.delete(op.path);
  return -1;
}

/** A read may lag behind other sessions' commits, so this waits for each. */
async function expectTree(session: Coordinator, model: Model): Promise<void> {
  for (const path of PATHS) await settles(`${path} as in the model`, () => session.read(path), model.nodes.get(path) ?? null);
  for (const path of ['', ...PATHS]) await settles(`children of ${path} as in the model`, () => session.list(path), model.list(path));
}

async function settles<T>(what: string, probe: () => Promise<T>, expected: T): Promise<void> {
  const same = async () => {
    expect(await probe()).toEqual(expected);
    return true;
  };
  await eventually(same, { what, timeoutMs: 5000 });
}
