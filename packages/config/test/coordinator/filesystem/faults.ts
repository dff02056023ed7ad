// Faults brought upon a filesystem coordinator's directory, through the driver's own storage layer.

import { join } from 'node:path';
import { type Document, withoutSessions } from '../../../src/coordinator/filesystem/document.ts';
import { DocumentStore } from '../../../src/coordinator/filesystem/store.ts';
import { VersionedFiles } from '../../../src/coordinator/filesystem/versioned-files.ts';

/** The store of a product as another process would use it. */
export function storeOf(place: { dir: string; product: string }): DocumentStore {
  return new DocumentStore(new VersionedFiles(join(place.dir, place.product)), { product: place.product, known: ['sessions'] });
}

/** Ends a session as another process does that has had no sign of life from it. */
export async function endSession(place: { dir: string; product: string; session: string }): Promise<void> {
  const store = storeOf(place);
  const change = (base: Document) => withoutSessions(base, [place.session]);
  await store.update({ writer: 'fault', newest: () => store.newestOrEmpty(), change });
}
