// config.ini and docs/config.md, written from the table. The committed files are held against these texts by a test.

import { unreachable } from '../model/index.ts';
import { writeIniValue } from './ini-text.ts';
import { SETTING_NAMES } from './parse.ts';
import { SETTINGS, type Setting, type SettingName } from './schema.ts';
import { writeSetting } from './values.ts';

const NAMES: Record<Setting['programs'][number], string> = { proxy: 'codis-proxy', dashboard: 'codis-dashboard', config: 'codis-config' };

/** The sample file: every key with its default, commented. Programs read the same with it and without it. */
export function renderConfigIni(): string {
  const out = [
    '# The configuration of all programs: codis-proxy, codis-dashboard, codis-config. docs/config.md describes every key.',
    '# A program reads ./config.ini, or the file named with -c; a flag (--proxy-id for proxy_id) wins over the file.',
    '# Lines are key = value. Quotes keep a value as it stands: "a # b". What is not set here has the default shown.',
  ];
  for (const [section, names] of sections()) {
    out.push('', `# ${section} ${'-'.repeat(Math.max(3, 100 - section.length))}`);
    for (const name of names) {
      const setting: Setting = SETTINGS[name];
      const value = writeSetting(setting.default);
      out.push('', ...comment(`${setting.about} ${range(setting)}`.trim()), `${name} = ${writeIniValue(value) ?? ''}`.trimEnd());
    }
  }
  return `${out.join('\n')}\n`;
}

/** The reference page. */
export function renderConfigDocs(): string {
  const out = [
    '# Configuration',
    '',
    '<!-- Written from packages/config/src/settings/schema.ts by `npm run docs`; change it there. -->',
    '',
    'One file, `config.ini`, is read by every program: by default `./config.ini`, else the one at the top of the checkout;',
    '`-c <file>` names another. Lines are `key = value`; `#` and `;` begin comments, also behind a value and white space; quotes, single',
    'or double, keep a value as it stands (`"a # b"`). There are no sections and no environment variables.',
    '',
    'A flag wins over the file: `--proxy-id proxy_2` for `proxy_id`. Secrets have no flag, because every user of a machine can see',
    'command lines. All problems are reported at once, before anything starts, with their line numbers; one file is checked whole by',
    'every program. The programs exit with 2 then.',
    '',
    'Between keys: `dashboard_addr`, `proxy_addr` and `admin_addr` must differ, and with `coordinator = zookeeper` no address in `zk`',
    'may be an IPv6 literal.',
  ];
  for (const [section, names] of sections()) {
    out.push('', `## ${section}`, '');
    for (const name of names) out.push(...page(name));
    out.pop();
  }
  return `${out.join('\n')}\n`;
}

function page(name: SettingName): string[] {
  const setting: Setting = SETTINGS[name];
  const value = writeSetting(setting.default);
  const facts = [
    `Default: ${value === '' ? 'empty' : `\`${value}\``}.`,
    range(setting),
    `Read by ${setting.programs.map((program) => NAMES[program]).join(', ')}.`,
    setting.codis === undefined ? '' : `A key of Codis ${setting.codis}.`,
    setting.secret ? 'Secret: it has no flag and is never shown.' : '',
  ];
  return [`### \`${name}\``, '', setting.about, '', facts.filter((fact) => fact !== '').join(' '), ''];
}

function range(setting: Setting): string {
  switch (setting.type) {
    case 'string':
      return setting.patternAbout === undefined ? '' : `Allowed: ${setting.patternAbout}.`;
    case 'enum':
      return `One of: ${setting.values.join(', ')}.`;
    case 'integer':
      return `From ${setting.min} to ${setting.max} ${setting.unit}.`;
    case 'auto-integer':
      return `auto, or from ${setting.min} to ${setting.max} ${setting.unit}.`;
    case 'address':
    case 'addresses':
      return '';
    case 'networks':
      return 'Addresses and networks, like 10.0.0.7 or 10.0.0.0/8, separated by commas.';
    default:
      return unreachable(setting);
  }
}

function sections(): Map<string, SettingName[]> {
  const found = new Map<string, SettingName[]>();
  for (const name of SETTING_NAMES) {
    const { section } = SETTINGS[name];
    found.set(section, [...(found.get(section) ?? []), name]);
  }
  return found;
}

/** Lines of at most 120 columns, each behind `# `. */
function comment(text: string): string[] {
  return (text.match(/.{1,118}(?:\s|$)/g) ?? []).map((line) => `# ${line.trimEnd()}`);
}
