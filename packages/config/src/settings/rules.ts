// What must hold between keys. Each rule names both, and is checked on the settings as they will be used: file and flags together.

import { parseAddr } from '../model/index.ts';
import type { SettingsProblem } from './ini-text.ts';
import type { SettingName, Settings } from './schema.ts';

const LISTEN_KEYS = ['dashboard_addr', 'proxy_addr', 'admin_addr'] as const satisfies readonly SettingName[];

/** Every rule that `settings` break, each blamed on the later key of the two. */
export function brokenRules(settings: Settings): SettingsProblem[] {
  return [...sameAddresses(settings), ...ipv6ZooKeeper(settings), ...announced(settings)];
}

function sameAddresses(settings: Settings): SettingsProblem[] {
  const problems: SettingsProblem[] = [];
  for (const [index, key] of LISTEN_KEYS.entries()) {
    const other = LISTEN_KEYS.slice(0, index).find((earlier) => collide(settings[earlier], settings[key]));
    if (other) problems.push({ key, message: `${settings[key]} is ${other} already; two things can't listen in one place` });
  }
  return problems;
}

/** node-zookeeper-client cuts an address at its first colon. */
function ipv6ZooKeeper(settings: Settings): SettingsProblem[] {
  if (settings.coordinator !== 'zookeeper') return [];
  return settings.zk
    .filter((address) => address.startsWith('['))
    .map((address) => ({ key: 'zk', message: `${address} is an IPv6 address, which the ZooKeeper client can't use; write a host name` }));
}

/** What is announced must be an address that somebody else can connect to, and where clients are taken. */
function announced({ proxy_announce_addr: addr, admin_addr: admin, proxy_addr: clients }: Settings): SettingsProblem[] {
  if (addr === '') return [];
  const port = Number(addr.slice(addr.lastIndexOf(':') + 1));
  if (port < 1 || port > 65_535) return [{ key: 'proxy_announce_addr', message: `${addr} has no port between 1 and 65535` }];
  if (addr === admin)
    return [{ key: 'proxy_announce_addr', message: `${addr} is admin_addr; clients are taken at proxy_addr, ${clients}` }];
  if (!isAnyHost(parseAddr(addr).host)) return [];
  return [{ key: 'proxy_announce_addr', message: `${addr} is every address of a machine; name the one that clients connect to` }];
}

function collide(a: string, b: string): boolean {
  const left = parseAddr(a);
  const right = parseAddr(b);
  return left.port === right.port && (left.host === right.host || isAnyHost(left.host) || isAnyHost(right.host));
}

function isAnyHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
