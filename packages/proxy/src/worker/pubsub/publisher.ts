// PUBLISH and SPUBLISH: to one master alone, over the connection that everybody shares, for every worker is subscribed on every master.
//
// Which one: the master of the group that has the slot of the channel's name; while that slot is locked or migrating, of the group it leaves. So
// through all of a move, whichever step of it a proxy has heard of, one channel goes by one server, and changes once, when the move is complete.
// A lock does not hold a PUBLISH up: it touches no key.
//
// Order: a PUBLISH waits until all that its client sent before was answered, since who gets the message may look at what was written. Only PUBLISHes
// may follow each other at once; those of one channel go to one server, so they stay in order, unless the table changes between them.

import { findGroup, masterOf, type ServerAddr, slotOf } from '@codis/config/model';
import type { Command } from '../../commands/command.ts';
import { errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { MODE_PUBLISHING } from '../modes.ts';
import type { Request } from '../request.ts';
import { type RouteTable, whyNoHome } from '../route-table.ts';
import type { Session } from '../session.ts';

/** What publishing needs of the router. */
export interface PublishRoutes {
  readonly table: RouteTable;
  /** Sends `frame` for `request` to a master of the table, over the connection that this session's requests share. */
  forward(request: Request, master: ServerAddr, frame: Frame): void;
}

export class Publisher {
  readonly #routes: PublishRoutes;
  /** Sessions with MODE_PUBLISHING. */
  readonly #publishing = new Set<Session>();
  /** Of the table by which they published. */
  #epoch = -1;

  constructor(routes: PublishRoutes) {
    this.#routes = routes;
  }

  publish(session: Session, command: Command, frame: Frame): Buffer | null {
    const { table } = this.#routes;
    if (table.epoch !== this.#epoch) this.#onTable(table.epoch);
    if ((session.modes & MODE_PUBLISHING) === 0 && !session.inOrder(command, frame)) return null;
    const slot = slotOf(frame.buf, frame.args[2] as number, frame.args[3] as number);
    const master = publishMaster(table, slot);
    if (master === null) return errorReply(`ERR the message was not published: ${whyNot(table, slot)}`);
    const request = session.enqueue();
    session.modes |= MODE_PUBLISHING;
    this.#publishing.add(session);
    this.#routes.forward(request, master, frame);
    return null;
  }

  /** The client has sent something else: what is published after that waits for it. */
  onOther(session: Session): void {
    session.modes &= ~MODE_PUBLISHING;
    this.#publishing.delete(session);
  }

  forget(session: Session): void {
    this.#publishing.delete(session);
  }

  /** Channels may go by other servers now: what is published next must not overtake what went the old way. */
  #onTable(epoch: number): void {
    this.#epoch = epoch;
    for (const session of this.#publishing) session.modes &= ~MODE_PUBLISHING;
    this.#publishing.clear();
  }
}

/** Where what is published to a channel of this slot goes; null when there is nowhere. */
export function publishMaster({ topology }: RouteTable, slot: number): ServerAddr | null {
  const state = topology?.slots[slot];
  if (!topology || state === undefined || state.kind === 'offline') return null;
  const group = findGroup(topology, state.kind === 'online' ? state.owner : state.from);
  return (group && masterOf(group)) ?? null;
}

function whyNot(table: RouteTable, slot: number): string {
  const state = table.topology?.slots[slot];
  if (state === undefined || state.kind === 'offline' || state.kind === 'online') return whyNoHome(table, slot);
  return `group ${state.from}, which has slot ${slot}, has no master`;
}
