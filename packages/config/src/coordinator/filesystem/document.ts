// The document: everything one product keeps, as one immutable value. A commit is a function from a document to the next one, so many steps
// are trivially one change; the file that holds it is versioned-files.ts, its text document-codec.ts.
//
// Invariant: a node's parent exists and is not ephemeral; an ephemeral's owner is in `sessions`.

import { unreachable } from '../../model/index.ts';
import { parentOf } from '../checks.ts';
import type { Entry, Op, Refusal, SessionId } from '../coordinator.ts';
import type { ProcessIdentity } from './process-identity.ts';

export interface Node {
  readonly data: Buffer;
  readonly version: number;
  readonly owner: SessionId | null;
  /** The document's version that last created or set it: tells a node from one deleted and created again. */
  readonly changed: number;
}

export interface SessionRecord {
  readonly process: ProcessIdentity;
  readonly timeoutMs: number;
  /** How many commits of this session are in the document. A session makes one at a time, so the count tells whether the last one was done. */
  readonly commits: number;
}

export interface Document {
  /** The number of its file; 0 for the empty document, which no file holds. */
  readonly version: number;
  readonly sessions: ReadonlyMap<SessionId, SessionRecord>;
  readonly nodes: ReadonlyMap<string, Node>;
}

export const EMPTY_DOCUMENT: Document = { version: 0, sessions: new Map(), nodes: new Map() };

/** A node as callers see it; the data is a copy, theirs to keep. */
export function entryOf(node: Node | undefined): Entry | null {
  return node ? { data: Buffer.from(node.data), version: node.version, owner: node.owner } : null;
}

/** Names of the children of `parent`, sorted. */
export function childNames(document: Document, parent: string): string[] {
  const names: string[] = [];
  for (const path of document.nodes.keys()) if (parentOf(path) === parent) names.push(parent === '' ? path : path.slice(parent.length + 1));
  return names.sort();
}

export function withSession(document: Document, id: SessionId, record: SessionRecord): Document {
  return { ...document, version: document.version + 1, sessions: new Map(document.sessions).set(id, record) };
}

/** Without these sessions and their ephemerals; the same document when none of them is in it. */
export function withoutSessions(document: Document, ids: readonly SessionId[]): Document {
  const ended = new Set(ids.filter((id) => document.sessions.has(id)));
  if (ended.size === 0) return document;
  return {
    version: document.version + 1,
    sessions: new Map([...document.sessions].filter(([id]) => !ended.has(id))),
    nodes: new Map([...document.nodes].filter(([, node]) => node.owner === null || !ended.has(node.owner))),
  };
}

export type Applied =
  | { readonly ok: true; readonly document: Document; readonly versions: readonly number[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** All steps, in the name of a session that is in the document; the same document when there was nothing but checks. */
export function applyOps(document: Document, ops: readonly Op[], by: { id: SessionId; record: SessionRecord }): Applied {
  const nodes = new Map(document.nodes);
  const versions: number[] = [];
  for (const [index, op] of ops.entries()) {
    const reason = refusalOf(nodes, op);
    if (reason) return { ok: false, refusal: { index, path: op.path, reason } };
    versions.push(applyOp(nodes, op, { session: by.id, changed: document.version + 1 }));
  }
  if (ops.every((op) => op.op === 'check')) return { ok: true, document, versions };
  const sessions = new Map(document.sessions).set(by.id, { ...by.record, commits: by.record.commits + 1 });
  return { ok: true, document: { version: document.version + 1, sessions, nodes }, versions };
}

function refusalOf(nodes: ReadonlyMap<string, Node>, op: Op): Refusal['reason'] | null {
  const node = nodes.get(op.path);
  if (op.op === 'create') {
    const parent = parentOf(op.path);
    if (parent !== '' && !nodes.has(parent)) return 'no-parent';
    if (node) return 'exists';
    return nodes.get(parent)?.owner ? 'ephemeral-parent' : null;
  }
  if (!node) return 'missing';
  if (op.version !== undefined && op.version !== node.version) return 'version';
  return op.op === 'delete' && hasChildren(nodes, op.path) ? 'not-empty' : null;
}

/** Carries out a step that is not refused; returns the version its node is at afterwards, -1 for none. */
function applyOp(nodes: Map<string, Node>, op: Op, by: { session: SessionId; changed: number }): number {
  const version = nodes.get(op.path)?.version ?? -1;
  switch (op.op) {
    case 'create':
      nodes.set(op.path, { data: Buffer.from(op.data), version: 0, owner: op.ephemeral ? by.session : null, changed: by.changed });
      return 0;
    case 'set': {
      const owner = nodes.get(op.path)?.owner ?? null;
      nodes.set(op.path, { data: Buffer.from(op.data), version: version + 1, owner, changed: by.changed });
      return version + 1;
    }
    case 'delete':
      nodes.delete(op.path);
      return -1;
    case 'check':
      return version;
    default:
      return unreachable(op);
  }
}

function hasChildren(nodes: ReadonlyMap<string, Node>, path: string): boolean {
  const prefix = `${path}/`;
  for (const other of nodes.keys()) if (other.startsWith(prefix)) return true;
  return false;
}
