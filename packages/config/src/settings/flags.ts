// Which flags a program takes, as data: args.ts reads them, help.ts shows them, and a commander program can declare them.

import { flagOf, settingNamesOf } from './parse.ts';
import { type Program, SETTINGS, type Setting, type SettingName } from './schema.ts';

/** One `--flag value` that stands for a key of config.ini. */
export interface SettingFlag {
  readonly name: SettingName;
  /** With its dashes: `--proxy-id`. */
  readonly flag: string;
  readonly setting: Setting;
}

/** A `--flag` without value that belongs to one program and is no setting. */
export interface SwitchFlag {
  /** With its dashes: `--insecure-bind`. */
  readonly flag: string;
  readonly about: string;
}

export interface ProgramUsage {
  /** What is typed: `codis-proxy`. */
  readonly command: string;
  /** One sentence. */
  readonly about: string;
  /** Whole command lines; `--help` begins with them. */
  readonly examples: readonly string[];
  readonly switches?: readonly SwitchFlag[];
}

/** The flags of `program`, in the table's order. Secrets have none: a command line can be read by every user of the machine. */
export function flagsFor(program: Program): SettingFlag[] {
  const flags = settingNamesOf(program).map((name) => ({ name, flag: flagOf(name), setting: SETTINGS[name] as Setting }));
  return flags.filter(({ setting }) => setting.secret !== true);
}
