// What must never be false. An invariant that fails is a bug in this program, not a fault of its surroundings: it throws
// and the process is meant to die of it. Expected failures are CodisError (errors.ts).

/** Thrown by `invariant` and `unreachable`; never caught to carry on. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws when `condition` is false. `text` is a constant: a template string would be built on every call. */
export function invariant(condition: boolean, text: string): asserts condition {
  if (!condition) throw new InvariantError(text);
}

/** The `default` of a switch over a union: does not compile while a variant is unhandled. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${JSON.stringify(value)}`);
}
