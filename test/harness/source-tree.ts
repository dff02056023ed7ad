// The sources of the repository as data: which files there are, what each imports, and where an import leads.
//
// Works on the text (TypeScript 7 has no compiler API): formatted code has an import's keyword at the start of a line and its module in quotes.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { REPO } from './process.ts';

const SKIPPED = new Set(['node_modules', 'dist', '.git', 'data', 'coverage']);

export interface SourceFile {
  /** From the top of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** The file of this repository that it leads to; null for a package or a `node:` module. */
  readonly target: string | null;
  readonly typeOnly: boolean;
}

/** All files below `under` whose name ends in one of `extensions`. */
export function filesBelow(under: string, extensions: readonly string[]): string[] {
  const dir = join(REPO, under);
  if (!existsSync(dir)) return [];
  const found = readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(under, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : filesBelow(path, extensions);
    return extensions.some((extension) => entry.name.endsWith(extension)) ? [path] : [];
  });
  return found.sort();
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(join(REPO, path), 'utf8');
  return { path, text, imports: importsIn(text).map((found) => ({ ...found, target: targetOf(path, found.specifier) })) };
}

/** Files that `file` names in a string, as a worker's program is named: `new URL('./worker.js', …)`, `'../dist/main.js'`. */
export function filesNamedIn(file: SourceFile): string[] {
  const named = [...file.text.matchAll(/['"`](\.{0,2}\/?[\w./-]+\.(?:m?js|ts))['"`]/g)];
  const bases = [dirname(file.path), '.'];
  return named.flatMap(([, name = '']) => bases.map((base) => asSource(normalize(join(base, name))))).filter((path) => path !== null);
}

function importsIn(text: string): Omit<Import, 'target'>[] {
  const statements = [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s+'([^']+)'/gm)];
  const sideEffects = [...text.matchAll(/^import\s+()'([^']+)'/gm)];
  const dynamic = [...text.matchAll(/\bimport\(()\s*'([^']+)'\s*\)/g)];
  return [...statements, ...sideEffects, ...dynamic].map(([, type, specifier = '']) => ({
    specifier,
    typeOnly: type !== undefined && type !== '',
  }));
}

function targetOf(from: string, specifier: string): string | null {
  const ours = /^@codis\/(config|proxy|dashboard)\/(.+)$/.exec(specifier);
  if (ours) return `packages/${ours[1]}/src/${ours[2]}/index.ts`;
  return specifier.startsWith('.')
    ? (asSource(normalize(join(dirname(from), specifier))) ?? normalize(join(dirname(from), specifier)))
    : null;
}

/** The source behind a path that may name what is built from it; null where there is none. */
export function asSource(path: string): string | null {
  const source = path.replace(/(^|\/)dist\//, '$1src/').replace(/\.js$/, '.ts');
  return (
    [source, path]
      .map((candidate) => relative('.', candidate))
      .find((candidate) => !candidate.startsWith('..') && existsSync(join(REPO, candidate))) ?? null
  );
}
