// The document's text: JSON with one session or node per line, so that `cat`, `grep` and `diff` show what a product holds. A value stands as
// JSON where it is compact JSON, else as text where it is valid utf-8, else as base64; whichever it is, it comes back byte for byte.

import type { SessionId } from '../coordinator.ts';
import type { Document, Node, SessionRecord } from './document.ts';
import { asProcessIdentity } from './process-identity.ts';

const FORMAT = 1;

/** Nodes are immutable and mostly survive a commit, so their lines are kept. */
const nodeLines = new WeakMap<Node, string>();

export function encodeDocument(document: Document, product: string): string {
  const sessions = [...document.sessions].map(([id, record]) => JSON.stringify({ id, ...record }));
  const nodes = [...document.nodes].map(([path, node]) => nodeLine(path, node));
  const head = JSON.stringify({ format: FORMAT, product, version: document.version }).slice(0, -1);
  return `${head},\n"sessions":[\n${sessions.join(',\n')}\n],\n"nodes":[\n${nodes.join(',\n')}\n]}\n`;
}

function nodeLine(path: string, node: Node): string {
  const known = nodeLines.get(node);
  if (known !== undefined) return known;
  const { version, changed, owner } = node;
  const head = JSON.stringify({ path, version, changed, ...(owner === null ? {} : { owner }) }).slice(0, -1);
  const line = `${head},${encodeValue(node.data)}}`;
  nodeLines.set(node, line);
  return line;
}

function encodeValue(data: Buffer): string {
  const text = data.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(data)) return `"base64":"${data.toString('base64')}"`;
  return isCompactJson(text) ? `"json":${text}` : `"text":${JSON.stringify(text)}`;
}

/** Whether decoding and encoding gives the same text again. */
function isCompactJson(text: string): boolean {
  if (!text.startsWith('{') && !text.startsWith('[')) return false;
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/** Reads what `encodeDocument` wrote; throws an Error that says what is wrong with anything else. Nodes that are as in `previous` are the
 *  same objects as there, so that a change is told by identity. */
export function decodeDocument(text: string, expected: { product: string; version: number; previous: Document | null }): Document {
  const value = asRecord(JSON.parse(text), 'it');
  if (value['format'] !== FORMAT) throw new TypeError(`its format is ${JSON.stringify(value['format'])}, not ${FORMAT}`);
  if (value['product'] !== expected.product) throw new TypeError(`it belongs to the product ${JSON.stringify(value['product'])}`);
  if (value['version'] !== expected.version) throw new TypeError(`it says that it is version ${JSON.stringify(value['version'])}`);
  const sessions = new Map(asArray(value['sessions'], 'sessions').map(decodeSession));
  const nodes = new Map<string, Node>();
  for (const item of asArray(value['nodes'], 'nodes')) {
    const { path, node } = decodeNode(item);
    if (node.owner !== null && !sessions.has(node.owner))
      throw new TypeError(`${path} belongs to the session ${node.owner}, which is not there`);
    const before = expected.previous?.nodes.get(path);
    nodes.set(path, before && sameNode(before, node) ? before : node);
  }
  return { version: expected.version, sessions, nodes };
}

function decodeSession(item: unknown): [SessionId, SessionRecord] {
  const value = asRecord(item, 'a session');
  const record = {
    process: asProcessIdentity(asRecord(value['process'], 'a process')),
    timeoutMs: asCount(value['timeoutMs'], 'timeoutMs'),
    commits: asCount(value['commits'], 'commits'),
  };
  return [asText(value['id'], 'a session id'), record];
}

function decodeNode(item: unknown): { path: string; node: Node } {
  const value = asRecord(item, 'a node');
  const path = asText(value['path'], 'a path');
  const node = {
    data: decodeValue(value, path),
    version: asCount(value['version'], `the version of ${path}`),
    owner: value['owner'] === undefined ? null : asText(value['owner'], `the owner of ${path}`),
    changed: asCount(value['changed'], `changed of ${path}`),
  };
  return { path, node };
}

function decodeValue(value: Record<string, unknown>, path: string): Buffer {
  if (value['base64'] !== undefined) return Buffer.from(asText(value['base64'], `base64 of ${path}`), 'base64');
  if (value['json'] !== undefined) return Buffer.from(JSON.stringify(value['json']));
  return Buffer.from(asText(value['text'], `the value of ${path}`), 'utf8');
}

function sameNode(a: Node, b: Node): boolean {
  return a.changed === b.changed && a.version === b.version && a.owner === b.owner && a.data.equals(b.data);
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function asArray(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} is not an array`);
  return value;
}

function asText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new TypeError(`${what} is not a text`);
  return value;
}

function asCount(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new TypeError(`${what} is not a whole number`);
  return value;
}
