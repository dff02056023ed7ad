// What Codis is measured beside: twemproxy and HAProxy as Debian has them, and Redis itself.
//
// twemproxy understands Redis and spreads keys over the same servers. HAProxy relays the bytes of every client to one server: what moving them costs without
// understanding them. Redis stands where a proxy would: a server of its own on the core that proxies have.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Cores, fileLimit, freePort, programPath, start } from './process.ts';
import { prepared, type Subject } from './proxies.ts';

export type PeerName = 'twemproxy' | 'HAProxy' | 'Redis';

interface Place {
  readonly port: number;
  readonly redis: readonly number[];
  readonly dir: string;
  /** Of its own, for whatever it tells about itself. */
  readonly sparePort: number;
}

interface Peer {
  readonly name: PeerName;
  readonly program: string;
  readonly versionFlag: string;
  configure(place: Place): { file: string; text: string };
  args(place: Place, configFile: string): string[];
}

/** HAProxy does not start when the limit of files can't hold this many: two for each connection that it relays, and some of its own. */
export const haproxyClientsMax = (): number => Math.min(Math.floor(fileLimit() / 2) - 100, 12_000);

const PEERS: readonly Peer[] = [
  {
    name: 'twemproxy',
    program: 'nutcracker',
    versionFlag: '-V',
    configure: (place) => ({ file: 'nutcracker.yml', text: twemproxyConfig(place) }),
    args: ({ sparePort }, file) => ['-c', file, '-a', '127.0.0.1', '-s', String(sparePort)],
  },
  {
    name: 'HAProxy',
    program: 'haproxy',
    versionFlag: '-v',
    configure: (place) => ({ file: 'haproxy.cfg', text: haproxyConfig(place) }),
    args: (_, file) => ['-db', '-f', file],
  },
  {
    name: 'Redis',
    program: 'redis-server',
    versionFlag: '--version',
    configure: ({ port, dir }) => ({ file: 'redis.conf', text: redisConfig(port, dir) }),
    args: (_, file) => [file],
  },
];

export async function peer(name: PeerName): Promise<Subject> {
  const found = PEERS.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no peer ${name}`);
  const path = programPath(found.program);
  const { stdout, stderr } = await promisify(execFile)(path, [found.versionFlag]);
  const version = `${stdout}${stderr}`.trim().split('\n')[0]?.trim() ?? '';
  const prepare = async ({ redis, dir }: { redis: readonly number[]; dir: string }) => {
    mkdirSync(dir, { recursive: true });
    const place = { port: await freePort(), sparePort: await freePort(), redis, dir };
    const { file, text } = found.configure(place);
    writeFileSync(join(dir, file), text);
    const log = join(dir, `${found.program}.log`);
    const launch = (cores: Cores) => start(cores, path, found.args(place, join(dir, file)), log);
    return prepared({ port: place.port, log, launch, pidsOf: async ({ pid }) => [pid] });
  };
  return { name, version, prepare };
}

function twemproxyConfig({ port, redis }: Place): string {
  const servers = redis.map((server) => `    - 127.0.0.1:${server}:1\n`).join('');
  return `bench:
  listen: 127.0.0.1:${port}
  hash: fnv1a_64
  distribution: modula
  redis: true
  preconnect: true
  auto_eject_hosts: false
  servers:
${servers}`;
}

function haproxyConfig({ port, redis }: Place): string {
  return `global
  nbthread 1
  maxconn ${haproxyClientsMax()}
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen redis
  bind 127.0.0.1:${port}
  server redis_1 127.0.0.1:${redis[0]}
`;
}

function redisConfig(port: number, dir: string): string {
  return `port ${port}\nbind 127.0.0.1\nsave ""\nappendonly no\nmaxclients 20000\ndir ${dir}\n`;
}
