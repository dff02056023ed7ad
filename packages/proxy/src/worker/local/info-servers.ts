// Asks all masters for their INFO, for whoever wants it. One round of questions is under way at a time: who comes meanwhile gets the next one, so that a thousand
// clients that connect at once (many libraries begin with INFO) cost the servers little more than one, and nobody gets an answer from before it asked.
//
// A server that does not answer within half a second is left out, and not asked again before it has answered: one that is frozen holds up one round, not all.

import { encodeRequest } from '../../resp/replies.ts';
import { type ReplyTaker, type Request, recycle, SINK_TAKER, takeRequest } from '../request.ts';
import type { Server } from '../server.ts';
import { parseInfo } from './info-text.ts';

/** What a master said; null when it can't be reached, or not in time. */
export interface ServerInfo {
  readonly server: Server;
  readonly fields: ReadonlyMap<string, string> | null;
}

type Done = (answers: readonly ServerInfo[]) => void;

const ANSWER_MS = 500;
/** A Redis says some 10 KB. */
const INFO_BYTES_MAX = 1024 * 1024;
const INFO = encodeRequest(['INFO']);
const BULK = 0x24;
const INTEGER = 0x3a;

export class ServersInfo {
  readonly #masters: () => readonly Server[];
  readonly #reserved: () => readonly string[];
  /** Servers that owe an answer of a round that has ended without them. */
  readonly #late = new Set<Server>();
  #round: Round | null = null;
  #next: Done[] = [];

  /** `reserved`: names in database 0 that are no keys of the clients'. */
  constructor(masters: () => readonly Server[], reserved: () => readonly string[]) {
    this.#masters = masters;
    this.#reserved = reserved;
  }

  /** Calls `done` once, later, with the masters in the order of their groups. */
  ask(done: Done): void {
    this.#next.push(done);
    if (this.#round === null) this.#begin();
  }

  close(): void {
    this.#round?.close();
    this.#round = null;
    this.#next = [];
  }

  #begin(): void {
    const waiting = this.#next;
    this.#next = [];
    // EXISTS and all other reads would count as a hit or a miss of the keyspace.
    const areThere = this.#reserved().map((name) => encodeRequest(['MEMORY', 'USAGE', name]));
    const round = new Round(this.#masters(), [INFO, ...areThere], this.#late, (answers) => {
      this.#round = null;
      if (this.#next.length > 0) this.#begin();
      for (const done of waiting) done(answers);
    });
    this.#round = round;
    round.ask();
  }
}

/** One question to each server. */
class Round implements ReplyTaker {
  readonly parent = null;
  readonly #servers: readonly Server[];
  readonly #question: readonly Buffer[];
  readonly #late: Set<Server>;
  readonly #done: Done;
  readonly #replies = new Map<Server, readonly (Buffer | null)[]>();
  #left: Set<Server>;
  #timer: NodeJS.Timeout | null = null;
  #ended = false;

  constructor(servers: readonly Server[], question: readonly Buffer[], late: Set<Server>, done: Done) {
    this.#servers = servers;
    this.#question = question;
    this.#late = late;
    this.#done = done;
    this.#left = new Set(servers.filter((server) => !late.has(server)));
  }

  ask(): void {
    this.#timer = setTimeout(() => this.#end(), ANSWER_MS);
    for (const [index, server] of this.#servers.entries()) if (this.#left.has(server)) this.#ask(server, index);
    if (this.#left.size === 0) setImmediate(() => this.#end());
  }

  close(): void {
    this.#ended = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  takes(_: Request, bytes: number): boolean {
    return bytes <= INFO_BYTES_MAX;
  }

  onReply(request: Request): void {
    const server = this.#servers[request.part] as Server;
    const reply = request.stored === null ? null : Buffer.concat(request.stored);
    recycle(request);
    const replies = [...(this.#replies.get(server) ?? []), reply];
    this.#replies.set(server, replies);
    if (replies.length < this.#question.length) return;
    this.#late.delete(server);
    this.#left.delete(server);
    if (this.#left.size === 0) this.#end();
  }

  #ask(server: Server, index: number): void {
    const backend = server.backend(0, 2);
    if (backend === null) {
      this.#left.delete(server);
      return;
    }
    for (const question of this.#question) {
      const request = takeRequest(null, SINK_TAKER);
      request.taker = this;
      request.part = index;
      backend.send(request, question, 0, question.length);
    }
  }

  #end(): void {
    if (this.#ended) return;
    this.close();
    for (const server of this.#left) this.#late.add(server);
    this.#done(this.#servers.map((server) => ({ server, fields: this.#left.has(server) ? null : this.#fieldsOf(server) })));
  }

  #fieldsOf(server: Server): ReadonlyMap<string, string> | null {
    const [info, ...areThere] = this.#replies.get(server) ?? [];
    if (info?.[0] !== BULK) return null;
    const fields = parseInfo(info.toString('utf8', info.indexOf(10) + 1, info.length - 2));
    leaveOut(fields, areThere.filter((reply) => reply?.[0] === INTEGER).length);
    return fields;
  }
}

/** Reserved keys are none of the clients' (DESIGN §3). */
function leaveOut(fields: Map<string, string>, count: number): void {
  const [all, keys] = /^keys=(\d+)/.exec(fields.get('db0') ?? '') ?? [];
  if (all === undefined) return;
  if (Number(keys) === count) fields.delete('db0');
  else fields.set('db0', (fields.get('db0') as string).replace(all, `keys=${Number(keys) - count}`));
}
