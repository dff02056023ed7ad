// LATENCY: the proxy's own, over all its workers. Events are what made clients wait in the proxy (latency-events.ts); histograms are of whole times, from the
// request's bytes to the reply's.

import { COMMANDS } from '../../commands/command.ts';
import { array, bulk, EMPTY_ARRAY, errorReply, integer, map, type Protocol, verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { type LatencyEvent, type LatencyMonitor, mergeEvents } from '../latency-events.ts';
import type { Peers } from '../peers.ts';
import type { Session } from '../session.ts';
import { BUCKETS, type Timings } from '../timings.ts';
import { words } from './args.ts';
import { help } from './help.ts';
import type { Handlers } from './local-commands.ts';
import { answerLater } from './peer-reply.ts';
import { sparkline } from './sparkline.ts';

export interface LatencyContext {
  readonly peers: Peers;
  readonly monitor: LatencyMonitor;
  readonly timings: Timings;
  /** latency_monitor_threshold_ms. */
  readonly thresholdMs: number;
}

const HELP = help('LATENCY', [
  'DOCTOR',
  '    Return a human readable latency analysis report.',
  'GRAPH <event>',
  '    Return an ASCII latency graph for the <event> class.',
  'HISTORY <event>',
  '    Return time-latency samples for the <event> class.',
  'LATEST',
  '    Return the latest latency samples for all events.',
  'RESET [<event> ...]',
  '    Reset latency data of one or more <event> classes.',
  '    (default: reset all data for all event classes)',
  'HISTOGRAM [COMMAND ...]',
  '    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.',
  '    If no commands are specified then all histograms are replied.',
]);

export function latencyCommands(context: LatencyContext): Handlers {
  const { peers, monitor, timings } = context;
  peers.on('latency|events', () => monitor.events());
  peers.on('latency|reset', (names) => monitor.reset(names));
  peers.on('latency|histogram', () => histograms(timings));
  return [
    ['latency|latest', (session) => withEvents(peers, session, latest)],
    ['latency|history', (session, frame) => history(peers, session, frame)],
    ['latency|graph', (session, frame) => graph(peers, session, frame)],
    ['latency|doctor', (session) => doctor(context, session)],
    ['latency|reset', (session, frame) => reset(peers, session, frame)],
    ['latency|histogram', (session, frame) => histogram(peers, session, frame)],
    ['latency|help', () => HELP],
  ];
}

function withEvents(peers: Peers, session: Session, reply: (events: ReadonlyMap<string, LatencyEvent>) => Buffer): null {
  return answerLater(session, (answer) => peers.ask('latency|events', null, (all) => answer(reply(mergeEvents(all)))));
}

function latest(events: ReadonlyMap<string, LatencyEvent>): Buffer {
  const rows: Buffer[] = [];
  for (const [name, { samples, max }] of events) {
    const [time, ms] = samples.at(-1) ?? [0, 0];
    rows.push(array([bulk(name), integer(time), integer(ms), integer(max)]));
  }
  return array(rows);
}

function history(peers: Peers, session: Session, frame: Frame): null {
  const [name = ''] = words(frame, 2);
  return withEvents(peers, session, (events) => {
    const samples = events.get(name)?.samples ?? [];
    return array(samples.map(([time, ms]) => array([integer(time), integer(ms)])));
  });
}

function graph(peers: Peers, session: Session, frame: Frame): null {
  const [name = ''] = words(frame, 2);
  return withEvents(peers, session, (events) => {
    const event = events.get(name);
    if (event === undefined) return errorReply(`ERR No samples available for event '${name}'`);
    return verbatim(session.protocol, `${name} - ${rangeOf(event)}\n${'-'.repeat(80)}\n${sparkline(event.samples)}`);
  });
}

function rangeOf({ samples, max }: LatencyEvent): string {
  const low = Math.min(...samples.map(([, ms]) => ms));
  return `high ${Math.max(...samples.map(([, ms]) => ms))} ms, low ${low} ms (all time high ${max} ms)`;
}

const ADVICE: Readonly<Record<string, string>> = {
  'event-loop':
    'A worker was busy with one thing, or got no CPU. Look for huge replies and requests (SLOWLOG GET), commands over many keys, and for other programs on these cores; more workers spread clients.',
  command:
    'Requests took long. SLOWLOG GET shows which, SLOWLOG GET 10 STAGES where the time went: in the proxy, held for a move, or at the server.',
  'move-hold':
    'Requests waited for slots in a move: the lock at its beginning, or big keys that were handed over. Move fewer slots at a time.',
};

function doctor({ peers, thresholdMs }: LatencyContext, session: Session): null {
  return withEvents(peers, session, (events) => {
    if (thresholdMs === 0)
      return verbatim(session.protocol, 'Latency monitoring is off in this proxy: set latency_monitor_threshold_ms in config.ini.\n');
    if (events.size === 0) return verbatim(session.protocol, `No event of ${thresholdMs} ms or more was seen by this proxy.\n`);
    const parts = [...events].map(
      ([name, event]) => `${name}: ${event.samples.length} samples; ${rangeOf(event)}\n  ${ADVICE[name] ?? ''}\n`,
    );
    return verbatim(session.protocol, `Latency events of this proxy, of ${thresholdMs} ms or more:\n\n${parts.join('\n')}`);
  });
}

function reset(peers: Peers, session: Session, frame: Frame): null {
  return answerLater(session, (answer) => peers.ask('latency|reset', words(frame, 2), (all) => answer(integer(new Set(all.flat()).size))));
}

/** Of the commands that were called. */
function histograms(timings: Timings): Record<string, number[]> {
  const all: Record<string, number[]> = {};
  for (const { name, index } of COMMANDS) {
    const counts = [...timings.histograms.subarray(index * BUCKETS, (index + 1) * BUCKETS)];
    if (counts.some((count) => count > 0)) all[name] = counts;
  }
  return all;
}

/** `wanted`: commands, and all subcommands of one that has some; none: all that were called. */
function histogram(peers: Peers, session: Session, frame: Frame): null {
  const wanted = words(frame, 2);
  const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name) || wanted.includes(name.split('|')[0] ?? '');
  return answerLater(session, (answer) =>
    peers.ask('latency|histogram', null, (all) => {
      const sums = new Map<string, number[]>();
      for (const [name, counts] of all.flatMap((each) => Object.entries(each))) {
        if (!isWanted(name)) continue;
        const sum = sums.get(name);
        sums.set(name, sum === undefined ? [...counts] : sum.map((count, at) => count + (counts[at] ?? 0)));
      }
      answer(sums.size === 0 ? noHistograms(session.protocol) : describe(session.protocol, sums));
    }),
  );
}

function noHistograms(protocol: Protocol): Buffer {
  return protocol === 3 ? map(3, []) : EMPTY_ARRAY;
}

/** Buckets are powers of two in microseconds, with the calls that took less: as Redis has them, only those where the count grows. */
function describe(protocol: Protocol, sums: ReadonlyMap<string, readonly number[]>): Buffer {
  const rows: [Buffer, Buffer][] = [];
  for (const [name, counts] of sums) {
    const buckets: [Buffer, Buffer][] = [];
    let calls = 0;
    for (const [bucket, count] of counts.entries()) {
      calls += count;
      if (count > 0) buckets.push([integer(2 ** bucket), integer(calls)]);
    }
    const facts: [Buffer, Buffer][] = [
      [bulk('calls'), integer(calls)],
      [bulk('histogram_usec'), map(protocol, buckets)],
    ];
    rows.push([bulk(name), map(protocol, facts)]);
  }
  return map(protocol, rows);
}
