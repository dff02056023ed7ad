// From the text of config.ini and the flags to `Settings`, or to everything that is wrong with them at once. Pure: reading the
// file and saying where a relative path starts is load.ts's.

import { invariant } from '../model/index.ts';
import { type IniEntry, readIni, type SettingsProblem } from './ini-text.ts';
import { brokenRules } from './rules.ts';
import { type Program, SETTINGS, type Setting, type SettingName, type Settings } from './schema.ts';
import { nearest } from './suggest.ts';
import { readSetting, type SettingValue } from './values.ts';

/** Values given on the command line, by key, still as text. They win over the file. */
export type FlagValues = Readonly<Partial<Record<SettingName, string>>>;

export type ParsedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly SettingsProblem[] };

/** What Codis 2 and 3 called them; the nearest word would not find them. */
const RENAMED: Readonly<Record<string, SettingName>> = {
  product: 'product_name',
  password: 'product_auth',
  proxy_max_clients: 'max_clients',
  coordinator_name: 'coordinator',
  coordinator_addr: 'zk',
};

export const SETTING_NAMES = Object.keys(SETTINGS).filter(isSettingName);

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** The keys that `program` reads, in the table's order. */
export function settingNamesOf(program: Program): SettingName[] {
  return SETTING_NAMES.filter((name) => {
    const setting: Setting = SETTINGS[name];
    return setting.programs.includes(program);
  });
}

/** All keys are checked, whichever program asks: one file is right for all programs or for none. */
export function parseSettings(input: { text: string; flags?: FlagValues }): ParsedSettings {
  const { entries, problems } = readIni(input.text);
  const values = new Map<SettingName, SettingValue>();
  const lines = new Map<string, number>();
  for (const entry of entries) takeEntry(entry, { values, lines, problems });
  for (const name of SETTING_NAMES) {
    const text = input.flags?.[name];
    if (text !== undefined) takeFlag(name, text, { values, lines, problems });
  }
  const settings = withDefaults(values);
  for (const problem of brokenRules(settings)) {
    const line = lines.get(problem.key ?? '');
    problems.push(line === undefined ? problem : { ...problem, line });
  }
  return problems.length === 0 ? { ok: true, settings } : { ok: false, problems: problems.sort(byLine) };
}

interface Target {
  readonly values: Map<SettingName, SettingValue>;
  /** Where each key of the file stands. */
  readonly lines: Map<string, number>;
  readonly problems: SettingsProblem[];
}

function takeEntry({ line, key, value }: IniEntry, { values, lines, problems }: Target): void {
  if (!isSettingName(key)) {
    problems.push({ line, key, message: `there is no such key${suggestion(key)}` });
    return;
  }
  const first = lines.get(key);
  if (first !== undefined) {
    problems.push({ line, key, message: `is set in line ${first} already; keep one of the two` });
    return;
  }
  lines.set(key, line);
  const read = readSetting(SETTINGS[key], value);
  if (read.ok) values.set(key, read.value);
  else problems.push({ line, key, message: read.message });
}

function takeFlag(name: SettingName, text: string, { values, lines, problems }: Target): void {
  lines.delete(name);
  const read = readSetting(SETTINGS[name], text);
  if (read.ok) values.set(name, read.value);
  else problems.push({ key: flagOf(name), message: read.message });
}

/** `--proxy-id` for `proxy_id`. */
export function flagOf(name: SettingName): string {
  return `--${name.replaceAll('_', '-')}`;
}

function suggestion(key: string): string {
  const meant = RENAMED[key.toLowerCase()] ?? nearest(key, SETTING_NAMES);
  return meant === undefined ? '; docs/config.md lists them all' : `; did you mean ${meant}?`;
}

function withDefaults(values: ReadonlyMap<SettingName, SettingValue>): Settings {
  const all: Record<string, SettingValue> = {};
  for (const name of SETTING_NAMES) all[name] = values.get(name) ?? SETTINGS[name].default;
  assertSettings(all);
  return Object.freeze(all);
}

/** Each value was read by its own setting, or is its default: the types follow from the table. */
function assertSettings(all: Record<string, SettingValue>): asserts all is Settings & Record<string, SettingValue> {
  invariant(Object.keys(all).length === SETTING_NAMES.length, 'every key has a value');
}

function byLine(a: SettingsProblem, b: SettingsProblem): number {
  return (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER);
}
