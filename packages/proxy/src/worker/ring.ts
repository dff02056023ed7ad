// A FIFO of requests in one array: those sent over a backend connection whose replies are still to come.
//
//   | … | first … last | … |   indices run over the end and begin again; the size is a power of two

import type { Request } from './request.ts';

export class Ring {
  #items: (Request | null)[] = new Array<Request | null>(64).fill(null);
  #mask = 63;
  #first = 0;
  length = 0;

  push(request: Request): void {
    if (this.length > this.#mask) this.#grow();
    this.#items[(this.#first + this.length) & this.#mask] = request;
    this.length++;
  }

  /** The oldest; the ring must not be empty. */
  peek(): Request {
    return this.#items[this.#first] as Request;
  }

  shift(): Request {
    const request = this.#items[this.#first] as Request;
    this.#items[this.#first] = null;
    this.#first = (this.#first + 1) & this.#mask;
    this.length--;
    return request;
  }

  /** The nth oldest. */
  at(index: number): Request {
    return this.#items[(this.#first + index) & this.#mask] as Request;
  }

  #grow(): void {
    const grown = new Array<Request | null>(this.#items.length * 2).fill(null);
    for (let at = 0; at < this.length; at++) grown[at] = this.at(at);
    this.#items = grown;
    this.#mask = grown.length - 1;
    this.#first = 0;
  }
}
