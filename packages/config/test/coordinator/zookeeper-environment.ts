// The contract suite's faults for real ZooKeeper: each connection goes through a proxy of its own, so that it alone can be cut off.

import { eventually } from '../../../../test/harness/process.ts';
import { startTcpProxy, type TcpProxy } from '../../../../test/harness/tcp-proxy.ts';
import { startZookeeper } from '../../../../test/harness/zookeeper.ts';
import type { Coordinator } from '../../src/coordinator/coordinator.ts';
import { openZookeeperCoordinator } from '../../src/coordinator/zookeeper/zookeeper.ts';
import { type CoordinatorEnvironment, sessionOf } from './contract/environment.ts';

const SESSION_TIMEOUT_MS = 1500;

export async function zookeeperEnvironment(): Promise<CoordinatorEnvironment> {
  const server = await startZookeeper();
  const proxies = new Map<Coordinator, TcpProxy>();
  return {
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    connect: async (product) => {
      const proxy = await startTcpProxy(server.port);
      const coordinator = openZookeeperCoordinator({ servers: [proxy.addr], product, sessionTimeoutMs: SESSION_TIMEOUT_MS });
      proxies.set(coordinator, proxy);
      await coordinator.ready(10_000);
      return coordinator;
    },
    killSession: async (coordinator) => {
      const session = sessionOf(coordinator);
      const proxy = proxies.get(coordinator)!;
      proxy.refuse();
      await eventually(async () => !(await server.ask('dump')).includes(session), { what: `session ${session} to expire` });
      proxy.restore();
    },
    outage: {
      suspend: async () => {
        for (const proxy of proxies.values()) proxy.refuse();
      },
      resume: async () => {
        for (const proxy of proxies.values()) proxy.restore();
      },
    },
    close: async () => {
      await Promise.all([...proxies.keys()].map((coordinator) => coordinator.close()));
      await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
      await server.stop();
    },
  };
}
