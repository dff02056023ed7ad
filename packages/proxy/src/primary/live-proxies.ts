// Follows which proxies of the product serve clients: registered, wanted online, and with a session. Cluster-aware clients are told of them.
//
// It watches whether `proxies/<id>/live` is there, not what it says: that changes with every epoch, and nobody here needs it.

import { type Coordinator, PATHS, proxyPath, type Unsubscribe } from '@codis/config/coordinator';
import { asProxyId, decodeProxyRegistration, isCodisError, type ProxyId, type ProxyRegistration, parseAddr } from '@codis/config/model';
import type { Logger } from 'pino';
import type { LiveProxy } from '../ipc.ts';
import { isAnyHost } from '../worker/local/cluster-nodes.ts';

export interface LiveProxiesOptions {
  readonly coordinator: Coordinator;
  readonly log: Logger;
  /** What this proxy registers, `host:port`. */
  readonly addr: string;
  /** Called with all of them, in the order of their ids, whenever that is something new. */
  readonly onChange: (proxies: readonly LiveProxy[]) => void;
}

interface Followed {
  registration: ProxyRegistration | null;
  live: boolean;
  /** Both watches have told something. */
  known: { registration: boolean; live: boolean };
  unsubscribe: Unsubscribe[];
}

export class LiveProxies {
  readonly #options: LiveProxiesOptions;
  readonly #followed = new Map<ProxyId, Followed>();
  #unsubscribe: Unsubscribe | null = null;
  #told = '';

  constructor(options: LiveProxiesOptions) {
    this.#options = options;
  }

  start(): void {
    const { addr, log } = this.#options;
    if (isAnyHost(parseAddr(addr).host)) {
      log.warn(
        { addr },
        'this address is every address of the machine, so other proxies can’t tell cluster clients of it; set proxy_announce_addr',
      );
    }
    this.#unsubscribe = this.#options.coordinator.watchChildren(PATHS.proxies, (names) => this.#onNames(names.map(asProxyId)));
  }

  close(): void {
    this.#unsubscribe?.();
    for (const { unsubscribe } of this.#followed.values()) for (const end of unsubscribe) end();
    this.#followed.clear();
  }

  #onNames(ids: readonly ProxyId[]): void {
    for (const [id, { unsubscribe }] of this.#followed) {
      if (ids.includes(id)) continue;
      for (const end of unsubscribe) end();
      this.#followed.delete(id);
    }
    for (const id of ids) if (!this.#followed.has(id)) this.#follow(id);
    this.#tell();
  }

  #follow(id: ProxyId): void {
    const { coordinator } = this.#options;
    const proxy: Followed = { registration: null, live: false, known: { registration: false, live: false }, unsubscribe: [] };
    this.#followed.set(id, proxy);
    const registered = coordinator.watch(proxyPath(id), (entry) => {
      proxy.known.registration = true;
      proxy.registration = entry === null ? null : this.#decode(id, entry.data);
      this.#tell();
    });
    const lives = coordinator.watchChildren(proxyPath(id), (names) => {
      proxy.known.live = true;
      proxy.live = names.includes('live');
      this.#tell();
    });
    proxy.unsubscribe = [registered, lives];
  }

  /** A registration that nobody can read costs its proxy its clients of this kind, and nothing else. */
  #decode(id: ProxyId, data: Buffer): ProxyRegistration | null {
    try {
      return decodeProxyRegistration(data);
    } catch (error) {
      if (!isCodisError(error)) throw error;
      this.#options.log.warn({ err: error, other: id }, 'the registration of a proxy can’t be read; cluster clients are not told of it');
      return null;
    }
  }

  /** Not while anything is still unknown: else the list would shrink whenever a proxy comes. */
  #tell(): void {
    const proxies: LiveProxy[] = [];
    for (const [id, { registration, live, known }] of this.#followed) {
      if (!known.registration || !known.live) return;
      if (live && registration?.wanted === 'online') proxies.push({ id, addr: registration.addr });
    }
    proxies.sort((a, b) => (a.id < b.id ? -1 : 1));
    const told = JSON.stringify(proxies);
    if (told === this.#told) return;
    this.#told = told;
    this.#options.onChange(proxies);
  }
}
