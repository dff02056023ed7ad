// What Node has for itself (20 to 24) to read sockets and write to them. Where it is missing, or must not be used, `binding` is null.

/** Of one write that the kernel did not take at once. */
export interface WriteRequest {
  oncomplete: (status: number) => void;
  /** What must not be collected before it was written. */
  written: Buffer | readonly Buffer[];
}

export interface Binding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  /** Places in `streamBaseState`. */
  readonly kLastWriteWasAsync: number;
  readonly kReadBytesOrError: number;
}

export const binding: Binding | null = bindingOfNode();

function bindingOfNode(): Binding | null {
  const { binding: bindingOf } = process as { binding?: (name: string) => Partial<Binding> };
  if (bindingOf === undefined || process.permission !== undefined) return null;
  const { WriteWrap, streamBaseState, kLastWriteWasAsync, kReadBytesOrError } = bindingOf('stream_wrap');
  const isKnown =
    WriteWrap !== undefined && streamBaseState !== undefined && kLastWriteWasAsync !== undefined && kReadBytesOrError !== undefined;
  return isKnown ? { WriteWrap, streamBaseState, kLastWriteWasAsync, kReadBytesOrError } : null;
}
