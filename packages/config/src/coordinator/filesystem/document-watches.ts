// Who watches what: each listener is called with the first document it is shown, and then with those in which its part has changed.
//
// Invariant: documents are shown in the order of their versions, so no listener is ever taken back.

import type { Entry, Unsubscribe } from '../coordinator.ts';
import { callListener } from '../session-state.ts';
import { childNames, type Document, entryOf, type Node } from './document.ts';

type Show = (document: Document) => void;

export class DocumentWatches {
  readonly #shows = new Set<Show>();

  get size(): number {
    return this.#shows.size;
  }

  node(path: string, listener: (entry: Entry | null) => void): Unsubscribe {
    let last: Node | undefined | 'nothing yet' = 'nothing yet';
    return this.#add((document) => {
      const node = document.nodes.get(path);
      if (node === last) return;
      last = node;
      callListener(listener, entryOf(node));
    });
  }

  children(path: string, listener: (names: readonly string[]) => void): Unsubscribe {
    let last: string | null = null;
    return this.#add((document) => {
      const names = childNames(document, path);
      const key = names.join('/');
      if (key === last) return;
      last = key;
      callListener(listener, names);
    });
  }

  show(document: Document): void {
    for (const show of [...this.#shows]) if (this.#shows.has(show)) show(document);
  }

  clear(): void {
    this.#shows.clear();
  }

  #add(show: Show): Unsubscribe {
    this.#shows.add(show);
    return () => void this.#shows.delete(show);
  }
}
