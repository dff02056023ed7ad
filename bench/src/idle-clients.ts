// Clients that are connected and say nothing.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** How many connect at one time: less than servers let wait. */
const AT_ONCE = 50;

export class IdleClients {
  readonly #sockets: Socket[] = [];
  readonly #port: number;
  #failure: Error | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Until there are so many. */
  async fillTo(count: number): Promise<void> {
    while (this.#sockets.length < count) {
      const wave = Math.min(AT_ONCE, count - this.#sockets.length);
      await Promise.all(Array.from({ length: wave }, () => this.#open()));
    }
  }

  /** Throws when one of them was disconnected: then there were not so many. */
  close(): void {
    for (const socket of this.#sockets) socket.off('close', this.#onClose).destroy();
    if (this.#failure) throw this.#failure;
  }

  async #open(): Promise<void> {
    const socket = connect({ port: this.#port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.on('close', this.#onClose);
    this.#sockets.push(socket);
  }

  readonly #onClose = () => {
    this.#failure ??= new Error(`an idle client of port ${this.#port} was disconnected`);
  };
}
