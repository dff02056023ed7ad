// A commit as a ZooKeeper transaction: how its steps are sent, and what the replies say of them.

import { CreateMode, type OpResult, type Transaction } from 'node-zookeeper-client';
import { CodisError, invariant } from '../../model/index.ts';
import type { CommitResult, Op, Refusal } from '../coordinator.ts';
import { CODES, ZookeeperFailure } from './replies.ts';

/** A server drops the connection, and with it every call under way, for a packet of 1 MiB or more; this leaves it some room. */
const PACKET_BYTES_MAX = 1_000_000;
/** What a step takes beside its path and value, at most: headers, lengths, flags, version and the open ACL. */
const STEP_BYTES = 64;

/** Throws CODIS_E_VALUE_TOO_LARGE for a commit that ZooKeeper would not take. `root` is what stands before every path. */
export function checkPacket(ops: readonly Op[], root: string): void {
  const bytes = ops.reduce((sum, op) => sum + stepBytes(op, root), 0);
  if (bytes <= PACKET_BYTES_MAX) return;
  const message = `a commit of ${ops.length} steps needs ${bytes} bytes with its paths, and ZooKeeper takes ${PACKET_BYTES_MAX}; make it several commits`;
  throw new CodisError('CODIS_E_VALUE_TOO_LARGE', message);
}

function stepBytes(op: Op, root: string): number {
  const dataBytes = op.op === 'create' || op.op === 'set' ? op.data.length : 0;
  return STEP_BYTES + root.length + 1 + Buffer.byteLength(op.path) + dataBytes;
}

/** Adds one step. The library takes version 0 for "any version", so a version is put into the step it has built. */
export function addStep(transaction: Transaction, op: Op, path: string): void {
  switch (op.op) {
    case 'create':
      transaction.create(path, op.data, op.ephemeral ? CreateMode.EPHEMERAL : CreateMode.PERSISTENT);
      return;
    case 'set':
      transaction.setData(path, op.data);
      break;
    case 'delete':
      transaction.remove(path);
      break;
    case 'check':
      transaction.check(path);
      break;
  }
  const built = transaction.ops.at(-1);
  invariant(built !== undefined, 'a step was added to the transaction');
  if (op.version !== undefined) built.version = op.version;
}

/** What became of the steps. Throws ZookeeperFailure for a refusal that no step of the contract explains (quota, ACL). */
export function commitResult(ops: readonly Op[], results: readonly OpResult[]): CommitResult {
  const index = results.findIndex((result) => result.err !== undefined && result.err !== CODES.OK);
  const op = ops[index];
  if (op) return { ok: false, refusal: { index, path: op.path, reason: reasonOf(op, results[index]?.err ?? CODES.OK) } };
  invariant(results.length === ops.length, 'a transaction has a result for each step');
  return { ok: true, versions: ops.map((done, at) => versionAfter(done, results[at])) };
}

function reasonOf(op: Op, code: number): Refusal['reason'] {
  switch (code) {
    case CODES.NO_NODE:
      return op.op === 'create' ? 'no-parent' : 'missing';
    case CODES.NODE_EXISTS:
      return 'exists';
    case CODES.BAD_VERSION:
      return 'version';
    case CODES.NOT_EMPTY:
      return 'not-empty';
    case CODES.NO_CHILDREN_FOR_EPHEMERALS:
      return 'ephemeral-parent';
    default:
      throw new ZookeeperFailure(code);
  }
}

function versionAfter(op: Op, result: OpResult | undefined): number {
  switch (op.op) {
    case 'create':
      return 0;
    case 'delete':
      return -1;
    case 'check':
      return op.version;
    case 'set':
      invariant(result?.stat !== undefined, 'a set is answered with a stat');
      return result.stat.version;
  }
}
