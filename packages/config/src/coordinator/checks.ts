// What every driver refuses before it asks its store: paths that are none, and values no store would take.

import { CodisError, invariant } from '../model/index.ts';
import { type Op, VALUE_BYTES_MAX } from './coordinator.ts';

/** ZooKeeper's rule for one name, which the contract makes its own: no control characters, surrogates, private use or specials. */
const NAME = /^(?!\.{1,2}$)[^/\p{Cc}\p{Cs}\p{Co}\u{fff0}-\u{10ffff}]+$/u;

/** A path of a node; throws InvariantError. */
export function checkPath(path: string): void {
  invariant(
    path.split('/').every((name) => NAME.test(name)),
    'not a path of the coordinator: names between single slashes, without control characters',
  );
}

/** A path whose children can be asked for: a node's, or `''` for the product. */
export function checkParentPath(path: string): void {
  if (path !== '') checkPath(path);
}

/** Throws InvariantError for a path or a version that is none, and CODIS_E_VALUE_TOO_LARGE. */
export function checkOps(ops: readonly Op[]): void {
  let bytes = 0;
  for (const op of ops) {
    checkPath(op.path);
    if (op.op !== 'create' && op.version !== undefined) {
      invariant(Number.isSafeInteger(op.version) && op.version >= 0, 'a version is a whole number from 0');
    }
    if (op.op !== 'create' && op.op !== 'set') continue;
    bytes += op.data.length;
    if (bytes > VALUE_BYTES_MAX) throw tooLarge(op.path, op.data.length, bytes);
  }
}

function tooLarge(path: string, length: number, bytes: number): CodisError {
  const seen = length > VALUE_BYTES_MAX ? `its value has ${length} bytes` : `with it the commit has ${bytes} bytes`;
  return new CodisError(
    'CODIS_E_VALUE_TOO_LARGE',
    `${path} can't be written: ${seen}, and a commit may carry ${VALUE_BYTES_MAX}; write less`,
  );
}

/** The path above, `''` for a top node. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}
