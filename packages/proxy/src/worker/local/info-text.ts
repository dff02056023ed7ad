// The text of INFO: which sections are asked for, and how they are written. Pure.

/** Field and value; null leaves the field out. */
export type Field = readonly [name: string, value: string | number | null];

/** In Redis's order, and ours behind. */
export const SECTIONS = [
  'Server',
  'Clients',
  'Memory',
  'Persistence',
  'Stats',
  'Replication',
  'CPU',
  'Modules',
  'Commandstats',
  'Errorstats',
  'Latencystats',
  'Cluster',
  'Keyspace',
  'Proxy',
] as const;

export type Section = (typeof SECTIONS)[number];

/** A monitoring tool asks for these by name, or for all. */
const NOT_BY_DEFAULT: readonly Section[] = ['Commandstats', 'Latencystats'];
const DEFAULT = SECTIONS.filter((section) => !NOT_BY_DEFAULT.includes(section));

/** The sections that these names (lower case) ask for; none of them asks for the default ones. A name that is unknown asks for nothing. */
export function wantedSections(names: readonly string[]): readonly Section[] {
  if (names.length === 0) return DEFAULT;
  const wanted = new Set<Section>();
  for (const name of new Set(names)) for (const section of named(name)) wanted.add(section);
  return SECTIONS.filter((section) => wanted.has(section));
}

function named(name: string): readonly Section[] {
  if (name === 'all' || name === 'everything') return SECTIONS;
  if (name === 'default') return DEFAULT;
  return SECTIONS.filter((section) => section.toLowerCase() === name);
}

export function renderSections(sections: readonly Section[], fields: (section: Section) => readonly Field[]): string {
  return sections.map((section) => `# ${section}\r\n${fields(section).map(renderField).join('')}`).join('\r\n');
}

function renderField([name, value]: Field): string {
  return value === null ? '' : `${name}:${value}\r\n`;
}

/** The fields of an INFO that a server sent. */
export function parseInfo(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

const UNITS = ['B', 'K', 'M', 'G', 'T', 'P'] as const;

/** As Redis writes bytes for people. Source: Redis 7.0 server.c, bytesToHuman(). */
export function humanBytes(bytes: number): string {
  let unit = 0;
  for (let left = bytes; left >= 1024 && unit < UNITS.length - 1; left /= 1024) unit++;
  return unit === 0 ? `${bytes}B` : `${(bytes / 1024 ** unit).toFixed(2)}${UNITS[unit]}`;
}
