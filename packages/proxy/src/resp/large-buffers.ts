// Buffers for requests that arrive in many pieces. They are used again, because memory outside of the heap is dear to get and to collect: with values of
// 1 MB that was half of a worker's time. Whoever takes one may keep it: a buffer that nobody gives back is collected like any other.

/** From here on buffers are worth keeping. */
export const LARGE_BYTES_MIN = 64 * 1024;
/** All that are kept. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** Sizes are rounded up by no more than this part, so that buffers fit requests of about the same size. */
const ROUNDED_PART = 8;

const kept = new Map<number, Buffer[]>();
let keptBytes = 0;

/** A buffer of at least `bytes`, with whatever was in it before. */
export function takeLarge(bytes: number): Buffer {
  const size = rounded(bytes);
  const buf = kept.get(size)?.pop();
  if (buf === undefined) return Buffer.allocUnsafeSlow(size);
  keptBytes -= size;
  return buf;
}

/** Gives back what `takeLarge` gave; nobody may hold any part of it any more. */
export function giveLarge(buf: Buffer): void {
  const size = buf.length;
  if (keptBytes + size > KEPT_BYTES_MAX) kept.clear();
  if (kept.size === 0) keptBytes = 0;
  if (size > KEPT_BYTES_MAX) return;
  keptBytes += size;
  const same = kept.get(size);
  if (same === undefined) kept.set(size, [buf]);
  else same.push(buf);
}

function rounded(bytes: number): number {
  const step = 2 ** Math.floor(Math.log2(bytes)) / ROUNDED_PART;
  return Math.ceil(bytes / step) * step;
}
