// What a client may conclude from what it got: the command was carried out, or it was not, or nobody can say. Pure.
//
// An error that fits none of the product's promises is `wrong`: a checker counts it as a violation, and the outcome as unknown.

export type Reply = string | number | null | Error | readonly Reply[];

export type Outcome =
  /** It was carried out; for good, where the client waits for replicas. */
  | { readonly kind: 'done'; readonly reply: Reply }
  /** It was not carried out, and will not be. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It was carried out, or will be yet, or never will be. */
  | { readonly kind: 'unknown'; readonly why: string }
  | { readonly kind: 'wrong'; readonly why: string };

export type Command = readonly (string | number)[];

/** Sends one command and says what came of it. */
export interface Ask {
  (...command: Command): Promise<Outcome>;
  /** The same for MULTI, these, EXEC; the reply is EXEC's. */
  transaction(...commands: Command[]): Promise<Outcome>;
}

/** What a proxy says of a command that was not done, and what Redis says before it does anything. */
const REFUSED = [
  /^TRYAGAIN /,
  /so the command was not sent(; the transaction was discarded)?$/,
  /has no master$/,
  /^LOADING /,
  /^READONLY /,
  /^MASTERDOWN /,
  /^OOM /,
  /^EXECABORT /,
  // A proxy that stops ends its clients' waits.
  /^UNBLOCKED /,
];
const UNKNOWN = /whether the command was carried out is unknown$/;

export function outcomeOf(reply: Reply): Outcome {
  if (!(reply instanceof Error)) return { kind: 'done', reply };
  const why = reply.message;
  if (REFUSED.some((pattern) => pattern.test(why))) return { kind: 'refused', why };
  return { kind: UNKNOWN.test(why) ? 'unknown' : 'wrong', why };
}

/** A reply as a short text, for a violation. */
export function shown(value: unknown): string {
  const text = value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 300)}… (${text.length} characters)` : text;
}
