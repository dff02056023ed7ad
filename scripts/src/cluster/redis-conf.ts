// The redis.conf of a server that `npm start` runs. Written anew before every start: who is a replica of whom is the topology's to say.

import { parseAddr } from '@codis/config/model';

export interface RedisPlan {
  readonly addr: string;
  readonly dir: string;
  /** `host:port` of the master it is a replica of; null for a master, or for a server in no group. */
  readonly masterAddr: string | null;
  /** product_auth; empty for none. */
  readonly password: string;
}

export function renderRedisConf({ addr, dir, masterAddr, password }: RedisPlan): string {
  const { host, port } = parseAddr(addr);
  const lines = [
    '# Written by npm start; changes are lost.',
    `bind ${host}`,
    `port ${port}`,
    `dir ${quoted(dir)}`,
    'appendonly yes',
    'save ""',
    'repl-diskless-sync-delay 0',
  ];
  if (password !== '') lines.push(`requirepass ${quoted(password)}`, `masterauth ${quoted(password)}`);
  if (masterAddr !== null) {
    const master = parseAddr(masterAddr);
    lines.push(`replicaof ${master.host} ${master.port}`);
  }
  return `${lines.join('\n')}\n`;
}

/** As redis.conf spells any bytes. */
function quoted(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${bytes.join('')}"`;
}
