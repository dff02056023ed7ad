// Reading the one config file of all programs. The only place that knows where it is looked for and where a relative path in it starts.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { CodisError } from '../model/index.ts';
import type { SettingsProblem } from './ini-text.ts';
import { type FlagValues, parseSettings } from './parse.ts';
import type { Settings } from './schema.ts';

const FILE_NAME = 'config.ini';
const FILE_BYTES_MAX = 1_048_576;
/** Of a checkout: this file is packages/config/{src,dist}/settings/load. */
const PROJECT_TOP = resolve(import.meta.dirname, '../../../..');

export interface LoadOptions {
  /** `-c`: this file and no other. Without it: config.ini in the current directory, else at the project's top, else the defaults alone. */
  readonly file?: string | undefined;
  /** They win over the file. */
  readonly flags?: FlagValues;
  /** Where relative paths of the command line start; the current directory unless said. */
  readonly cwd?: string;
}

export interface LoadedSettings {
  /** `coordinator_dir` is absolute: from the file it starts at the file's folder, from a flag at the current directory. */
  readonly settings: Settings;
  /** Absolute; null when there is none and the defaults hold. */
  readonly file: string | null;
}

/** Throws CODIS_E_BAD_CONFIG with every problem, one per line, each as `config.ini:12: key: what is wrong`. */
export function loadSettings(options: LoadOptions = {}): LoadedSettings {
  const cwd = options.cwd ?? process.cwd();
  const file = options.file === undefined ? findFile(cwd) : resolve(cwd, options.file);
  const shown = file === null ? FILE_NAME : shownPath(file, cwd);
  const text = file === null ? '' : readText(file, shown);
  const parsed = parseSettings(options.flags === undefined ? { text } : { text, flags: options.flags });
  if (!parsed.ok) throw configError(parsed.problems, shown);
  const base = file === null || options.flags?.coordinator_dir !== undefined ? cwd : dirname(file);
  return { settings: Object.freeze({ ...parsed.settings, coordinator_dir: resolve(base, parsed.settings.coordinator_dir) }), file };
}

/** One error that lists every problem. `shown` is the file's name as the reader knows it. */
export function configError(problems: readonly SettingsProblem[], shown: string): CodisError {
  const lines = problems.map(({ line, key, message }) => {
    const where = line === undefined ? '' : `${shown}:${line}: `;
    return `${where}${key === undefined ? '' : `${key}: `}${message}`;
  });
  const [only] = lines;
  if (lines.length === 1 && only !== undefined) return new CodisError('CODIS_E_BAD_CONFIG', only);
  return new CodisError('CODIS_E_BAD_CONFIG', `the configuration has ${lines.length} problems:\n  ${lines.join('\n  ')}`);
}

function findFile(cwd: string): string | null {
  return [resolve(cwd, FILE_NAME), resolve(PROJECT_TOP, FILE_NAME)].find((path) => existsSync(path)) ?? null;
}

function readText(file: string, shown: string): string {
  let data: Buffer;
  try {
    if (!statSync(file).isFile()) throw new Error('it is not a file');
    data = readFileSync(file);
  } catch (cause) {
    const what = cause instanceof Error ? cause.message : String(cause);
    throw new CodisError('CODIS_E_BAD_CONFIG', `${shown} can't be read: ${what}; -c names the config file`, { cause });
  }
  if (data.length > FILE_BYTES_MAX) throw new CodisError('CODIS_E_BAD_CONFIG', `${shown} has ${data.length} bytes; that is no config file`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch (cause) {
    throw new CodisError('CODIS_E_BAD_CONFIG', `${shown} is not UTF-8 text; save it as UTF-8`, { cause });
  }
}

/** Short where that is unambiguous: relative below the current directory, absolute elsewhere. */
function shownPath(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path.startsWith('..') || path === '' ? file : path;
}
