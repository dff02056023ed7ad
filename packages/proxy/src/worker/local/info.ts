// INFO: one text about the proxy (all its workers) and the servers behind it (the masters of all groups), in the form that monitoring tools know from
// Redis 7. What is about clients and commands is the proxy's own; what is about data is the servers'. Whoever does not answer in time is left out: client
// libraries say INFO when they connect, and must not wait for a server that is down.

import { COMMANDS, type Command } from '../../commands/command.ts';
import { verbatim } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import type { Session } from '../session.ts';
import { words } from './args.ts';
import { mergeKeyspace, mergeSection } from './info-merge.ts';
import * as proxy from './info-proxy.ts';
import type { ServerInfo, ServersInfo } from './info-servers.ts';
import { type Field, renderSections, type Section, wantedSections } from './info-text.ts';
import { sumWorkers, type WorkerFacts } from './info-worker.ts';
import type { Handlers } from './local-commands.ts';

export interface InfoContext {
  readonly proxy: () => proxy.ProxyFacts;
  readonly servers: ServersInfo;
  /** Gives the facts of every worker that answers, this one's first; some of them perhaps late. */
  readonly workers: (done: (facts: readonly WorkerFacts[]) => void) => void;
  /** Of this worker alone. */
  readonly worker: () => WorkerFacts;
}

const INFO = COMMANDS.find(({ name }) => name === 'info') as Command;
/** Other workers that have not answered by then are left out. */
const WORKERS_MS = 500;

const OF_SERVERS: ReadonlySet<Section> = new Set<Section>(['Memory', 'Persistence', 'Stats', 'Replication', 'Keyspace', 'Proxy']);
const OF_WORKERS: ReadonlySet<Section> = new Set<Section>([
  'Clients',
  'Stats',
  'CPU',
  'Commandstats',
  'Errorstats',
  'Latencystats',
  'Proxy',
]);

export function infoCommands(context: InfoContext): Handlers {
  return [['info', (session, frame) => info(context, session, frame)]];
}

/** What the client sent before counts in the answer, and what it sends after does not: neither overtakes. */
function info(context: InfoContext, session: Session, frame: Frame): Buffer | null {
  if (!session.inOrder(INFO, frame)) return null;
  const sections = wantedSections(words(frame, 1));
  const request = session.enqueue();
  session.afterAll();
  let abandoned = false;
  request.onAbandoned = () => {
    abandoned = true;
  };
  gather(context, sections, (servers, workers) => {
    if (abandoned) return;
    session.answer(request, verbatim(session.protocol, infoText(context.proxy(), sections, { servers, workers })));
  });
  return null;
}

/** Asks servers and workers at once, those of them that `sections` need. */
function gather(
  context: InfoContext,
  sections: readonly Section[],
  done: (servers: readonly ServerInfo[], workers: readonly WorkerFacts[]) => void,
): void {
  let servers: readonly ServerInfo[] | null = null;
  let workers: readonly WorkerFacts[] | null = null;
  const look = () => {
    if (servers !== null && workers !== null) done(servers, workers);
  };
  const onWorkers = (facts: readonly WorkerFacts[]) => {
    if (workers !== null) return;
    workers = facts;
    look();
  };
  if (sections.some((section) => OF_SERVERS.has(section))) {
    context.servers.ask((answers) => {
      servers = answers;
      look();
    });
  } else servers = [];
  if (!sections.some((section) => OF_WORKERS.has(section))) {
    onWorkers([]);
    return;
  }
  const late = setTimeout(() => onWorkers([context.worker()]), WORKERS_MS);
  context.workers((facts) => {
    clearTimeout(late);
    onWorkers(facts);
  });
}

function infoText(
  facts: proxy.ProxyFacts,
  sections: readonly Section[],
  from: { servers: readonly ServerInfo[]; workers: readonly WorkerFacts[] },
): string {
  const reached = from.servers.flatMap(({ fields }) => (fields === null ? [] : [fields]));
  const all = from.workers.length > 0 ? sumWorkers(from.workers) : null;
  const ofWorkers = (fields: (all: WorkerFacts) => Field[]) => (all === null ? [] : fields(all));
  const text: Readonly<Record<Section, () => readonly Field[]>> = {
    Server: () => proxy.serverSection(facts),
    Clients: () => ofWorkers((workers) => proxy.clientsSection(facts, workers)),
    Memory: () => mergeSection('Memory', reached),
    // Clients that see `loading:1` wait; a server that loads holds up its own slots only, and `# Proxy` tells of it.
    Persistence: () => [['loading', 0], ...mergeSection('Persistence', reached)],
    Stats: () => ofWorkers((workers) => proxy.statsSection(workers, mergeSection('Stats', reached))),
    Replication: () => proxy.replicationSection(facts, mergeSection('Replication', reached)),
    CPU: () => ofWorkers(proxy.cpuSection),
    Modules: () => [],
    Commandstats: () => ofWorkers(proxy.commandSection),
    Errorstats: () => ofWorkers(proxy.errorSection),
    Latencystats: () => ofWorkers(proxy.latencySection),
    // CLUSTER works, and says where the proxies are.
    Cluster: () => [['cluster_enabled', 1]],
    Keyspace: () => mergeKeyspace(reached),
    Proxy: () => ofWorkers((workers) => proxy.proxySection(facts, workers, from.servers)),
  };
  return renderSections(sections, (section) => text[section]());
}
