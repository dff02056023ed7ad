// The command line that codis-proxy and codis-dashboard share: `-c file`, `--<key> <value>` for every key they read, `--help`, `--version`.
// Says what is to be done and does none of it: printing and exiting are the program's.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CodisError } from '../model/index.ts';
import { flagsFor, type ProgramUsage, type SettingFlag } from './flags.ts';
import { renderHelp } from './help.ts';
import type { SettingsProblem } from './ini-text.ts';
import { configError, type LoadedSettings, loadSettings } from './load.ts';
import { isSettingName } from './parse.ts';
import { type Program, SETTINGS, type Setting, type SettingName } from './schema.ts';
import { nearest } from './suggest.ts';

export type ProgramArgs =
  | ({
      readonly kind: 'run';
      /** Those of `usage.switches` that were given. */
      readonly switches: ReadonlySet<string>;
    } & LoadedSettings)
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version'; readonly text: string };

/** `argv` without node and script. Throws CODIS_E_BAD_CONFIG that lists every problem of the command line, else of file and flags. */
export function parseProgramArgs(input: { program: Program; argv: readonly string[]; usage: ProgramUsage; cwd?: string }): ProgramArgs {
  const flags = flagsFor(input.program);
  const line = readLine(input.argv, flags, input.usage);
  if (line.asked.has('--help')) return { kind: 'help', text: renderHelp(input.usage, flags) };
  if (line.asked.has('--version')) return { kind: 'version', text: `${input.usage.command} ${productVersion()}` };
  if (line.problems.length > 0) {
    line.problems.push({ message: `see ${input.usage.command} --help` });
    throw configError(line.problems, 'config.ini');
  }
  const loaded = loadSettings({ file: line.file, flags: line.values, ...(input.cwd === undefined ? {} : { cwd: input.cwd }) });
  return { kind: 'run', ...loaded, switches: line.asked };
}

/** Of this release; all packages have the same. */
export function productVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  throw new CodisError('CODIS_E_INTERNAL', 'package.json of @codis/config has no version; install it again');
}

interface CommandLine {
  file: string | undefined;
  readonly values: Partial<Record<SettingName, string>>;
  /** Flags without value. */
  readonly asked: Set<string>;
  readonly problems: SettingsProblem[];
}

function readLine(argv: readonly string[], flags: readonly SettingFlag[], usage: ProgramUsage): CommandLine {
  const line: CommandLine = { file: undefined, values: {}, asked: new Set(), problems: [] };
  const switches = ['--help', '--version', ...(usage.switches ?? []).map(({ flag }) => flag)];
  const valued = new Map<string, SettingName | null>([['--config', null], ...flags.map(({ flag, name }) => [flag, name] as const)]);
  let afterUnknown = -1;
  for (const token of tokens(argv, switches, [...valued.keys()])) {
    if (token.kind === 'positional') {
      if (token.index !== afterUnknown)
        line.problems.push({ message: `${JSON.stringify(token.value)}: what is this? Values go behind a --flag` });
    } else if (token.kind === 'option') {
      const flag = `--${token.name}`;
      if (switches.includes(flag)) takeSwitch(line, flag, token.value);
      else if (valued.has(flag)) takeValue(line, { flag, name: valued.get(flag) ?? null, value: token.value, inline: token.inlineValue });
      else {
        line.problems.push({ key: token.rawName, message: unknownFlag(flag, [...switches, ...valued.keys()]) });
        afterUnknown = token.index + 1;
      }
    }
  }
  return line;
}

function tokens(argv: readonly string[], switches: readonly string[], valued: readonly string[]) {
  const short: Record<string, string> = { config: 'c', help: 'h', version: 'v' };
  const options = Object.fromEntries(
    [...switches.map((flag) => [flag, 'boolean'] as const), ...valued.map((flag) => [flag, 'string'] as const)].map(([flag, type]) => {
      const name = flag.slice(2);
      const letter = short[name];
      return [name, letter === undefined ? { type } : { type, short: letter }];
    }),
  );
  return parseArgs({ args: [...argv], options, strict: false, tokens: true }).tokens;
}

function takeSwitch(line: CommandLine, flag: string, value: string | undefined): void {
  if (value === undefined) line.asked.add(flag);
  else line.problems.push({ key: flag, message: 'takes no value' });
}

interface ValuedFlag {
  readonly flag: string;
  /** null: `--config`. */
  readonly name: SettingName | null;
  readonly value: string | undefined;
  readonly inline: boolean | undefined;
}

/** A flag given twice: the last one holds, as everywhere on command lines. */
function takeValue(line: CommandLine, { flag, name, value, inline }: ValuedFlag): void {
  if (value === undefined || (inline !== true && value.startsWith('-'))) {
    line.problems.push({ key: flag, message: `needs a value: ${flag} <value>, or ${flag}=<value> where that begins with a dash` });
  } else if (name === null) line.file = value;
  else line.values[name] = value;
}

function unknownFlag(flag: string, known: readonly string[]): string {
  const key = flag.slice(2).replaceAll('-', '_');
  if (isSettingName(key)) {
    const setting: Setting = SETTINGS[key];
    if (setting.secret) return `is a secret and has no flag, since every user can see command lines; set ${key} in config.ini`;
    return 'is not read by this program; the flag belongs to another one';
  }
  const meant = nearest(flag, known);
  return meant === undefined ? 'there is no such flag' : `there is no such flag; did you mean ${meant}?`;
}
