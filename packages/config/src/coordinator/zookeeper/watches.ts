// Level-triggered watches on top of ZooKeeper's one-shot ones: whatever fires, the path is read and armed again in one call, and listeners hear of it
// if what was read differs from what they heard last. A reconnect and a new session are no different: everything is read again.
//
// One watch and one callback per path, however many listen: ZooKeeper can't take a watch back, and the library piles up callbacks. A path that nobody
// listens to any more is forgotten when its watch fires or its connection ends.
//
// Invariant: a path that has listeners is either armed (`fresh`), being read, or waiting for the connection.

import type { Unsubscribe } from '../coordinator.ts';
import { callListener } from '../session-state.ts';
import { Deadline } from './deadline.ts';

const RETRY_MS = 1000;

export interface WatchSource<T> {
  /** Reads and arms `onChange`. */
  read(path: string, onChange: () => void): Promise<T>;
  same(a: T, b: T): boolean;
  /** Told of a read that failed; returns whether it is worth another try by itself, rather than with the next connection. */
  failed(path: string, error: unknown): boolean;
}

interface Listener<T> {
  readonly call: (value: T) => void;
  heard: { readonly value: T } | null;
}

interface Watched<T> {
  readonly path: string;
  readonly listeners: Set<Listener<T>>;
  readonly onChange: () => void;
  current: { readonly value: T } | null;
  /** `current` is what ZooKeeper has, as far as it has told, and the watch is armed. */
  fresh: boolean;
  reading: boolean;
  /** Something happened since the read under way began. */
  again: boolean;
}

export class Watches<T> {
  readonly #source: WatchSource<T>;
  readonly #watched = new Map<string, Watched<T>>();
  readonly #retry = new Deadline();
  #closed = false;

  constructor(source: WatchSource<T>) {
    this.#source = source;
  }

  /** How many paths are watched, also those that nobody listens to any more. */
  get size(): number {
    return this.#watched.size;
  }

  add(path: string, call: (value: T) => void): Unsubscribe {
    if (this.#closed) return () => undefined;
    const watched = this.#watched.get(path) ?? this.#open(path);
    const listener: Listener<T> = { call, heard: null };
    watched.listeners.add(listener);
    if (watched.fresh) queueMicrotask(() => this.#tell(watched));
    // A read under way was asked for after whatever the caller knows, and will tell.
    else if (!watched.reading) this.#refresh(watched);
    return () => {
      watched.listeners.delete(listener);
      this.#forgetIfIdle(watched);
    };
  }

  /** There is a connection: read everything. */
  resume(): void {
    for (const watched of this.#watched.values()) this.#refresh(watched);
  }

  /** The connection is gone, and every armed watch with it. */
  pause(): void {
    this.#retry.stop();
    for (const watched of this.#watched.values()) {
      watched.fresh = false;
      this.#forgetIfIdle(watched);
    }
  }

  close(): void {
    this.#closed = true;
    this.#retry.stop();
    for (const watched of this.#watched.values()) watched.listeners.clear();
    this.#watched.clear();
  }

  #open(path: string): Watched<T> {
    const onChange = () => {
      watched.fresh = false;
      if (!this.#forgetIfIdle(watched)) this.#refresh(watched);
    };
    const watched: Watched<T> = { path, listeners: new Set(), onChange, current: null, fresh: false, reading: false, again: false };
    this.#watched.set(path, watched);
    return watched;
  }

  #refresh(watched: Watched<T>): void {
    watched.again = true;
    if (!watched.reading) void this.#read(watched);
  }

  async #read(watched: Watched<T>): Promise<void> {
    watched.reading = true;
    while (watched.again && watched.listeners.size > 0) {
      watched.again = false;
      try {
        const value = await this.#source.read(watched.path, watched.onChange);
        watched.current = { value };
        watched.fresh = !watched.again;
        this.#tell(watched);
      } catch (error) {
        if (!this.#closed && this.#source.failed(watched.path, error)) this.#retry.start(RETRY_MS, () => this.resume());
      }
    }
    watched.reading = false;
    this.#forgetIfIdle(watched);
  }

  #tell(watched: Watched<T>): void {
    const { current } = watched;
    if (!current) return;
    for (const listener of [...watched.listeners]) {
      if (!watched.listeners.has(listener)) continue;
      if (listener.heard && this.#source.same(listener.heard.value, current.value)) continue;
      listener.heard = current;
      callListener(listener.call, current.value);
    }
  }

  #forgetIfIdle(watched: Watched<T>): boolean {
    const idle = watched.listeners.size === 0 && !watched.fresh && !watched.reading;
    if (idle && this.#watched.get(watched.path) === watched) this.#watched.delete(watched.path);
    return idle;
  }
}
