// What is known of single proxies beside their numbers (history.ts).

/** `GET /proxies/{proxy}/clients?top=`: who asks the most of it. */
export interface ProxyClientsView {
  readonly proxy: string;
  /** ISO 8601. */
  readonly at: string;
  /** All that are connected; null: not known. */
  readonly clientsCount: number | null;
  /** The busiest lately, first; at most as many as were asked for. */
  readonly clients: readonly ProxyClientView[];
  /** What is missing here and why, each in a sentence. */
  readonly notes: readonly string[];
}

export interface ProxyClientView {
  /** As CLIENT LIST and CLIENT KILL know it. */
  readonly id: number;
  readonly addr: string;
  /** What it called itself; empty: nothing. */
  readonly name: string;
  readonly db: number;
  readonly ageSeconds: number;
  readonly idleSeconds: number;
  /** Since it connected. */
  readonly requestsCount: number;
  /** Over the last five to ten seconds. */
  readonly opsPerSecond: number;
  /** Its last command; null: none yet. */
  readonly command: string | null;
  /** Of a request that is not all there yet, and of replies that it has not read. */
  readonly inputBytes: number;
  readonly waitingBytes: number;
}

/** `POST /proxies/{proxy}/try`: a key is set, read and deleted through the proxy, as a client would. */
export interface ProxyTryView {
  readonly proxy: string;
  /** Where clients connect to it. */
  readonly addr: string;
  readonly ok: boolean;
  /** Of the key that was taken, which is another one each time. */
  readonly slot: number;
  /** What was sent and what came back, in order, as far as it got. */
  readonly steps: readonly { readonly command: string; readonly reply: string; readonly ms: number }[];
  /** With connecting. */
  readonly totalMs: number;
  /** What is wrong, in words; null: nothing. */
  readonly problem: string | null;
}
