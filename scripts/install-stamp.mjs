// Whether node_modules is what package-lock.json says: a stamp with the lock's hash, written when an install has ended well.
// Who installs removes node_modules first, so an install that was cut short leaves no stamp. Run as npm's postinstall, it covers installs by hand.

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
  // `npm install --package-lock-only` ends here too, with nothing to be stamped.
  if (existsSync(join(top, 'node_modules'))) writeStamp(top);
}
