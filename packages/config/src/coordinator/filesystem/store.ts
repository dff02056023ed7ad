// The document as processes share it: the newest one, cached by its version, and changes to it that are retried until they are in.
//
// Owned by one connection and used for one thing at a time. It knows nothing of sessions beyond handing documents over.

import { CodisError } from '../../model/index.ts';
import { type Document, EMPTY_DOCUMENT } from './document.ts';
import { decodeDocument, encodeDocument } from './document-codec.ts';
import type { VersionedFiles } from './versioned-files.ts';

/** How often a version may be removed between its listing and its reading: each time stands for VERSIONS_KEPT commits by others. */
const READ_ATTEMPTS_MAX = 100;

/** Makes the next document of a base; the base itself when there is nothing to change, as when an attempt before was stored after all. */
export type Change = (base: Document) => Document;

export class DocumentStore {
  readonly files: VersionedFiles;
  readonly #product: string;
  /** Names beside the versions that belong here. */
  readonly #known: readonly string[];
  #cached: Document | null = null;
  /** Whether a version's number is enough to know that `#cached` is what its file holds. */
  #trusted = true;

  constructor(files: VersionedFiles, options: { product: string; known: readonly string[] }) {
    this.files = files;
    this.#product = options.product;
    this.#known = options.known;
  }

  /** Reads the newest file again though its number is known: the directory may be another one. */
  distrust(): void {
    this.#trusted = false;
  }

  /** The newest document; null when the directory or every version in it is gone. */
  async newest(): Promise<Document | null> {
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const version = await this.files.newestVersion().catch(zeroWhenMissing);
      if (version === 0) return null;
      if (this.#trusted && this.#cached?.version === version) return this.#cached;
      const text = await this.files.read(version);
      if (text === null) continue;
      this.#cached = this.#decode(text, version);
      this.#trusted = true;
      return this.#cached;
    }
    throw new CodisError('CODIS_E_COORDINATOR_LOST', `${this.files.dir} changes faster than it can be read`);
  }

  /** As `newest`, with the empty document for a directory that holds nothing yet. Throws CODIS_E_COORDINATOR_CORRUPT for one that holds other things. */
  async newestOrEmpty(): Promise<Document> {
    const document = await this.newest();
    if (document) return document;
    const [stranger] = await this.files.strangers(this.#known);
    if (stranger === undefined) return EMPTY_DOCUMENT;
    const message = `${this.files.dir} is not a coordinator's directory: it holds ${stranger}; name another coordinator_dir in config.ini, or empty it`;
    throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', message);
  }

  /** Stores `change` of the newest document, again and again until no other process comes first. `newest` reads the base. What it throws, and an I/O
   *  error, mean that nothing was done; CODIS_E_COORDINATOR_UNKNOWN means that this can't be told. */
  async update(options: { writer: string; newest: () => Promise<Document>; change: Change }): Promise<Document> {
    let failure: unknown;
    let attempted = false;
    for (;;) {
      const base = await options.newest().catch((cause: unknown) => {
        throw attempted ? unknownOutcome(this.files.dir, cause) : cause;
      });
      const next = options.change(base);
      if (next === base) return base;
      // What failed is not stored, or the change would have had nothing left to do.
      if (failure !== undefined) throw failure;
      try {
        const published = await this.files.publish(next.version, encodeDocument(next, this.#product), options.writer);
        if (published === 'done') {
          this.#cached = next;
          return next;
        }
        attempted ||= published === 'overtaken';
      } catch (error) {
        failure = error;
        attempted = true;
      }
    }
  }

  #decode(text: string, version: number): Document {
    try {
      return decodeDocument(text, { product: this.#product, version, previous: this.#cached });
    } catch (cause) {
      const file = this.files.fileOf(version);
      const todo = 'stop all programs of this product, then restore it from a backup, or remove it so that the version before it counts';
      const message = `${file} is not what a coordinator wrote: ${(cause as Error).message}; ${todo}`;
      throw new CodisError('CODIS_E_COORDINATOR_CORRUPT', message, { cause });
    }
  }
}

function unknownOutcome(dir: string, cause: unknown): CodisError {
  const message = `${dir} could not be read again after a write: ${(cause as Error).message}`;
  return new CodisError('CODIS_E_COORDINATOR_UNKNOWN', message, { cause });
}

function zeroWhenMissing(error: NodeJS.ErrnoException): number {
  if (error.code === 'ENOENT') return 0;
  throw error;
}
