// What workers of one proxy ask and tell each other: a topic, its question and the answer of one worker, all plain JSON. Whoever has something to ask adds a
// line here and answers it with `Peers.on` in every worker.

import type { BusiestClients } from './busiest-clients.ts';
import type { ClientFilter, ClientLine } from './client-filter.ts';
import type { HotKeysSeen, HotMinuteSeen } from './hot-keys.ts';
import type { LatencyEvents } from './latency-events.ts';
import type { WorkerFacts } from './local/info-worker.ts';
import type { ServerLatencySeen } from './server-latency.ts';
import type { SlowEntry } from './slow-log.ts';

interface Topic<Question, Answer = null> {
  readonly question: Question;
  readonly answer: Answer;
}

export interface PeerTopics {
  /** At most so many. */
  'client|busiest': Topic<number, BusiestClients>;
  'client|list': Topic<ClientFilter, readonly ClientLine[]>;
  /** How many were killed. */
  'client|kill': Topic<ClientFilter, number>;
  /** Whether that client was here, and blocked. */
  'client|unblock': Topic<{ readonly id: number; readonly kind: 'timeout' | 'error' }, boolean>;
  /** Of the proxy's clients: null ends the pause. */
  'client|pause': Topic<{ readonly leftMs: number; readonly writesOnly: boolean } | null>;
  /** What a worker that has just started must know: a pause under way, and whether there are monitors. */
  state: Topic<null, { readonly pause: PeerTopics['client|pause']['question']; readonly monitored: boolean }>;
  /** Somebody monitors from now on. */
  'monitor|on': Topic<null>;
  /** Lines for monitors elsewhere, from that worker, numbered without a gap; how many monitors there are. */
  'monitor|lines': Topic<{ readonly from: number; readonly number: number; readonly lines: string }, number>;
  /** The newest entries, at most so many. */
  'slowlog|get': Topic<number, readonly SlowEntry[]>;
  'slowlog|len': Topic<null, number>;
  'slowlog|reset': Topic<null>;
  /** CONFIG RESETSTAT. */
  'stats|reset': Topic<null>;
  /** The text of a script, a character for each byte; null where it is not known. */
  'script|body': Topic<string, string | null>;
  /** SCRIPT LOAD and SCRIPT FLUSH have been carried out. */
  'script|loaded': Topic<string>;
  'script|flushed': Topic<null>;
  'latency|events': Topic<null, LatencyEvents>;
  /** Which of these events had samples; empty: all events. */
  'latency|reset': Topic<readonly string[], readonly string[]>;
  /** What INFO tells of it. */
  info: Topic<null, WorkerFacts>;
  'servers|latency': Topic<null, readonly ServerLatencySeen[]>;
  'keys|hot': Topic<null, HotKeysSeen>;
  'keys|hotMinute': Topic<null, HotMinuteSeen | null>;
  /** By slot: requests since it started, modulo 2^32. */
  'slots|requests': Topic<null, readonly number[]>;
  /** By command: calls in each bucket of its histogram. */
  'latency|histogram': Topic<null, Readonly<Record<string, readonly number[]>>>;
}
