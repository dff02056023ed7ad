// The files of the console as they are served: read once when the dashboard starts, and kept in memory with their compressed form. What is not in
// the map is not served, so no path can lead out of the directory.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface Asset {
  readonly bytes: Buffer;
  readonly gzip: Buffer;
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly immutable: boolean;
}

const WEB_DIST = fileURLToPath(new URL('../web/dist', import.meta.url));
export const INDEX = '/index.html';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** By path. Empty when the console has not been built. */
export function readAssets(dir: string = WEB_DIST): ReadonlyMap<string, Asset> {
  if (!existsSync(join(dir, INDEX))) return new Map();
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map((file) => readAsset(dir, join(file.parentPath, file.name))));
}

function readAsset(dir: string, file: string): [string, Asset] {
  const path = file.slice(dir.length).replaceAll('\\', '/');
  const bytes = readFileSync(file);
  const asset = {
    bytes,
    gzip: gzipSync(bytes),
    type: TYPES[extname(file)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    immutable: path.startsWith('/assets/'),
  };
  return [path, asset];
}
