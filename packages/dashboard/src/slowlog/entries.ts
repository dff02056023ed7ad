// One list of the slow logs of proxies and servers. Pure.

import type { MigrationView, SlowEntryView, TopologyView } from '@codis/config/api';
import { slotOf } from '@codis/config/model';
import type { ServerSlowEntry } from '@codis/config/operations';

/** As a proxy shows it at its admin address: texts are a character for each byte. */
export interface ProxySlowEntry {
  readonly id: number;
  /** Unix seconds. */
  readonly time: number;
  readonly micros: number;
  readonly command: string;
  readonly key: string | null;
  readonly args: readonly string[];
  readonly addr: string;
  readonly stages: { readonly proxy: number; readonly held: number; readonly server: number };
}

export interface Filter {
  readonly source?: 'proxy' | 'server' | undefined;
  readonly group?: number | undefined;
  /** As it is written in the log, in any case. */
  readonly command?: string | undefined;
  /** What its key begins with. */
  readonly prefix?: string | undefined;
  readonly limit: number;
}

interface Around {
  readonly topology: TopologyView;
  readonly migrations: readonly MigrationView[];
}

export function proxyEntry(proxy: string, entry: ProxySlowEntry, { topology, migrations }: Around): SlowEntryView {
  const { id, time, micros, command, key, args, addr, stages } = entry;
  const slot = key === null ? null : slotOf(Buffer.from(key, 'latin1'));
  const at = new Date(time * 1000).toISOString();
  return {
    source: 'proxy',
    where: proxy,
    id,
    at,
    micros,
    split: stages,
    command,
    args: args.map((text) => (text === key ? bytesText(Buffer.from(text, 'latin1')) : text)),
    key: key === null ? null : bytesText(Buffer.from(key, 'latin1')),
    slot,
    group: slot === null ? null : groupOf(topology, slot),
    client: addr,
    migration: slot === null ? null : migrationAt(migrations, slot, at),
  };
}

export function serverEntry(entry: ServerSlowEntry, { migrations }: Around): SlowEntryView {
  const { addr, group, id, time, micros, args, key, slot, client } = entry;
  const at = new Date(time * 1000).toISOString();
  const [command, ...rest] = args;
  return {
    source: 'server',
    where: addr,
    id,
    at,
    micros,
    split: null,
    command: command?.toString('latin1').toLowerCase() ?? '',
    args: rest.map((arg) => (key?.equals(arg) ? bytesText(arg) : `(${arg.length} bytes)`)),
    key: key && bytesText(key),
    slot,
    group,
    client,
    migration: slot === null ? null : migrationAt(migrations, slot, at),
  };
}

/** With the name of its key as `shown` has it. */
export function withNames(entry: SlowEntryView, shown: (name: string) => string): SlowEntryView {
  const { key } = entry;
  if (key === null) return entry;
  return { ...entry, key: shown(key), args: entry.args.map((arg) => (arg === key ? shown(arg) : arg)) };
}

/** Newest first. */
export function selected(entries: readonly SlowEntryView[], { source, group, command, prefix, limit }: Filter): SlowEntryView[] {
  const begins = prefix === undefined ? undefined : bytesText(Buffer.from(prefix)).slice(0, -1);
  return entries
    .filter((entry) => source === undefined || entry.source === source)
    .filter((entry) => group === undefined || entry.group === group)
    .filter((entry) => command === undefined || entry.command === command.toLowerCase())
    .filter((entry) => begins === undefined || entry.key?.startsWith(begins) === true)
    .toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.micros - a.micros))
    .slice(0, limit);
}

/** Bytes as JSON text: one escape for each byte that is no printable ASCII character. */
export function bytesText(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('latin1')).replace(
    /[\x7f-\xff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function groupOf({ slots }: TopologyView, slot: number): number | null {
  const run = slots.find(({ first, last }) => slot >= first && slot <= last);
  return run?.state === 'migrating' ? run.to : (run?.group ?? null);
}

function migrationAt(migrations: readonly MigrationView[], slot: number, at: string): number | null {
  const during = migrations.find(
    ({ moves, createdAt, endedAt }) =>
      createdAt <= at && (endedAt === null || at <= endedAt) && moves.some(({ first, last }) => slot >= first && slot <= last),
  );
  return during?.id ?? null;
}
