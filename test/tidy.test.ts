// Goal: the house keeps its shape without anybody watching: who may import whom, no dead files, no forbidden words, documents that say what the code says.
// Method: the sources are read as text; every rule is a table here, and every finding names the file and what to do instead.

import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_KINDS } from '@codis/config/model';
import { describe, expect, test } from 'vitest';
import { generatedFiles } from '../scripts/src/docs.ts';
import { REPO } from './harness/process.ts';
import { asSource, filesBelow, filesNamedIn, readSource, type SourceFile } from './harness/source-tree.ts';

const PACKAGES = ['config', 'proxy', 'dashboard'] as const;
/** What runs in a browser: a layer of its own, which knows the API's types and nothing else of ours. */
const WEB = 'packages/dashboard/web/src';
const SOURCES = [...PACKAGES.map((name) => `packages/${name}/src`), WEB, 'scripts']
  .flatMap((dir) => filesBelow(dir, ['.ts', '.tsx', '.mjs']))
  .map(readSource);
const TESTS = [...PACKAGES.map((name) => `packages/${name}/test`), 'test']
  .flatMap((dir) => filesBelow(dir, ['.ts', '.mjs']))
  .map(readSource);
const EVERYTHING = [...SOURCES, ...TESTS, ...filesBelow('bench', ['.ts', '.mjs']).map(readSource)];

/** What each layer may import, besides itself. `node:` and packages are allowed but where PURE says otherwise. */
const LAYERS: Record<string, readonly string[]> = {
  'config/model': [],
  'config/settings': ['config/model'],
  'config/redis': ['config/model'],
  'config/coordinator': ['config/model', 'config/settings'],
  'config/api': ['config/model'],
  'config/operations': ['config/model', 'config/settings', 'config/redis', 'config/coordinator'],
  'config/migration': ['config/model', 'config/settings', 'config/redis', 'config/coordinator', 'config/operations'],
  'config/doctor': ['config/model', 'config/redis', 'config/coordinator', 'config/operations', 'config/migration', 'config/api'],
  'config/status': ['config/model', 'config/coordinator', 'config/operations', 'config/api'],
  'config/cli': [
    'config/status',
    'config/model',
    'config/settings',
    'config/redis',
    'config/coordinator',
    'config/operations',
    'config/doctor',
    'config/api',
  ],
  proxy: ['config/model', 'config/coordinator', 'config/settings'],
  dashboard: [
    'config/status',
    'config/model',
    'config/settings',
    'config/coordinator',
    'config/operations',
    'config/migration',
    'config/doctor',
    'config/api',
  ],
  'dashboard/web': ['config/api'],
  scripts: ['config/cli', 'config/model', 'config/settings', 'config/coordinator', 'config/api', 'proxy'],
};

/** Layers that are functions from values to values. */
const PURE = new Set(['config/model', 'config/api']);

function layerOf(path: string): string {
  const [top = '', name = '', , folder = ''] = path.split('/');
  if (top !== 'packages') return top;
  if (path.startsWith(WEB)) return 'dashboard/web';
  return name === 'config' ? `config/${folder}` : name;
}

const externalsOf = (file: SourceFile) => file.imports.filter(({ target }) => target === null).map(({ specifier }) => specifier);

describe('imports', () => {
  test('of the web console from other layers are types only', () => {
    const wrong = SOURCES.filter(({ path }) => layerOf(path) === 'dashboard/web').flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier, typeOnly }) => specifier.startsWith('@codis/') && !typeOnly)
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  test('every source belongs to a layer', () => {
    expect(SOURCES.map(({ path }) => layerOf(path)).filter((layer) => LAYERS[layer] === undefined)).toEqual([]);
  });

  test('go down the layers, never up or across', () => {
    const wrong = SOURCES.flatMap(({ path, imports }) => {
      const layer = layerOf(path);
      const allowed = [layer, ...(LAYERS[layer] ?? [])];
      const targets = imports.flatMap(({ target }) => (target === null ? [] : [target]));
      return targets
        .filter((target) => !allowed.includes(layerOf(target)))
        .map((target) => `${path} imports ${target}: a ${layer} file may import only ${allowed.join(', ')}`);
    });
    expect(wrong).toEqual([]);
  });

  test('lead to files that exist', () => {
    const missing = EVERYTHING.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, specifier }) => (target === null || asSource(target) !== null ? [] : [`${path}: ${specifier}`])),
    );
    expect(missing).toEqual([]);
  });

  test('of another package go through its exports', () => {
    const deep = SOURCES.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier, target }) => specifier.startsWith('.') && target !== null && packageOf(target) !== packageOf(path))
        .map(({ specifier }) => `${path}: ${specifier}`),
    );
    expect(deep).toEqual([]);
  });

  test('of npm packages are declared by the package that uses them', () => {
    const undeclared = SOURCES.filter(({ path }) => path.startsWith('packages/')).flatMap((file) => {
      const { dependencies = {}, devDependencies = {} } = manifestOf(packageOf(file.path));
      // What is bundled need not be installed with the package.
      const declared = Object.keys(file.path.startsWith(WEB) ? devDependencies : dependencies);
      const used = externalsOf(file)
        .filter((specifier) => !specifier.startsWith('node:'))
        .map(npmNameOf);
      return used.filter((name) => !declared.includes(name)).map((name) => `${file.path}: ${name}`);
    });
    expect(undeclared).toEqual([]);
  });

  test('make no circle between folders', () => {
    expect(circles(folderGraph())).toEqual([]);
  });
});

test('what is pure imports nothing from outside and reads no clock, chance or surroundings', () => {
  const impure = SOURCES.filter(({ path }) => PURE.has(layerOf(path))).flatMap((file) => {
    const words =
      code(file).match(/\b(?:Date\.now|new Date\(|Math\.random|performance\.|setTimeout|setInterval|process\.|console\.|randomUUID)/g) ??
      [];
    return [...externalsOf(file), ...words].map((what) => `${file.path}: ${what}`);
  });
  expect(impure).toEqual([]);
});

interface Banned {
  readonly word: RegExp;
  readonly instead: string;
  /** Paths where it is right. */
  readonly except?: RegExp;
}

const BANNED: readonly Banned[] = [
  { word: /\b(?:FIXME|XXX|HACK)\b/, instead: 'mend it, or open an issue and write TODO(#number)' },
  { word: /\bTODO\b(?!\(#\d+\))/, instead: 'TODO(#issue number), or do it' },
  { word: /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|todo|fails)\b/, instead: 'a test that runs' },
  { word: /@ts-(?:ignore|nocheck|expect-error)/, instead: 'the right type', except: /\.test\.ts$/ },
  { word: /^export default/m, instead: 'a named export', except: /\.config\.ts$/ },
  { word: /^\s*debugger\b/m, instead: 'nothing' },
  { word: /\bprocess\.env\b/, instead: 'a key of config.ini', except: /^(?:scripts|test|bench|packages\/\w+\/test)\// },
  { word: /from '(?:@codis\/\w+\/)?(?:src|dist)\//, instead: 'an export of the package' },
];

describe('words', () => {
  test.each(BANNED)('$word stand nowhere; instead: $instead', ({ word, except }) => {
    const found = EVERYTHING.filter(({ path, text }) => path !== 'test/tidy.test.ts' && !except?.test(path) && word.test(text)).map(
      ({ path }) => path,
    );
    expect(found).toEqual([]);
  });
});

describe('files', () => {
  test('of the packages begin by saying what they own', () => {
    const silent = SOURCES.filter(({ path, text }) => !path.endsWith('/index.ts') && !/^(?:#!.*\n)?(?:\/\/|\/\*\*)/.test(text)).map(
      ({ path }) => path,
    );
    expect(silent).toEqual([]);
  });

  test('that are called index.ts are lists of exports', () => {
    const busy = SOURCES.filter(({ path, text }) => path.endsWith('/index.ts') && /^(?!export |\/\/|\s|\}|$)/m.test(text)).map(
      ({ path }) => path,
    );
    expect(busy).toEqual([]);
  });

  test('are all reached from an export, a program or an npm script', () => {
    const reached = new Set<string>();
    const visit = (path: string) => {
      if (reached.has(path)) return;
      reached.add(path);
      const file = readSource(path);
      for (const next of [...file.imports.flatMap(({ target }) => (target === null ? [] : [target])), ...filesNamedIn(file)]) {
        if (asSource(next) !== null) visit(next);
      }
    };
    for (const entry of entries()) visit(entry);
    expect(SOURCES.map(({ path }) => path).filter((path) => !path.endsWith('.d.ts') && !reached.has(path))).toEqual([]);
  });
});

describe('package.json', () => {
  test.each(PACKAGES)('of %s exports what exists, and its programs can be run', (name) => {
    const { exports = {}, bin = {} } = manifestOf(`packages/${name}`);
    const missing = Object.values(exports).filter((path) => asSource(join(`packages/${name}`, path)) === null);
    expect(missing).toEqual([]);
    for (const path of Object.values(bin)) {
      expect(() => accessSync(join(REPO, 'packages', name, path), constants.X_OK), path).not.toThrow();
    }
  });
});

test('the tests that are to begin first are there', () => {
  const named = readFileSync(join(REPO, 'vitest.config.ts'), 'utf8').match(/[^\s']+\.test\.ts(?=',)/g) ?? [];
  const there = new Set(TESTS.map(({ path }) => path));
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter((path) => !path.includes('*') && !there.has(path))).toEqual([]);
});

describe('documents', () => {
  test.each([...generatedFiles()])('%s is what its table says (npm run docs writes it)', (path, text) => {
    expect(readFileSync(join(REPO, path), 'utf8')).toBe(text);
  });

  test('docs/errors.md names every error code and no other', () => {
    const named = readFileSync(join(REPO, 'docs/errors.md'), 'utf8').match(/CODIS_E_\w+/g) ?? [];
    expect([...new Set(named)].sort()).toEqual(Object.keys(ERROR_KINDS).sort());
  });

  test('error codes stand in alphabetical order, and each is used', () => {
    const codes = Object.keys(ERROR_KINDS);
    expect(codes).toEqual([...codes].sort((a, b) => a.localeCompare(b, 'en')));
    const text = SOURCES.filter(({ path }) => !path.endsWith('model/errors.ts'))
      .map((file) => file.text)
      .join('\n');
    expect(codes.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
  });
});

interface Manifest {
  readonly exports?: Record<string, string>;
  readonly bin?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly scripts?: Record<string, string>;
}

function manifestOf(dir: string): Manifest {
  return JSON.parse(readFileSync(join(REPO, dir, 'package.json'), 'utf8')) as Manifest;
}

/** Where running or importing begins: exports and programs of packages, programs that package.json's scripts name. */
function entries(): string[] {
  const fromPackages = PACKAGES.flatMap((name) => {
    const { exports = {}, bin = {} } = manifestOf(`packages/${name}`);
    return [...Object.values(exports), ...Object.values(bin)].map((path) => join(`packages/${name}`, path));
  });
  const fromScripts = Object.values(manifestOf('.').scripts ?? {}).flatMap((line) => line.match(/[\w/.-]+\.m?js/g) ?? []);
  return [...fromPackages, ...fromScripts, `${WEB}/main.tsx`].map(asSource).filter((path) => path !== null);
}

function packageOf(path: string): string {
  return path.startsWith('packages/') ? path.split('/').slice(0, 2).join('/') : (path.split('/')[0] ?? '');
}

function npmNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Without comments. */
function code(file: SourceFile): string {
  return file.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

/** Folder → folders its files import from, types included. A folder and its own subfolders are one thing in parts: oxlint sees to circles of files. */
function folderGraph(): Map<string, Set<string>> {
  const folderOf = (path: string) => path.replace(/\/[^/]*$/, '');
  const nested = (a: string, b: string) => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of SOURCES) {
    const folder = folderOf(path);
    const targets = graph.get(folder) ?? new Set();
    for (const { target } of imports) if (target !== null && !nested(folderOf(target), folder)) targets.add(folderOf(target));
    graph.set(folder, targets);
  }
  return graph;
}

/** Each circle as `a → b → a`. */
function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (folder: string, path: readonly string[]) => {
    if (path.includes(folder)) {
      found.push([...path.slice(path.indexOf(folder)), folder].join(' → '));
      return;
    }
    if (done.has(folder)) return;
    for (const next of graph.get(folder) ?? []) walk(next, [...path, folder]);
    done.add(folder);
  };
  for (const folder of graph.keys()) walk(folder, []);
  return found;
}
