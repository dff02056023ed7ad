// Slow requests of proxies and servers in one list.

/** Where the time of a request went, in microseconds. */
export interface SlowSplitView {
  /** In the proxy, before it was sent. */
  readonly proxy: number;
  /** Held, for its slot was about to move. */
  readonly held: number;
  readonly server: number;
}

export interface SlowEntryView {
  readonly source: 'proxy' | 'server';
  /** The proxy's id, or the server's address. */
  readonly where: string;
  /** Unique for its `where`, since that started. */
  readonly id: number;
  /** ISO 8601, by the clock of where it was logged. */
  readonly at: string;
  readonly micros: number;
  /** Only proxies know. */
  readonly split: SlowSplitView | null;
  readonly command: string;
  /** Behind the command. A key as text with its bytes escaped, all else as how long it is, `(3 bytes)`: what clients store is nobody's business. */
  readonly args: readonly string[];
  /** The first one, as JSON text. */
  readonly key: string | null;
  readonly slot: number | null;
  readonly group: number | null;
  readonly client: string;
  /** A migration that its slot was part of at the time; null: none, or not known. */
  readonly migration: number | null;
}

/** `GET /slowlog?limit=&group=&command=&prefix=&source=`, newest first. */
export interface SlowLogView {
  readonly entries: readonly SlowEntryView[];
  /** Who could not be asked, each in a sentence. */
  readonly notes: readonly string[];
}
