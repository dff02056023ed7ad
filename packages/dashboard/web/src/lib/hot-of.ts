// Which hot keys are asked for: as a path of the API, and as a command line.

export interface HotOf {
  /** Null: of all. */
  readonly slot: number | null;
  /** Unix seconds, anywhere in a minute; null: of now. */
  readonly at: number | null;
}

const LIMIT = 20;

export function hotPath({ slot, at }: HotOf): string {
  return `/keys/hot?limit=${LIMIT}${slot === null ? '' : `&slot=${slot}`}${at === null ? '' : `&at=${at}`}`;
}

/** With the minute in UTC, so that it can be typed anywhere. */
export function hotCli({ slot, at }: HotOf): string {
  const when = at === null ? '' : ` --at ${new Date(at * 1000).toISOString().slice(0, 16)}Z`;
  return `codis-config key hot --limit ${LIMIT}${slot === null ? '' : ` --slot ${slot}`}${when}`;
}
