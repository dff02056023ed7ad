// Commands that are not in the proxy's table: a module's, or a newer Redis's. The servers are asked what they know of one (COMMAND INFO), the session waits
// meanwhile, and the answer is kept for a while, also that nobody knows it. A command is routed by what the server tells of its keys, or refused: never by guess.
//
// Bounded: names of at most NAME_BYTES_MAX bytes, of clients that have given their password; so many questions under way, and so many answers kept.

import type { Command } from '../commands/command.ts';
import { commandFrom } from '../commands/looked-up.ts';
import { decodeReply, type Value } from '../resp/decode.ts';
import { encodeRequest, errorReply } from '../resp/replies.ts';
import { ReplyScanner } from '../resp/reply-scanner.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { asking } from './claim.ts';
import type { Clock } from './clock.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';

export interface LookupOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly masters: () => readonly Server[];
}

/** What is known of a name: the command; that no server has it; or an error that says why nobody could tell. */
export type Finding = Command | 'unknown' | Buffer;

export const NAME_BYTES_MAX = 64;
const KEPT_MAX = 1000;
export const QUESTIONS_MAX = 64;
/** How long an answer holds, while no server comes back meanwhile, which may be another one then. */
const KNOWN_MS = 60_000;
const UNKNOWN_MS = 5000;
const FAILED_MS = 1000;
const ANSWER_MS_MAX = 2000;
const TOO_MANY = errorReply('ERR too many unknown commands are being looked up at the servers; try again');

interface Question {
  readonly until: number;
  readonly sessions: Session[];
}

export class Lookup {
  readonly #options: LookupOptions;
  readonly #kept = new Map<string, { readonly finding: Finding; readonly until: number }>();
  /** By name; in the order they were asked. */
  readonly #questions = new Map<string, Question>();

  constructor(options: LookupOptions) {
    this.#options = options;
  }

  /** What is known of the command that `frame` names; null when the servers are asked, and the session keeps the request until they have answered. */
  command(session: Session, frame: Frame): Finding | null {
    const name = nameAt(frame, 0);
    // COMMAND INFO knows subcommands by such names, and no command has one.
    return name === null || name.includes('|') ? 'unknown' : this.#find(session, frame, name);
  }

  /** The same for a subcommand of `parent`. */
  subcommand(session: Session, parent: Command, frame: Frame): Finding | null {
    const name = nameAt(frame, 1);
    const isRouted = parent.class.kind === 'slot' || parent.class.kind === 'any';
    return name === null || name.includes('|') || !isRouted ? 'unknown' : this.#find(session, frame, `${parent.name}|${name}`);
  }

  /** A server was (re)connected: it may know others than before. */
  forget(): void {
    this.#kept.clear();
  }

  tick(): void {
    for (const [name, { until }] of this.#questions) {
      if (until > this.#options.clock.now) return;
      this.#settle(name, cantTell(name, 'no server answered in time'), FAILED_MS);
    }
  }

  #find(session: Session, frame: Frame, name: string): Finding | null {
    const kept = this.#kept.get(name);
    if (kept !== undefined && kept.until > this.#options.clock.now) return kept.finding;
    if (!session.authenticated) return 'unknown';
    const question = this.#questions.get(name);
    if (question === undefined && this.#questions.size >= QUESTIONS_MAX) return TOO_MANY;
    session.keep(null, frame);
    if (question === undefined) this.#ask(name, session);
    else question.sessions.push(session);
    return null;
  }

  /** All masters at once: a module may be on some of them only, and the newest Redis knows most. */
  #ask(name: string, session: Session): void {
    this.#questions.set(name, { until: this.#options.clock.now + ANSWER_MS_MAX, sessions: [session] });
    const servers = this.#options.masters().toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
    const request = encodeRequest(['COMMAND', 'INFO', Buffer.from(name, 'latin1')]);
    const findings: Finding[] = [];
    let left = servers.length;
    const onFinding = (at: number, finding: Finding) => {
      findings[at] = finding;
      if (--left === 0) setImmediate(() => this.#onFindings(name, findings));
    };
    for (const [at, server] of servers.entries()) {
      const backend = server.backend(0, 2);
      const asked = asking((reply) => onFinding(at, findingIn(reply, name)));
      if (backend === null) onFinding(at, cantTell(name, `server ${server.addr} can't be reached: ${server.lastError}`));
      else backend.send(asked, request, 0, request.length);
    }
    if (servers.length === 0) setImmediate(() => this.#settle(name, 'unknown', FAILED_MS));
  }

  #onFindings(name: string, findings: readonly Finding[]): void {
    const command = findings.find((finding) => finding !== 'unknown' && !Buffer.isBuffer(finding));
    const failed = findings.find((finding) => Buffer.isBuffer(finding));
    if (command !== undefined) this.#settle(name, command, KNOWN_MS);
    else this.#settle(name, failed ?? 'unknown', failed === undefined ? UNKNOWN_MS : FAILED_MS);
  }

  /** What comes after the time was over is too late. */
  #settle(name: string, finding: Finding, ms: number): void {
    const question = this.#questions.get(name);
    if (question === undefined) return;
    this.#questions.delete(name);
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    this.#kept.set(name, { finding, until: this.#options.clock.now + ms });
    for (const session of question.sessions) session.goOn();
  }
}

/** Of a reply that was too long only the beginning is here. */
function findingIn(reply: Buffer, name: string): Finding {
  if (reply[0] === ERROR) return cantTell(name, reply.toString('utf8').slice(1).trim());
  if (new ReplyScanner().scan(reply, 0, reply.length) !== reply.length) return cantTell(name, 'a server said too much of it');
  const entries = decodeReply(reply);
  const [entry = null] = Array.isArray(entries) ? (entries as readonly Value[]) : [];
  return commandFrom(entry, name) ?? 'unknown';
}

const ERROR = 0x2d;

function cantTell(name: string, why: string): Buffer {
  return errorReply(`ERR the proxy does not know '${name}', and could not look it up (${why}), so it was not sent`);
}

/** Argument `at` in lower case, a character for each byte; null when it is too long for a name, or empty. */
function nameAt(frame: Frame, at: number): string | null {
  const start = frame.args[at * 2] as number;
  const end = frame.args[at * 2 + 1] as number;
  return end === start || end - start > NAME_BYTES_MAX ? null : frame.buf.toString('latin1', start, end).toLowerCase();
}
