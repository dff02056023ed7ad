// Asks the proxies once a minute which keys were hot in the one that is over, whether or not somebody watches, so that there is a past to show.

import type { Coordinator } from '@codis/config/coordinator';
import { emptyTopology, isCodisError } from '@codis/config/model';
import { listProxies, readTopologyIfAny } from '@codis/config/operations';
import type { Logger } from 'pino';
import { ASKED_AFTER_MS, HotKeyHistory } from './hot-key-history.ts';
import { readHotMinute } from './hot-keys.ts';

const MINUTE_MS = 60_000;

export class HotKeyWatch {
  readonly history = new HotKeyHistory();
  readonly #coordinator: Coordinator;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> = Promise.resolve();
  #closed = false;

  constructor({ coordinator, log }: { coordinator: Coordinator; log: Logger }) {
    this.#coordinator = coordinator;
    this.#log = log;
  }

  start(): void {
    this.history.begin(Date.now());
    this.#schedule();
  }

  /** Resolves when the proxies are not being asked any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#asking;
  }

  #schedule(): void {
    if (this.#closed) return;
    const ms = MINUTE_MS - ((Date.now() - ASKED_AFTER_MS) % MINUTE_MS);
    this.#timer = setTimeout(() => {
      this.#asking = this.#ask().then(() => this.#schedule());
    }, ms);
  }

  async #ask(): Promise<void> {
    const nowMs = Date.now();
    // Timers may be a moment early.
    const minute = Math.round((nowMs - ASKED_AFTER_MS) / MINUTE_MS) - 1;
    try {
      const [current, proxies] = await Promise.all([readTopologyIfAny({ coordinator: this.#coordinator }), listProxies(this.#coordinator)]);
      const told = await readHotMinute(proxies, nowMs - (minute + 1) * MINUTE_MS);
      this.history.add(minute, { told, topology: current?.topology ?? emptyTopology(), nowMs });
    } catch (error) {
      if (!isCodisError(error)) this.#log.error({ err: error }, 'the proxies could not be asked for hot keys');
      this.history.failed(minute, { trouble: error instanceof Error ? error.message : String(error), nowMs });
    }
  }
}
