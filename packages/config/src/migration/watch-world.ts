// Tells when something changed that a turn of the controller looks at. Says nothing of what: turns read everything anew.

import { type Coordinator, PATHS, proxyLivePath, type Unsubscribe } from '../coordinator/index.ts';
import type { ProxyId } from '../model/index.ts';

/** Calls `poke` after each change of the topology, the set of migrations, the set of proxies, and what proxies acknowledge. */
export function watchWorld(coordinator: Coordinator, poke: () => void): Unsubscribe {
  const lives = new Map<string, Unsubscribe>();
  const followProxies = (names: readonly string[]) => {
    for (const name of names) {
      if (!lives.has(name)) lives.set(name, coordinator.watch(proxyLivePath(name as ProxyId), poke));
    }
    for (const [name, unsubscribe] of lives) {
      if (names.includes(name)) continue;
      unsubscribe();
      lives.delete(name);
    }
    poke();
  };
  const watches = [
    coordinator.watch(PATHS.topology, poke),
    coordinator.watchChildren(PATHS.migrations, poke),
    coordinator.watchChildren(PATHS.proxies, followProxies),
  ];
  return () => {
    for (const unsubscribe of [...watches, ...lives.values()]) unsubscribe();
    lives.clear();
  };
}
