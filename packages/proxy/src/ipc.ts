// What the primary and its workers say to each other, as plain JSON.

import type { Settings } from '@codis/config/settings';

/** To a worker. */
export type ToWorker =
  | {
      readonly type: 'start';
      readonly settings: Settings;
      readonly version: string;
      readonly maxClients: number;
      /** When the proxy started, as Date.now(). */
      readonly startedAt: number;
      readonly place: WorkerPlace;
    }
  /** `topology` is the JSON text as stored in the coordinator. */
  | { readonly type: 'table'; readonly epoch: number; readonly topology: string }
  /** The proxies of the product that serve clients, this one included once it does; in the order of their ids. */
  | { readonly type: 'proxies'; readonly proxies: readonly LiveProxy[] }
  | { readonly type: 'listen' }
  /** Answered `here`, at any time; one that is silent for too long is killed. */
  | { readonly type: 'are-you-there' }
  /** Take no more clients; let those there are go on for `graceMs`, then finish with them, for at most `timeoutMs`. Answered `drained`. */
  | { readonly type: 'drain'; readonly timeoutMs: number; readonly graceMs: number }
  | { readonly type: 'report'; readonly id: number }
  /** Another worker asks; answered `answer` with the same id. */
  | { readonly type: 'asked'; readonly id: number; readonly topic: PeerTopic; readonly question: unknown }
  /** What the other workers answered to this one's `ask`; so many did not in time. */
  | { readonly type: 'answers'; readonly id: number; readonly answers: readonly unknown[]; readonly missing: number }
  /** Answers `look-up` with the same id; null when the coordinator can't be asked. */
  | { readonly type: 'looked-up'; readonly id: number; readonly answer: unknown }
  /** SCRIPT FLUSH was said, through some proxy. */
  | { readonly type: 'scripts-flushed' };

/** To the primary. */
export type ToPrimary =
  /** Up, and waiting for `start`. */
  | { readonly type: 'up' }
  | { readonly type: 'here' }
  /** Routes by `epoch`, and nothing sent by an older table to a slot that `epoch` locks is in flight. */
  | { readonly type: 'applied'; readonly epoch: number }
  | { readonly type: 'listening' }
  | { readonly type: 'listen-failed'; readonly message: string }
  | { readonly type: 'drained' }
  /** A server is fenced against the table this worker holds. */
  | { readonly type: 'behind' }
  /** Masters that may still carry out what this worker gave up there; told when that changes. */
  | { readonly type: 'unconfirmed'; readonly servers: readonly string[] }
  | { readonly type: 'report'; readonly id: number; readonly report: WorkerReport }
  /** Ask all other workers; answered `answers` with the same id. */
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly topic: PeerTopic;
      readonly question: unknown;
      /** Not of workers that owe an answer longer than they may. */
      readonly unlessLate: boolean;
    }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  /** What is registered? Answered `looked-up` with the same id. */
  | { readonly type: 'look-up'; readonly id: number; readonly question: RegistryQuestion }
  | { readonly type: 'register'; readonly change: RegistryChange };

/** About the scripts and functions of the product (primary/script-store.ts). */
export type RegistryQuestion =
  /** The text of a script. */
  | { readonly kind: 'script'; readonly sha: string }
  /** Which of these scripts are registered. */
  | { readonly kind: 'scripts'; readonly shas: readonly string[] }
  | { readonly kind: 'libraries' }
  /** When all that was told before it is in the coordinator. */
  | { readonly kind: 'written' };

/** By kind of question. A text is `latin1`, a character for each byte; null for a script that is not registered. */
export interface RegistryAnswers {
  readonly script: string | null;
  readonly scripts: readonly string[];
  readonly libraries: readonly Library[];
  readonly written: true;
}

/** A library of functions: `code` as FUNCTION LOAD takes it, a character for each byte. */
export interface Library {
  readonly name: string;
  readonly code: string;
}

export type RegistryChange =
  | { readonly kind: 'add-script'; readonly sha: string; readonly body: string }
  | { readonly kind: 'flush-scripts' }
  | { readonly kind: 'set-library'; readonly library: Library }
  | { readonly kind: 'delete-library'; readonly name: string }
  /** These are all there are. */
  | { readonly kind: 'set-libraries'; readonly libraries: readonly Library[] };

/** Where a worker stands among those of its proxy: how many there are, and the numbers it may give out (clients, entries of the slow log): `firstId`,
 *  then every `workers`th. No number is given out twice while the proxy runs. */
export interface WorkerPlace {
  readonly workers: number;
  readonly firstId: number;
}

/** What workers ask each other (worker/peers.ts has the questions and answers). */
export type PeerTopic = string;

/** A proxy as cluster-aware clients are told of it. */
export interface LiveProxy {
  readonly id: string;
  /** What it registered, `host:port`. */
  readonly addr: string;
}

/** Counters since the worker started, and gauges. */
export interface WorkerReport {
  /** Which of its proxy's it is, from 1: one that replaces another has its number. */
  readonly worker: number;
  readonly pid: number;
  readonly epoch: number;
  readonly clients: number;
  readonly requests: number;
  readonly errors: number;
  readonly clientsTotal: number;
  readonly clientsRefused: number;
  readonly clientBytesIn: number;
  readonly clientBytesOut: number;
  readonly backendBytesIn: number;
  readonly held: number;
  readonly tryAgain: number;
  readonly handOvers: number;
  readonly handOverErrors: number;
  /** Requests that took longer than slowlog_log_slower_than, and their microseconds by where they were spent. */
  readonly slowRequests: number;
  readonly slowUnseen: number;
  readonly slowMicros: { readonly proxy: number; readonly held: number; readonly server: number };
  readonly backendConnections: number;
  readonly rssBytes: number;
  /** CPU time since it started. */
  readonly cpuMicros: number;
  /** How late its event loop was in the last seconds, in microseconds; null before anything was measured. */
  readonly loopLag: { readonly p50: number; readonly p99: number; readonly max: number } | null;
  /** Whole requests by how long they took, commands that wait on purpose aside: entry b counts what took less than 2^b microseconds and not less than half of that. */
  readonly latency: readonly number[];
  /** Their time altogether, in microseconds. */
  readonly latencyMicros: number;
  /** Slots whose lock this worker has not drained yet. */
  readonly draining: readonly number[];
  /** Calls by command name; those never called are left out. */
  readonly calls: Readonly<Record<string, number>>;
}
