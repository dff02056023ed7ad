// Where a benchmark works: a directory of its own and the programs that it started. However it ends, Ctrl-C included, both are gone afterwards.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cores, freePort, listens, start, startAnywhere, stopAll, until } from './process.ts';
import type { Prepared, Running, Subject } from './proxies.ts';

interface Stoppable {
  stop(): Promise<void>;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const REDIS_ARGS = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--maxclients', '20000', '--enable-debug-command', 'local'];

export class Workbench {
  readonly dir = mkdtempSync(join(tmpdir(), 'codis-bench-'));
  readonly #open = new Set<Stoppable>();
  readonly #prepared = new Map<string, Prepared>();

  /** Is stopped when the benchmark ends, if not before. */
  add<T extends Stoppable>(thing: T): T {
    this.#open.add(thing);
    return thing;
  }

  async stop(thing: Stoppable): Promise<void> {
    this.#open.delete(thing);
    await thing.stop();
  }

  /** Starts a redis-server that saves nothing, on `cores` or wherever; gives its port. */
  async redis(cores: Cores | null): Promise<number> {
    const port = await freePort();
    const args = ['--port', String(port), '--dir', this.dir, ...REDIS_ARGS];
    const log = join(this.dir, `redis-${port}.log`);
    this.add(cores === null ? startAnywhere('redis-server', args, log) : start(cores, 'redis-server', args, log));
    await until(`redis-server on ${port}`, () => listens(port));
    return port;
  }

  /** So many of them. */
  async servers(count: number, cores: Cores | null): Promise<number[]> {
    const ports: number[] = [];
    for (let server = 0; server < count; server++) ports.push(await this.redis(cores));
    return ports;
  }

  /** Once for each subject and its servers. */
  async prepare(subject: Subject, redis: readonly number[]): Promise<Prepared> {
    const id = [subject.name, ...redis].join(' ');
    const known = this.#prepared.get(id);
    if (known !== undefined) return known;
    const prepared = await subject.prepare({
      redis,
      dir: join(this.dir, `${this.#prepared.size}-${subject.name.replaceAll(/\W+/g, '-')}`),
    });
    this.#prepared.set(id, prepared);
    return prepared;
  }

  async start(subject: Subject, { redis, cores }: { redis: readonly number[]; cores: Cores }): Promise<Running> {
    const prepared = await this.prepare(subject, redis);
    return this.add(await prepared.start(cores));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((thing) => thing.stop()));
    await stopAll();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Runs `work` and cleans up. A signal ends it with an error; what `work` still has under way then must not be waited for. */
export async function withWorkbench<T>(work: (bench: Workbench) => Promise<T>): Promise<T> {
  const bench = new Workbench();
  const interrupted = new Promise<never>((_, failed) => {
    for (const signal of SIGNALS) process.once(signal, () => failed(new Error(`stopped by ${signal}`)));
  });
  try {
    return await Promise.race([work(bench), interrupted]);
  } finally {
    await bench.close();
  }
}

export const say = (text: string): void => void process.stderr.write(`${text}\n`);
