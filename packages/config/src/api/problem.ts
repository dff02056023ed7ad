// How the dashboard's HTTP API says no: RFC 9457, with our code and what to do.

/** `application/problem+json`. */
export interface ProblemView {
  /** A URI that identifies the kind: `urn:codis:error:<code>`. */
  readonly type: string;
  /** What the kind means; the same for every problem of one code. */
  readonly title: string;
  readonly status: number;
  /** What happened this time. */
  readonly detail: string;
  /** One of the codes of docs/errors.md. */
  readonly code: string;
  /** What to do, best first. */
  readonly try: readonly string[];
  /** The same call may succeed later with nothing changed. */
  readonly retryable: boolean;
}
