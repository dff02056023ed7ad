// MGET, MSET, DEL and the like whose keys are in several slots: taken apart (split.ts), each part sent the way of any request for its slots, and the replies merged
// (merge.ts).

import type { Command } from '../commands/command.ts';
import { errorReply, RESERVED_KEY } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Dispatcher } from './dispatch.ts';
import { Gather } from './gather.ts';
import { reframe } from './held.ts';
import { mergeParts } from './merge.ts';
import { answeredBy } from './replica-reads.ts';
import type { ReservedKeys } from './reserved-keys.ts';
import { APART, ONLINE } from './route-table.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';
import { type Encoded, encodeParts, type Parts, partition, release, wasIn } from './split.ts';
import { wrongArity } from './words.ts';

/** Taking a command apart costs memory for each key, which may have been 6 bytes of input. */
const SPLIT_KEYS_MAX = 1024 * 1024;
const TOO_MANY_KEYS = errorReply(`ERR more than ${SPLIT_KEYS_MAX} keys of several groups in one command; send them in several`);

export class ManySlots {
  readonly #dispatcher: Dispatcher;
  readonly #reserved: ReservedKeys;

  constructor(dispatcher: Dispatcher, reserved: ReservedKeys) {
    this.#dispatcher = dispatcher;
    this.#reserved = reserved;
  }

  /** Why it is not carried out; null when it is on its way. */
  run(session: Session, command: Command, frame: Frame, merge: 'sum' | 'array' | 'ok'): Buffer | null {
    const step = command.keys.kind === 'range' ? command.keys.step : 1;
    if (step === 2 && frame.argc % 2 === 0) return wrongArity(command);
    if (frame.argc - 1 > SPLIT_KEYS_MAX * step) return TOO_MANY_KEYS;
    const parts = partition(frame, step, session.waiting === null ? this.#dispatcher.table.places : APART);
    if (wasIn(this.#reserved.slot) && this.#reserved.areNamed(command, frame)) return RESERVED_KEY;
    const request = session.enqueue();
    const { slots } = parts;
    if (slots.length === 1) {
      const only = slots[0] as readonly number[];
      const server = this.#serverOf(only, session, command);
      if (server === null) this.#dispatcher.dispatch(request, only[0] as number, command, frame);
      else this.#dispatcher.sendAll(request, server, only, frame.buf, frame.start, frame.end);
      return null;
    }
    const encoded = encodeParts(frame, command, parts);
    this.#sendParts(new Gather(request, session, slots.length, mergeParts(merge, parts, request, session), true), parts, encoded, command);
    release(encoded);
    return null;
  }

  #sendParts(gather: Gather, { slots }: Parts, { buf, start: first, ends, reused }: Encoded, command: Command): void {
    const session = gather.parent.session as Session;
    let start = first;
    for (let part = 0; part < ends.length; part++) {
      const end = ends[part] as number;
      const its = slots[part] as readonly number[];
      const server = this.#serverOf(its, session, command);
      const request = gather.take(part);
      if (server !== null) this.#dispatcher.sendAll(request, server, its, buf, start, end);
      else {
        const bytes = buf.subarray(start, end);
        this.#dispatcher.dispatch(request, its[0] as number, command, reframe(reused ? Buffer.from(bytes) : bytes));
      }
      start = end;
    }
  }

  /** Who is sent a part at once; null when it goes the way of any request for its one slot. Keys of several slots travel together only when one server has
   *  them all. */
  #serverOf(slots: readonly number[], session: Session, command: Command): Server | null {
    const { table } = this.#dispatcher;
    const first = slots[0] as number;
    const home = table.home[first] as Server | null;
    if (home === null || (slots.length === 1 && (table.kind[first] !== ONLINE || session.waiting !== null))) return null;
    return session.modes === 0 ? home : answeredBy(home, session, command, table);
  }
}
