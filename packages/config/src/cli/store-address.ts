// What --store says: which coordinator to read. `config` for the one that the config file names, `zk://host:port[,host:port…]`, or a directory.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type FlagValues, flagOf, loadSettings, type Settings } from '../settings/index.ts';
import { badUsage } from './failures.ts';

/** Keys of the config file that the store overrides. Throws CODIS_E_BAD_REQUEST. */
export function storeFlags(text: string): FlagValues {
  if (text === 'config') return {};
  if (text.startsWith('zk://')) {
    const zk = text.slice('zk://'.length);
    if (/^[^\s,/]+:\d+(?:,[^\s,/]+:\d+)*$/.test(zk)) return { coordinator: 'zookeeper', zk };
    throw badUsage(`${JSON.stringify(text)} names no ZooKeeper: write --store zk://host:2181, with more hosts behind commas`);
  }
  if (text === '' || /^\w+:\/\//.test(text)) {
    throw badUsage(`${JSON.stringify(text)} is no store: write config, zk://host:2181, or a directory`);
  }
  const directory = resolve(text);
  if (existsSync(directory)) return { coordinator: 'filesystem', coordinator_dir: directory };
  throw badUsage(`there is no directory ${directory}: --store names that of a coordinator, or config, or zk://host:2181`);
}

/** Settings with the store that `text` names. Throws CODIS_E_BAD_REQUEST or CODIS_E_BAD_CONFIG. */
export function storeSettings(config: string | undefined, text: string): Settings {
  return loadSettings({ file: config, flags: storeFlags(text) }).settings;
}

/** The same for the command line of another program. */
export function storeArgs(config: string | undefined, text: string): string[] {
  const flags = Object.entries(storeFlags(text)).map(([name, value]) => `${flagOf(name as keyof FlagValues)}=${value}`);
  return [...(config === undefined ? [] : ['-c', config]), ...flags];
}

/** For a note: where it was read. */
export function storeText({ coordinator, coordinator_dir, zk }: Settings): string {
  return coordinator === 'zookeeper' ? `ZooKeeper at ${zk.join(',')}` : coordinator_dir;
}
