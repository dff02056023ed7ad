// Whether node_modules is what package-lock.json says: a stamp with the lock's hash, written when an install has ended well.
// npm removes node_modules before it installs, so an install that was cut short leaves no stamp. Run as npm's postinstall, it covers installs by hand.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const stampOf = (top) => join(top, 'node_modules/.codis-install');

/** The lock and what the packages' binaries were chosen for. */
const fingerprint = (top) =>
  `${createHash('sha256')
    .update(readFileSync(join(top, 'package-lock.json')))
    .digest('hex')} ${process.platform} ${process.arch}\n`;

export function isInstalled(top) {
  return existsSync(stampOf(top)) && readFileSync(stampOf(top), 'utf8') === fingerprint(top);
}

export function writeStamp(top) {
  writeFileSync(stampOf(top), fingerprint(top));
}

const self = fileURLToPath(import.meta.url);
if (process.argv[1] !== undefined && resolve(process.argv[1]) === self) {
  const top = resolve(self, '../..');
  // `npm install --no-save x` and the like also end here; a node_modules that is not there has nothing to be stamped.
  if (existsSync(join(top, 'node_modules'))) writeStamp(top);
}
