// One command at the masters of all groups so that every key that is there throughout is met, though keys move from one to another meanwhile: KEYS, FLUSHALL.
//
//   all groups ──▶ those that keys were moving to ──▶ covered? ──yes──▶ done
//       ▲                                                └─no, for some slots: their groups again
//
// Invariant: as in scan-pass.ts, with a pass in two rounds: a key of a slot with one move was met at its source in the first round, or had left it by
// then and is met at its target in the second.
//
// The client's other requests wait: what it sent before has been answered by then, and what it sends after is not looked at.

import type { Command } from '../../commands/command.ts';
import { errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Merge } from '../gather.ts';
import type { SlotSet } from '../move-history.ts';
import type { Request } from '../request.ts';
import type { Server } from '../server.ts';
import type { Session } from '../session.ts';
import { type Around, groundOf, mastersOf } from './around.ts';
import { groupsOf } from './scan-pass.ts';

/** What is done at each server, and with what it answers. */
export interface Errand {
  readonly request: Buffer;
  /** At groups without slots too, the first time. */
  readonly everyMaster: boolean;
  /** The replies of some groups: null to go on, else the reply to the client. */
  take(groups: readonly number[], servers: readonly Server[], replies: readonly Buffer[]): Buffer | null;
  finish(): Buffer;
}

/** Slots don't move to and fro faster than servers answer; where they do, somebody should know. */
const ATTEMPTS_MAX = 8;
const KEEPS_MOVING = errorReply('TRYAGAIN slots were moved to and fro all the while, and keys may have been missed; try again');

export class Visit {
  readonly #around: Around;
  readonly #session: Session;
  readonly #errand: Errand;
  readonly #parent: Request;
  /** The slots that are not covered yet; null for all. */
  #left: SlotSet | null = null;
  #attempts = 0;
  /** The table by which this attempt began. */
  #since = 0;

  constructor(around: Around, session: Session, errand: Errand) {
    this.#around = around;
    this.#session = session;
    this.#errand = errand;
    this.#parent = session.enqueue();
    session.afterAll();
  }

  start(): void {
    this.#since = groundOf(this.#around.router).epoch;
    const groups = this.#groups();
    // Slots that were taken out of service meanwhile have no group to be asked.
    if (groups.length === 0 && this.#attempts > 0) this.#session.answer(this.#parent, this.#errand.finish());
    else this.#ask(groups, () => this.#again());
  }

  /** What may have moved past the first round is at its target now. */
  #again(): Buffer | null {
    const { history, table } = this.#around.router.dispatcher;
    const known = history.targets(this.#since, this.#left) ?? [];
    // A group that is gone has handed on what it got: its slots moved twice, and are not covered.
    const targets = new Set([...known].filter((id) => table.topology?.groups.some((group) => group.id === id)));
    if (targets.size === 0) return this.#judge(targets);
    this.#ask([...targets], () => this.#judge(targets));
    return null;
  }

  #judge(again: ReadonlySet<number>): Buffer | null {
    const { epoch, history } = groundOf(this.#around.router);
    const left = history.uncovered({ since: this.#since, until: epoch }, (_, to) => again.has(to));
    const known = this.#left;
    const rest = left === null ? known : left.map((is, slot) => (is === 1 && known?.[slot] !== 0 ? 1 : 0));
    if (left !== null && rest?.every((is) => is === 0) !== false) return this.#errand.finish();
    if (++this.#attempts >= ATTEMPTS_MAX) return KEEPS_MOVING;
    this.#left = rest;
    this.start();
    return null;
  }

  #groups(): number[] {
    const { topology } = this.#around.router.table;
    if (topology === null) return [];
    const groups = groupsOf(this.#left, topology.slots);
    if (!this.#errand.everyMaster || this.#attempts > 0) return groups;
    const others = topology.groups.filter(({ id, servers }) => !groups.includes(id) && servers.some(({ role }) => role === 'master'));
    return [...groups, ...others.map(({ id }) => id)];
  }

  #ask(groups: readonly number[], then: () => Buffer | null): void {
    const { router } = this.#around;
    const servers = mastersOf(router, groups);
    if (Buffer.isBuffer(servers)) {
      this.#session.answer(this.#parent, servers);
      return;
    }
    const merge: Merge = (replies) => this.#errand.take(groups, servers, replies) ?? then();
    router.ask(this.#session, servers, () => this.#errand.request, merge, this.#parent);
  }
}

/** Runs an errand, in its turn. */
export function visit(around: Around, session: Session, asked: { command: Command; frame: Frame }, errand: () => Errand): null {
  if (session.inOrder(asked.command, asked.frame)) new Visit(around, session, errand()).start();
  return null;
}
