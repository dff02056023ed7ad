// KEYS pattern: the keys of all groups as one array, each once.

import { encodeRequest } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { TOO_LARGE } from '../gather.ts';
import { arg } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import type { Order, SlotSet } from '../move-history.ts';
import { type Around, arrayOf, type Bulks, commandNamed, groundOf, isError, keepKeys } from './around.ts';
import { mayHold } from './scan-pass.ts';
import { type Errand, visit } from './visit.ts';

const KEYS = commandNamed('keys');
/** A pass in which no move goes the right way: every slot that moved. */
const NONE: Order = () => false;

export function keysCommands(around: Around): Handlers {
  return [['keys', (session, frame) => visit(around, session, { command: KEYS, frame }, () => new KeysErrand(around, frame))]];
}

class KeysErrand implements Errand {
  readonly request: Buffer;
  readonly everyMaster = false;
  readonly #around: Around;
  readonly #since: number;
  #isFirst = true;
  #runs: Buffer[] = [];
  #count = 0;
  #bytes = 0;

  constructor(around: Around, frame: Frame) {
    this.#around = around;
    this.#since = groundOf(around.router).epoch;
    this.request = encodeRequest(['KEYS', arg(frame, 1)]);
  }

  take(groups: readonly number[], _: unknown, replies: readonly Buffer[]): Buffer | null {
    const failed = replies.find(isError);
    if (failed !== undefined) return failed;
    const { slots } = groundOf(this.#around.router);
    const asked = this.#isFirst ? null : this.#moved();
    this.#isFirst = false;
    for (const [at, reply] of replies.entries()) {
      const group = groups[at] as number;
      this.#add(
        keepKeys(reply, (slot, start, end) => {
          const state = slots[slot];
          return state !== undefined && asked?.[slot] !== 0 && mayHold(state, group) && !this.#around.isReserved(reply, start, end);
        }),
      );
    }
    return this.#bytes > this.#around.replyBytesMax ? TOO_LARGE : null;
  }

  finish(): Buffer {
    return arrayOf(this.#withoutDoubles());
  }

  #add({ runs, count }: Bulks): void {
    for (const run of runs) {
      this.#runs.push(run);
      this.#bytes += run.length;
    }
    this.#count += count;
  }

  /** The slots that moved since the beginning, which groups are asked for again; null for any. */
  #moved(): SlotSet | null {
    const { epoch, history } = groundOf(this.#around.router);
    return history.uncovered({ since: this.#since, until: epoch }, NONE);
  }

  /** Only a key of a slot that moved can have been found at two places. */
  #withoutDoubles(): Bulks {
    const all = { runs: this.#runs, count: this.#count };
    const moved = this.#moved();
    if (moved?.every((is) => is === 0) === true) return all;
    const seen = new Set<string>();
    const found = arrayOf(all);
    return keepKeys(found, (slot, start, end) => {
      if (moved?.[slot] === 0) return true;
      const count = seen.size;
      return seen.add(found.toString('latin1', start, end)).size > count;
    });
  }
}
