// How often clients got each kind of error, by the first word of the reply (`ERR`, `WRONGTYPE`, …): what INFO errorstats tells.

/** An error's code is what a server or a script says it is; the kinds that are told apart are bounded. */
const KINDS_MAX = 128;
const CODE_BYTES_MAX = 32;
const OVERFLOW = 'ERRORSTATS_OVERFLOW';
const DASH = 0x2d;
const SPACE = 0x20;
/** Names of fields may not hold these. */
const UNSAFE = /[^!-9;-~]/g;

export class ErrorCodes {
  readonly #counts = new Map<string, number>();

  /** Counts the error reply that begins at `start`. */
  count(reply: Uint8Array, start: number): void {
    const code = this.#told(codeAt(reply, start));
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  #told(code: string): string {
    return this.#counts.has(code) || this.#counts.size < KINDS_MAX ? code : OVERFLOW;
  }
}

/** Of a reply that came in pieces only the end may be here: then its code is not known. */
function codeAt(reply: Uint8Array, start: number): string {
  if (reply[start] !== DASH) return 'ERR';
  let end = start + 1;
  while (end < reply.length && end - start <= CODE_BYTES_MAX && (reply[end] as number) > SPACE) end++;
  const code = Buffer.from(reply.subarray(start + 1, end))
    .toString('latin1')
    .replace(UNSAFE, '_');
  return code === '' ? 'ERR' : code;
}
