// A FIFO of requests in one array: those sent over a backend connection whose replies are still to come.
//
//   | … | first … last | … |   indices run over the end and begin again; the size is a power of two
//
// A request keeps the number it got when it was pushed, whatever happens to the array: numbers count up and wrap as 32-bit integers do.

import type { Request } from './request.ts';

export class Ring {
  #items: (Request | null)[] = new Array<Request | null>(64).fill(null);
  #mask = 63;
  /** Number of the oldest. */
  #first = 0;
  length = 0;

  push(request: Request): void {
    if (this.length > this.#mask) this.#grow();
    this.#items[(this.#first + this.length) & this.#mask] = request;
    this.length++;
  }

  /** Number of the oldest, and of the one that is pushed next. */
  get first(): number {
    return this.#first;
  }

  get next(): number {
    return (this.#first + this.length) | 0;
  }

  /** The oldest; the ring must not be empty. */
  peek(): Request {
    return this.#items[this.#first & this.#mask] as Request;
  }

  shift(): Request {
    const at = this.#first & this.#mask;
    const request = this.#items[at] as Request;
    this.#items[at] = null;
    this.#first = (this.#first + 1) | 0;
    this.length--;
    return request;
  }

  /** The nth oldest. */
  at(index: number): Request {
    return this.#items[(this.#first + index) & this.#mask] as Request;
  }

  #grow(): void {
    const grown = new Array<Request | null>(this.#items.length * 2).fill(null);
    const mask = grown.length - 1;
    for (let at = 0; at < this.length; at++) grown[(this.#first + at) & mask] = this.at(at);
    this.#items = grown;
    this.#mask = mask;
  }
}
