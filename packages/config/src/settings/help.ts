// `--help` of the programs that parse their arguments with args.ts. Examples come first: most readers need one line to copy.

import { unreachable } from '../model/index.ts';
import type { ProgramUsage, SettingFlag } from './flags.ts';
import type { Setting } from './schema.ts';
import { writeSetting } from './values.ts';

const WIDTH = 100;
const INDENT = '      ';

export function renderHelp(usage: ProgramUsage, flags: readonly SettingFlag[]): string {
  const out = [usage.about, '', 'Examples:', ...usage.examples.map((line) => `  ${line}`), ''];
  out.push('Options:', '  -c, --config <file>', ...wrap('The config file; ./config.ini unless said. Flags win over it.'));
  for (const { flag, about } of usage.switches ?? []) out.push(`  ${flag}`, ...wrap(about));
  out.push('  -h, --help', '  -v, --version');
  let section = '';
  for (const { flag, setting } of flags) {
    if (setting.section !== section) {
      section = setting.section;
      out.push('', `${section}:`);
    }
    out.push(`  ${flag} ${placeholder(setting)}`, ...wrap(`${setting.about} Default: ${writeSetting(setting.default) || 'empty'}.`));
  }
  out.push('', 'Each of these is also a key of the config file, with _ for -. docs/config.md has them all.');
  return out.join('\n');
}

function placeholder(setting: Setting): string {
  switch (setting.type) {
    case 'string':
      return '<text>';
    case 'enum':
      return setting.values.join('|');
    case 'integer':
      return `<${setting.unit}>`;
    case 'auto-integer':
      return `auto|<${setting.unit}>`;
    case 'address':
      return '<host:port>';
    case 'addresses':
      return '<host:port,…>';
    case 'networks':
      return '<address[/bits],…>';
    default:
      return unreachable(setting);
  }
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = INDENT;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH && line !== INDENT) {
      lines.push(line);
      line = INDENT;
    }
    line += line === INDENT ? word : ` ${word}`;
  }
  return [...lines, line];
}
