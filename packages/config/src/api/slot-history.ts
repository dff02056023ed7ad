// How busy each slot was, minute by minute. Kept by the dashboard that is asked, in memory, since it started; at most six hours.

/** `GET /slots/history?from=&to=&first=&last=`: requests a second, as all proxies together counted them. */
export interface SlotHistoryView {
  /** Unix time in seconds of the first minute; null: nothing is kept of the time that was asked for. */
  readonly from: number | null;
  readonly stepSeconds: number;
  readonly minutesCount: number;
  /** The slots, both ends included. */
  readonly first: number;
  readonly last: number;
  /** Base64 of a byte for each slot of each minute, minute after minute. 0: no request. 255: not known. Else a rate: `least` × `ratio` ^ (byte - 1) requests a second, to the nearest. */
  readonly levels: string;
  readonly least: number;
  readonly ratio: number;
}
