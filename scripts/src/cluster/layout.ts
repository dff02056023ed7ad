// What `npm start` runs, as data: a dashboard, two proxies, and two groups of a master and a replica, all on 127.0.0.1.

const HOST = '127.0.0.1';
/** The highest port of the layout is 19001. */
export const PORT_OFFSET_MAX = 65_535 - 19_001;

export interface ServerPlan {
  /** Of its directory and its log; stays when ports move. */
  readonly name: string;
  readonly addr: string;
  /** What it starts as; from then on the topology knows better. */
  readonly role: 'master' | 'replica';
  readonly group: number;
}

export interface ProxyPlan {
  readonly id: string;
  readonly addr: string;
  readonly adminAddr: string;
}

export interface GroupPlan {
  readonly id: number;
  readonly firstSlot: number;
  readonly lastSlot: number;
  readonly servers: readonly ServerPlan[];
}

export interface Layout {
  readonly portOffset: number;
  readonly dashboardAddr: string;
  readonly proxies: readonly ProxyPlan[];
  readonly groups: readonly GroupPlan[];
}

export function layoutAt(portOffset: number): Layout {
  const at = (port: number) => `${HOST}:${port + portOffset}`;
  const group = (plan: { id: number; firstSlot: number; lastSlot: number; port: number }): GroupPlan => ({
    id: plan.id,
    firstSlot: plan.firstSlot,
    lastSlot: plan.lastSlot,
    servers: [
      { name: `redis-${plan.id}a`, addr: at(plan.port), role: 'master', group: plan.id },
      { name: `redis-${plan.id}b`, addr: at(plan.port + 1), role: 'replica', group: plan.id },
    ],
  });
  return {
    portOffset,
    dashboardAddr: at(18_087),
    proxies: [
      { id: 'proxy_1', addr: at(19_000), adminAddr: at(11_080) },
      { id: 'proxy_2', addr: at(19_001), adminAddr: at(11_081) },
    ],
    groups: [group({ id: 1, firstSlot: 0, lastSlot: 511, port: 16_379 }), group({ id: 2, firstSlot: 512, lastSlot: 1023, port: 16_479 })],
  };
}

export function serversOf(layout: Layout): readonly ServerPlan[] {
  return layout.groups.flatMap((group) => group.servers);
}

/** Everything that will listen, with what it is in words. */
export function listenersOf(layout: Layout): { addr: string; what: string }[] {
  return [
    { addr: layout.dashboardAddr, what: 'dashboard' },
    ...layout.proxies.flatMap(({ id, addr, adminAddr }) => [
      { addr, what: id },
      { addr: adminAddr, what: `admin of ${id}` },
    ]),
    ...serversOf(layout).map(({ addr, group }) => ({ addr, what: `Redis of group ${group}` })),
  ];
}
