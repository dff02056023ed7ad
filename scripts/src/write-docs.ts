// `npm run docs`: writes config.ini, docs/config.md, docs/commands.md and docs/errors.md from the tables in the code.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { generatedFiles } from './docs.ts';

const TOP = resolve(import.meta.dirname, '../..');

for (const [path, text] of generatedFiles()) {
  writeFileSync(resolve(TOP, path), text);
  console.log(`wrote ${path}`);
}
