// The cluster as a whole: what is started in which order, what with, and what is stopped in which.
//
//   start:  dashboard → Redis servers (roles as the topology has them) → groups and slots, the first time → proxies
//   stop:   proxies → dashboard → Redis servers, which write what they hold
//
// Invariant: close() may come at any moment of start(), and leaves no process.

import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { TopologyView } from '@codis/config/api';
import type { LoadedSettings } from '@codis/config/settings';
import { fetchTopology, runConfigCli } from './dashboard.ts';
import type { DataDir } from './data-dir.ts';
import { StartCancelled } from './failure.ts';
import { type Layout, type ProxyPlan, type ServerPlan, serversOf } from './layout.ts';
import { Member, type MemberPlan } from './member.ts';
import { httpStatus, redisAnswers } from './net.ts';
import { renderRedisConf } from './redis-conf.ts';
import { missingSteps } from './set-up.ts';

/** Time to load the data of an earlier start. */
const REDIS_START_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface ClusterOptions {
  /** Top of the checkout. */
  readonly top: string;
  readonly data: DataDir;
  readonly layout: Layout;
  readonly loaded: LoadedSettings;
  /** One line of progress or trouble. */
  readonly say: (text: string) => void;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #dashboard: Member;
  readonly #servers: readonly Member[];
  readonly #proxies: readonly Member[];
  #closing = false;

  constructor(options: ClusterOptions) {
    const { layout, say } = options;
    this.#options = options;
    this.#dashboard = new Member(dashboardPlan(options), say);
    this.#servers = serversOf(layout).map((server) => new Member(serverPlan(options, server), say));
    this.#proxies = layout.proxies.map((proxy) => new Member(proxyPlan(options, proxy), say));
  }

  /** Throws StartFailure when something does not start, StartCancelled after close(). */
  async start(): Promise<void> {
    const { say, layout } = this.#options;
    say(`Starting the dashboard on ${layout.dashboardAddr} …`);
    await this.#startAll([this.#dashboard]);
    say(
      `Starting ${this.#servers.length} Redis servers on ${serversOf(layout)
        .map(({ addr }) => addr)
        .join(', ')} …`,
    );
    await this.#startAll(this.#servers);
    await this.#setUp();
    say(`Starting the proxies on ${layout.proxies.map(({ addr }) => addr).join(', ')} …`);
    await this.#startAll(this.#proxies);
  }

  /** Gives the titles of those that had to be killed. */
  async close(): Promise<string[]> {
    this.#closing = true;
    const killed: string[] = [];
    for (const members of [this.#proxies, [this.#dashboard], this.#servers]) {
      const ended = await Promise.all(members.map(async (member) => ({ member, inTime: await member.close() })));
      for (const { member, inTime } of ended) if (!inTime) killed.push(member.plan.title);
    }
    return killed;
  }

  /** For the second Ctrl-C. */
  kill(): void {
    this.#closing = true;
    for (const member of [...this.#proxies, this.#dashboard, ...this.#servers]) member.kill();
  }

  /** All are waited for, so that none is still being started when one has failed. */
  async #startAll(members: readonly Member[]): Promise<void> {
    if (this.#closing) throw new StartCancelled();
    const results = await Promise.allSettled(members.map((member) => member.start()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Only until it has been done once: from then on groups and slots are the operator's. */
  async #setUp(): Promise<void> {
    const { top, data, layout, say } = this.#options;
    if (data.readMark()?.setUp) return;
    for (const step of missingSteps(layout, await fetchTopology(layout.dashboardAddr))) {
      if (this.#closing) throw new StartCancelled();
      say(`  codis-config ${step.join(' ')}`);
      await runConfigCli(top, layout.dashboardAddr, step);
    }
    data.writeMark({ portOffset: layout.portOffset, setUp: true });
  }
}

function dashboardPlan(options: ClusterOptions): MemberPlan {
  const { data, layout } = options;
  const args = ['--dashboard-addr', layout.dashboardAddr];
  return {
    title: `The dashboard (${layout.dashboardAddr})`,
    log: join(data.directory('logs'), 'dashboard.log'),
    command: async () => nodeProgram(options, 'packages/dashboard/bin/codis-dashboard.js', args),
    answers: async () => (await httpStatus(layout.dashboardAddr, '/healthz')) === 200,
    startTimeoutMs: START_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  };
}

function proxyPlan(options: ClusterOptions, proxy: ProxyPlan): MemberPlan {
  const args = ['--proxy-id', proxy.id, '--proxy-addr', proxy.addr, '--admin-addr', proxy.adminAddr, '--proxy-start', 'online'];
  // Two proxies share this machine with everything else: one worker each, unless the config file says how many.
  if (options.loaded.settings.workers === 'auto') args.push('--workers', '1');
  return {
    title: `${proxy.id} (${proxy.addr})`,
    log: join(options.data.directory('logs'), `${proxy.id}.log`),
    command: async () => nodeProgram(options, 'packages/proxy/bin/codis-proxy.js', args),
    answers: async () => (await httpStatus(proxy.adminAddr, '/readyz')) === 200,
    startTimeoutMs: START_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
  };
}

function nodeProgram({ top, data, loaded }: ClusterOptions, script: string, args: readonly string[]) {
  const config = loaded.file === null ? [] : ['--config', loaded.file];
  const coordinator = ['--coordinator', 'filesystem', '--coordinator-dir', join(data.path, 'coordinator')];
  return { file: process.execPath, args: [resolve(top, script), ...config, ...coordinator, ...args] };
}

function serverPlan(options: ClusterOptions, server: ServerPlan): MemberPlan {
  return {
    title: `The Redis of group ${server.group} on ${server.addr}`,
    log: join(options.data.directory('logs'), `${server.name}.log`),
    command: async () => {
      const conf = await writeRedisConf(options, server);
      return { file: 'redis-server', args: [conf] };
    },
    answers: () => redisAnswers(server.addr),
    startTimeoutMs: REDIS_START_TIMEOUT_MS,
    stopTimeoutMs: STOP_TIMEOUT_MS,
    // A Redis that is writing its first append-only file, as a replica does after a full copy, refuses to end and forgets that it was asked.
    askAgainMs: 500,
  };
}

async function writeRedisConf({ data, layout, loaded }: ClusterOptions, server: ServerPlan): Promise<string> {
  const dir = data.directory(join('redis', server.name));
  const masterAddr = masterOf(await fetchTopology(layout.dashboardAddr), server.addr);
  const conf = join(dir, 'redis.conf');
  writeFileSync(conf, renderRedisConf({ addr: server.addr, dir, masterAddr, password: loaded.settings.product_auth }), { mode: 0o600 });
  return conf;
}

/** Who `addr` is a replica of in the topology; null when it is a master there, or in no group. */
function masterOf(topology: TopologyView | null, addr: string): string | null {
  const group = topology?.groups.find(({ servers }) => servers.some((server) => server.addr === addr));
  const master = group?.servers.find(({ role }) => role === 'master');
  return master === undefined || master.addr === addr ? null : master.addr;
}
