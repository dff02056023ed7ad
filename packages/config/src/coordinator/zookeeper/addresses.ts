// The servers of an ensemble, as config.ini gives them.

import { CodisError, parseAddr } from '../../model/index.ts';

/** The connection string for `servers`; throws CODIS_E_BAD_ADDRESS for none at all, for what is no address, and for IPv6 literals, which the
 *  client library takes apart at the wrong colon. */
export function connectionString(servers: readonly string[]): string {
  if (servers.length === 0) throw new CodisError('CODIS_E_BAD_ADDRESS', 'no ZooKeeper server is named; write zk = host:port,host:port');
  return servers.map(hostPort).join(',');
}

function hostPort(server: string): string {
  const { host, port } = parseAddr(server);
  if (host.includes(':')) {
    throw new CodisError(
      'CODIS_E_BAD_ADDRESS',
      `${server} can't be used as a ZooKeeper server: give a host name instead of an IPv6 address`,
    );
  }
  return `${host}:${port}`;
}
