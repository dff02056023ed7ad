// Names of connections: what was put together is taken apart, and nobody else's name is taken for a proxy's.

import { expect, test } from 'vitest';
import { asProxyId, proxyClientName, proxyOfClientName } from '../../src/model/index.ts';

test('a name says which proxy, and which of its processes', () => {
  const name = proxyClientName(asProxyId('a.b-c_1'), { pid: 12, workerPid: 34 });
  expect(proxyOfClientName(name)).toEqual({ id: 'a.b-c_1', pid: 12, workerPid: 34 });
});

test.each(['', 'a.b', 'codis-controller', 'codis-proxy:', 'codis-proxy:a', 'codis-proxy:a:1', 'codis-proxy:a:1.2x', 'x codis-proxy:a:1.2'])(
  '%j is no name of a proxy',
  (name) => {
    expect(proxyOfClientName(name)).toBeNull();
  },
);
