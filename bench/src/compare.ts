// `npm run bench:compare -- A.json B.json`: two results of `npm run bench` or `npm run bench:micro` beside each other.

import { readFileSync } from 'node:fs';
import { renderComparison } from './differences.ts';
import { parseResults, type Results } from './figures.ts';
import { COMPARE_HELP, readCompareOptions } from './options.ts';

/** Gives the exit code. */
function main(argv: readonly string[]): number {
  try {
    const options = readCompareOptions(argv);
    process.stdout.write(options === null ? COMPARE_HELP : renderComparison(read(options.before), read(options.after)));
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

function read(path: string): Results {
  try {
    return parseResults(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

process.exitCode = main(process.argv.slice(2));
