// Asks the proxies every ten seconds what each slot got, whether or not somebody watches, so that there is a past to show.

import type { Coordinator } from '@codis/config/coordinator';
import { isCodisError } from '@codis/config/model';
import { listProxies } from '@codis/config/operations';
import type { Logger } from 'pino';
import { SlotHistory } from './slot-history.ts';
import { SlotMeter } from './slot-rates.ts';

const PERIOD_MS = 10_000;

export class SlotWatch {
  readonly history = new SlotHistory();
  readonly #meter = new SlotMeter();
  readonly #coordinator: Coordinator;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor({ coordinator, log }: { coordinator: Coordinator; log: Logger }) {
    this.#coordinator = coordinator;
    this.#log = log;
  }

  start(): void {
    this.#schedule(0);
  }

  /** Resolves when the look under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => this.#schedule(PERIOD_MS));
    }, ms);
  }

  async #look(): Promise<void> {
    try {
      const rates = await this.#meter.read(await listProxies(this.#coordinator));
      if (rates !== null) this.history.add(Date.now(), rates);
    } catch (error) {
      if (!isCodisError(error)) this.#log.error({ err: error }, 'the requests of slots could not be counted');
    }
  }
}
