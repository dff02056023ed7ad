// All slots move from one server to another as the controller moves them: lock, wait for the acknowledgement, migrate, hand over what is left, online.

import { asEpoch, asGroupId, asMigrationId, fenceKey, HAND_OVER_SCRIPT, type SlotState } from '@codis/config/model';
import { eventually } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import { nameSource, type OneWorker } from './one-worker.ts';

export class Moving {
  readonly #worker: OneWorker;
  readonly #servers: readonly RedisServer[];
  readonly #dbs: readonly number[];
  /** Group that has all slots. */
  #home = 1;
  #migration = 0;
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  moves = 0;

  constructor(worker: OneWorker, servers: readonly [RedisServer, RedisServer], dbs: readonly number[] = [0]) {
    this.#worker = worker;
    this.#servers = servers;
    this.#dbs = dbs;
    this.#route({ kind: 'online', owner: asGroupId(1) });
  }

  /** To and fro, until `stop`. */
  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  /** One move to the other server. */
  async move(): Promise<void> {
    const from = asGroupId(this.#home);
    const to = asGroupId(3 - this.#home);
    const migration = asMigrationId(++this.#migration);
    await nameSource(this.#server(this.#home), this.#server(3 - this.#home), { from, to });
    const epoch = this.#route({ kind: 'locked', from, to, migration, epoch: asEpoch(1), leaseMs: 60_000 });
    await eventually(() => this.#worker.messages.some((message) => message.type === 'applied' && message.epoch === epoch), {
      what: 'the lock to be acknowledged',
      everyMs: 1,
    });
    this.#route({ kind: 'migrating', from, to, migration });
    for (const db of this.#dbs) await this.#sweep(this.#server(this.#home), this.#server(3 - this.#home), db);
    this.#home = 3 - this.#home;
    this.#route({ kind: 'online', owner: to });
    this.moves++;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) await this.move();
  }

  #server(group: number): RedisServer {
    return this.#servers[group - 1] as RedisServer;
  }

  #route(state: SlotState): number {
    return this.#worker.route(this.#servers, () => state);
  }

  async #sweep(from: RedisServer, to: RedisServer, db: number): Promise<void> {
    const source = this.#clientOf(from, db);
    for (;;) {
      const keys = (await source.keys('*')).filter((key) => !key.includes(fenceKey('demo')));
      if (keys.length === 0) return;
      for (const key of keys) await source.eval(HAND_OVER_SCRIPT, 1, key, '127.0.0.1', String(to.port), String(db), '1000', '');
    }
  }

  readonly #clients = new Map<string, ReturnType<RedisServer['client']>>();

  #clientOf(server: RedisServer, db: number): ReturnType<RedisServer['client']> {
    const name = `${server.addr}/${db}`;
    const client = this.#clients.get(name) ?? server.client({ db });
    this.#clients.set(name, client);
    return client;
  }
}
