// MONITOR: clients that are shown every command of every client of this proxy, those of other workers included. While nobody monitors nothing is done: a bit in
// the modes of all sessions says that somebody does.
//
//   command here ──▶ lines of this turn ──┬──▶ monitors of this worker
//                                         └──▶ other workers, one message under way at a time ──▶ their monitors
//
// Bounded: a monitor that reads too slowly is dropped (`Session.push`). Lines that can't be passed on, because they come too fast or the other worker hangs, are
// thrown away, and leave a gap in the numbers of the messages: monitors that would miss them are dropped, rather than shown a part.

import type { Command } from '../commands/command.ts';
import { errorReply } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { MODE_MONITOR, MODE_MONITORED } from './modes.ts';
import type { Peers } from './peers.ts';
import { quoted, redact } from './request-text.ts';
import type { Session } from './session.ts';

export const MONITOR_ONLY = errorReply("ERR Replica can't interact with the keyspace");
/** What is shown of one argument, and of how many. Redis shows all of it, and needs as much memory. */
const SHOWN_BYTES_MAX = 64 * 1024;
const SHOWN_ARGS_MAX = 1024;
/** Lines that wait to be passed to other workers. */
const OUTGOING_MAX = 8 * 1024 * 1024;

/** Whether a client that monitors may not send it; Redis takes such a client for a kind of replica. */
export function touchesKeys(command: Command): boolean {
  const { flags, name } = command;
  return flags.includes('write') || flags.includes('readonly') || /^(eval|fcall|s?publish|pfcount)/.test(name);
}

export class Monitors {
  readonly #sessions: ReadonlySet<Session>;
  readonly #peers: Peers;
  readonly #worker: number;
  /** The monitors of this worker. */
  readonly #own = new Set<Session>();
  /** Other workers may have monitors. */
  #elsewhere = false;
  #lines: string[] = [];
  #outgoing = '';
  #sending = false;
  /** Number of the last message with lines, sent or thrown away; and of those that came, by who sent them. */
  #number = 0;
  readonly #received = new Map<number, number>();

  /** `worker`: a number that no other worker of this proxy has, nor had. */
  constructor(sessions: ReadonlySet<Session>, peers: Peers, worker: number) {
    this.#worker = worker;
    this.#sessions = sessions;
    this.#peers = peers;
    peers.on('monitor|on', () => {
      this.setElsewhere(true);
      return null;
    });
    peers.on('monitor|lines', ({ from, number, lines }) => this.#take(from, number, lines));
  }

  /** Mode bits of every session. */
  get modes(): number {
    return this.isOn ? MODE_MONITORED : 0;
  }

  get isOn(): boolean {
    return this.#own.size > 0 || this.#elsewhere;
  }

  /** MONITOR: answered when all workers know. */
  add(session: Session): void {
    session.modes |= MODE_MONITOR;
    const request = session.enqueue();
    this.#peers.ask('monitor|on', null, () => {
      if (request.session === null) return;
      session.answer(request, OK);
      this.#own.add(session);
      this.#mark();
    });
  }

  setElsewhere(value: boolean): void {
    this.#elsewhere = value;
    this.#mark();
  }

  forget(session: Session): void {
    if (this.#own.delete(session)) this.#mark();
  }

  /** Shows a command that `session` has sent. Shown once it has been begun, after the replies that it gives at once. */
  show(session: Session, command: Command, frame: Frame): void {
    if (command.flags.includes('admin')) return;
    if (this.#lines.length === 0) queueMicrotask(() => this.#flush());
    this.#lines.push(line(session, command, frame));
  }

  #flush(): void {
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#give(lines);
    if (!this.#elsewhere) return;
    this.#outgoing += lines;
    if (this.#outgoing.length > OUTGOING_MAX) {
      this.#outgoing = '';
      this.#number++;
    }
    if (!this.#sending) this.#pass();
  }

  /** To the monitors of this worker; how many there are. */
  #give(lines: string): number {
    const bytes = Buffer.from(lines, 'latin1');
    for (const session of this.#own) {
      if ((session.modes & MODE_MONITOR) !== 0) session.push(bytes);
      else this.forget(session);
    }
    return this.#own.size;
  }

  #pass(): void {
    const lines = this.#outgoing;
    this.#outgoing = '';
    this.#sending = lines !== '';
    if (!this.#sending) return;
    this.#number++;
    this.#peers.askOthers('monitor|lines', { from: this.#worker, number: this.#number, lines }, (counts, missing) => {
      if (missing === 0 && counts.every((count) => count === 0)) this.setElsewhere(false);
      this.#pass();
    });
  }

  /** Lines of another worker. */
  #take(from: number, number: number, lines: string): number {
    const before = this.#received.get(from);
    this.#received.set(from, number);
    if (before !== undefined && number !== before + 1) {
      for (const session of this.#own) session.destroy('commands came faster than they could be shown to it');
    }
    return this.#give(lines);
  }

  #mark(): void {
    const on = this.isOn;
    for (const session of this.#sessions) session.modes = on ? session.modes | MODE_MONITORED : session.modes & ~MODE_MONITORED;
  }
}

const OK = Buffer.from('+OK\r\n');

/** Source: replication.c, replicationFeedMonitors(). */
function line(session: Session, command: Command, frame: Frame): string {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const at = `${Math.floor(micros / 1_000_000)}.${String(micros % 1_000_000).padStart(6, '0')}`;
  const words: string[] = [];
  for (let arg = 0; arg < Math.min(frame.argc, SHOWN_ARGS_MAX); arg++) words.push(shown(frame, arg));
  if (frame.argc > SHOWN_ARGS_MAX) words.push(`... (${frame.argc - SHOWN_ARGS_MAX} more arguments)`);
  return `+${at} [${session.db} ${session.addr}] ${redact(command.name, words).map(quoted).join(' ')}\r\n`;
}

function shown(frame: Frame, arg: number): string {
  const start = frame.args[arg * 2] as number;
  const end = frame.args[arg * 2 + 1] as number;
  if (end - start <= SHOWN_BYTES_MAX) return frame.buf.toString('latin1', start, end);
  return `${frame.buf.toString('latin1', start, start + SHOWN_BYTES_MAX)}... (${end - start - SHOWN_BYTES_MAX} more bytes)`;
}
