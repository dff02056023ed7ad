// Real ZooKeeper servers on free ports of 127.0.0.1: one alone, or an ensemble whose members can be killed, frozen and started again.
//
// A short tick makes short sessions: a server grants 2 to 20 ticks, so 200 ms means sessions of 0.4 to 4 s.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Child, eventually, freePort, scratchDir, start } from './process.ts';

const CLASS_PATH = '/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar';
const JAVA_ARGS = ['-Xmx128m', '-Xss512k', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const TICK_MS = 200;

export interface ZookeeperOptions {
  readonly port?: number;
  /** Kept from one start to the next; a new one unless given. */
  readonly dataDir?: string;
  readonly tickMs?: number;
  /** Further lines of zoo.cfg. */
  readonly config?: Readonly<Record<string, string | number>>;
}

export interface ZookeeperServer {
  readonly port: number;
  readonly addr: string;
  readonly dataDir: string;
  /** The running one; `restart` makes another. */
  readonly child: Child;
  /** The answer to a four-letter word, such as `srvr` or `dump`. */
  ask(word: string): Promise<string>;
  /** Alone or in a quorum, and serving. */
  serves(): Promise<boolean>;
  /** Stops the process where it stands (SIGSTOP); resolves once each of its threads has stopped. */
  freeze(): Promise<void>;
  thaw(): void;
  kill(): Promise<void>;
  /** Stops it if it runs and starts it on the same data, or on none. Resolves once it serves. */
  restart(options?: { wipe?: boolean; waitUntilServing?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one and waits until it serves. */
export async function startZookeeper(options: ZookeeperOptions = {}): Promise<ZookeeperServer> {
  const server = new ServerProcess(options.port ?? (await freePort()), options);
  await server.restart();
  return server;
}

export interface Ensemble {
  readonly servers: readonly ZookeeperServer[];
  readonly addrs: readonly string[];
  /** The one that leads now; waits for an election under way. */
  leader(): Promise<ZookeeperServer>;
  stop(): Promise<void>;
}

/** Starts `count` servers that elect a leader, and waits until all serve. */
export async function startEnsemble(count: number, options: Pick<ZookeeperOptions, 'tickMs' | 'config'> = {}): Promise<Ensemble> {
  const members: Record<string, string> = {};
  for (let id = 1; id <= count; id++) members[`server.${id}`] = `127.0.0.1:${await freePort()}:${await freePort()}`;
  const servers: ServerProcess[] = [];
  for (let id = 1; id <= count; id++) {
    const config = { initLimit: 25, syncLimit: 10, ...options.config, ...members };
    servers.push(new ServerProcess(await freePort(), { ...options, config }, id));
  }
  await Promise.all(servers.map((server) => server.restart()));
  return {
    servers,
    addrs: servers.map((server) => server.addr),
    leader: () =>
      eventually(
        async () => {
          for (const server of servers) if (/Mode: leader/.test(await server.ask('srvr').catch(() => ''))) return server;
          return undefined;
        },
        { what: 'a leader of the ensemble', timeoutMs: 20_000 },
      ),
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  };
}

class ServerProcess implements ZookeeperServer {
  readonly port: number;
  readonly dataDir: string;
  readonly #id: number | undefined;
  readonly #configFile: string;
  readonly #logFile: string;
  #child: Child | undefined;

  constructor(port: number, options: ZookeeperOptions, id?: number) {
    const dir = scratchDir(`zookeeper-${port}`);
    this.port = port;
    this.#id = id;
    this.dataDir = options.dataDir ?? join(dir, 'data');
    this.#configFile = join(dir, 'zoo.cfg');
    this.#logFile = join(dir, 'zk.log');
    const config = {
      tickTime: options.tickMs ?? TICK_MS,
      dataDir: this.dataDir,
      clientPort: port,
      clientPortAddress: '127.0.0.1',
      'admin.enableServer': 'false',
      '4lw.commands.whitelist': '*',
      maxClientCnxns: 0,
      ...options.config,
    };
    writeFileSync(
      this.#configFile,
      Object.entries(config)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  }

  get addr(): string {
    return `127.0.0.1:${this.port}`;
  }

  get child(): Child {
    if (!this.#child) throw new Error(`ZooKeeper on ${this.port} was not started`);
    return this.#child;
  }

  async ask(word: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect({ host: '127.0.0.1', port: this.port }, () => socket.write(word));
      socket.setTimeout(1000, () => socket.destroy(new Error(`no answer to ${word}`)));
      socket.setEncoding('utf8').on('data', (text: string) => {
        answer += text;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
    });
  }

  async serves(): Promise<boolean> {
    return /^Mode: /m.test(await this.ask('srvr').catch(() => ''));
  }

  async freeze(): Promise<void> {
    this.child.signal('SIGSTOP');
    const tasks = `/proc/${this.child.pid}/task`;
    const isStopped = (task: string) => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'));
    await eventually(() => readdirSync(tasks).every(isStopped), { what: `ZooKeeper on ${this.port} to stand still`, everyMs: 1 });
  }

  thaw(): void {
    this.child.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    await this.#child?.stop('SIGKILL');
  }

  async restart(options: { wipe?: boolean; waitUntilServing?: boolean } = {}): Promise<void> {
    await this.kill();
    if (options.wipe) rmSync(this.dataDir, { recursive: true, force: true });
    mkdirSync(this.dataDir, { recursive: true });
    if (this.#id !== undefined) writeFileSync(join(this.dataDir, 'myid'), `${this.#id}\n`);
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain';
    const args = [...JAVA_ARGS, `-Dorg.slf4j.simpleLogger.logFile=${this.#logFile}`, '-cp', CLASS_PATH, main, this.#configFile];
    this.#child = start('java', args, { name: `zookeeper-${this.port}` });
    if (options.waitUntilServing === false) return;
    await eventually(() => this.serves(), { what: `ZooKeeper on ${this.port} to serve; see ${this.#logFile}`, timeoutMs: 30_000 });
  }

  async stop(): Promise<void> {
    await this.kill();
  }
}
