// Numbers that workers give out on their own and that are unique in their proxy, though workers die and are replaced. Each worker counts in steps of the
// number of workers; a replacement begins where its predecessor can't have come to, since nobody gives out 2^24 numbers in a second.

import { invariant } from '@codis/config/model';
import type { WorkerPlace } from '../ipc.ts';

const PER_SECOND = 2 ** 24;

export class Places {
  readonly #workers: number;
  /** A multiple of the number of workers, so that a place keeps its numbers: the remainder says which it is. */
  readonly #perSecond: number;
  readonly #startedAt = performance.now();
  /** Free places: at which second the last worker of each began, -1 for none. */
  readonly #free: { readonly number: number; readonly second: number }[];
  readonly #taken = new Map<number, { readonly number: number; readonly second: number }>();

  constructor(workers: number) {
    this.#workers = workers;
    this.#perSecond = Math.ceil(PER_SECOND / workers) * workers;
    this.#free = Array.from({ length: workers }, (_, number) => ({ number, second: -1 }));
  }

  /** A place for the worker that `worker` names to this class. */
  take(worker: number): WorkerPlace {
    const place = this.#free.shift();
    invariant(place !== undefined, 'there are no more workers than places');
    const second = place.second < 0 ? 0 : Math.max(place.second + 1, Math.ceil((performance.now() - this.#startedAt) / 1000));
    this.#taken.set(worker, { number: place.number, second });
    return { workers: this.#workers, firstId: second * this.#perSecond + place.number + 1 };
  }

  /** That worker is gone. */
  giveBack(worker: number): void {
    const place = this.#taken.get(worker);
    this.#taken.delete(worker);
    if (place !== undefined) this.#free.push(place);
  }
}
