// Carrying a batch of small keys (model/carry.ts): the first two of its three steps. The third is the caller's, who knows when the target's replicas have them.

import { departureKeys, parseAddr, READ_CALLS, READ_SCRIPT, type ServerAddr } from '../model/index.ts';
import { BulkConnection, type ReadReply } from '../redis/bulk-connection.ts';
import { type EncodedArgs, encodeArgs, splitArgs } from '../redis/prepared.ts';
import type { KeyBatch } from './portion.ts';
import { isForbidden } from './server-trouble.ts';
import type { Target } from './target.ts';
import { countOwnCalls, type Office, type Way } from './turn.ts';

export interface CarrierOptions {
  readonly office: Office;
  readonly lane: Way;
  /** Its address, and the process there by its run_id. */
  readonly source: { readonly addr: ServerAddr; readonly run: string };
  readonly target: Target;
}

/** A batch when it has been carried. */
export interface Carried {
  /** At the target, as they are at the source or newer; or at neither. They are to be deleted at the source. */
  readonly names: EncodedArgs;
  /** Not touched. */
  readonly others: EncodedArgs;
}

/** Of memory: for larger ones, on average, it is the bytes that count, and MIGRATE sends them once. */
const SMALL_BYTES = 1024;
/** How long it may take to read a batch. */
const READ_MS = 5000;

const READ = encodeArgs([READ_SCRIPT]);
const NONE = encodeArgs([]);

/** Not when nobody knows how large its keys are. */
export function isOfSmallKeys({ names, bytesCount }: KeyBatch): boolean {
  return bytesCount > 0 && bytesCount <= SMALL_BYTES * names.count;
}

/** For one sweep. */
export class Carrier {
  readonly #options: CarrierOptions;
  #reader: Promise<BulkConnection> | null = null;

  constructor(options: CarrierOptions) {
    this.#options = options;
  }

  /** Null when nothing can be carried from this source: it does not count what leaves it, or DUMP is forbidden there. Throws what a server does wrong; then any of the keys may be at
   *  both. */
  async carry({ db, names }: KeyBatch): Promise<Carried | null> {
    const { office, lane, source, target } = this.#options;
    const { handed, source: named, left } = departureKeys(office.settings.product_name, lane);
    const read = await this.#read([READ, encodeArgs([names.count + 1]), names, encodeArgs([handed, db])]);
    countOwnCalls(office, parseAddr(source.addr), READ_CALLS);
    if (read === null) return null;
    const { number, timed, dumps } = read;
    await target.put([encodeArgs([names.count + 2]), names, encodeArgs([named, left, db, source.run, number]), dumps]);
    if (timed.length === 0) return { names, others: NONE };
    const { picked, others } = splitArgs(names, new Set(timed.map((place) => place - 1)));
    return { names: others, others: picked };
  }

  /** What failed to open is closed. */
  async close(): Promise<void> {
    const reader = await this.#reader?.catch(() => null);
    reader?.close();
  }

  async #read(parts: readonly EncodedArgs[]): Promise<ReadReply | null> {
    this.#reader ??= this.#open();
    const reader = await this.#reader;
    try {
      return await reader.read(parts);
    } catch (error) {
      if (isForbidden(error)) return null;
      throw error;
    }
  }

  #open(): Promise<BulkConnection> {
    const { office, source } = this.#options;
    const { product_auth: password } = office.settings;
    return BulkConnection.open(source.addr, { password, timeoutMs: READ_MS, db: 0, runId: source.run });
  }
}
