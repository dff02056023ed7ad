// `npm start`, after everything is installed and built: one cluster on this machine, until Ctrl-C.

import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isCodisError } from '@codis/config/model';
import { type LoadedSettings, loadSettings } from '@codis/config/settings';
import { Cluster } from './cluster/cluster.ts';
import { DataDir } from './cluster/data-dir.ts';
import { StartCancelled, StartFailure } from './cluster/failure.ts';
import { type Layout, layoutAt, listenersOf, PORT_OFFSET_MAX } from './cluster/layout.ts';
import { isFree } from './cluster/net.ts';
import { HELP, readOptions, type StartOptions } from './cluster/options.ts';
import { Stop } from './cluster/stop.ts';

const TOP = resolve(import.meta.dirname, '../..');
/** How long the processes of a killed starter may take to end. */
const TAKEOVER_TIMEOUT_MS = 15_000;

/** Gives the exit code once all is stopped again. */
export async function start(argv: readonly string[]): Promise<number> {
  try {
    const options = readOptions(argv, { top: TOP, cwd: process.cwd() });
    if (options === null) {
      console.log(HELP);
      return 0;
    }
    const loaded = loadSettings({ cwd: TOP });
    const data = DataDir.open(options.dataDir);
    try {
      return await run({ options, loaded, data, layout: layoutAt(options.portOffset) });
    } finally {
      data.close();
    }
  } catch (error) {
    if (!(error instanceof StartFailure) && !isCodisError(error)) throw error;
    console.error(`\n${error.message}`);
    return 1;
  }
}

interface Run {
  readonly options: StartOptions;
  readonly loaded: LoadedSettings;
  readonly data: DataDir;
  readonly layout: Layout;
}

async function run({ options, loaded, data, layout }: Run): Promise<number> {
  const stop = new Stop();
  await checkPorts(layout, data.tookOver);
  if (options.fresh) data.clear();
  checkMark(data, layout);
  const cluster = new Cluster({ top: TOP, data, layout, loaded, say: (text) => console.log(text) });
  stop.onSecond(() => cluster.kill());
  const starting = cluster.start();
  let failure: unknown;
  try {
    await Promise.race([starting, stop.asked]);
    if (!stop.isAsked) console.log(whatNext({ layout, loaded, dataDir: data.path }));
    await stop.asked;
    console.log('\nStopping …');
  } catch (error) {
    if (!(error instanceof StartCancelled)) failure = error;
  }
  const killed = await cluster.close();
  await Promise.allSettled([starting]);
  if (failure !== undefined) throw failure;
  if (killed.length > 0) console.error(`Killed, as it did not end in time: ${killed.join(', ')}`);
  console.log(`Stopped. The data is in ${data.path}.`);
  if (stop.isForced) return 130;
  return killed.length > 0 ? 1 : 0;
}

/** All that are taken, in one sentence, before anything is started. */
async function checkPorts(layout: Layout, tookOver: boolean): Promise<void> {
  const deadline = performance.now() + (tookOver ? TAKEOVER_TIMEOUT_MS : 0);
  for (;;) {
    const taken = await takenOf(layout);
    if (taken.length === 0) return;
    if (performance.now() < deadline) {
      await delay(200);
      continue;
    }
    const offset = await freeOffset(layout.portOffset);
    const way =
      offset === null
        ? 'choose other ports with --port-offset'
        : `take other ports: npm start -- --port-offset ${offset} --data-dir data-${offset}`;
    throw new StartFailure(`Taken already: ${taken.join(', ')}. Stop what listens there, or ${way}`);
  }
}

async function takenOf(layout: Layout): Promise<string[]> {
  const listeners = await Promise.all(listenersOf(layout).map(async ({ addr, what }) => ({ addr, what, free: await isFree(addr) })));
  return listeners.filter(({ free }) => !free).map(({ addr, what }) => `${addr} (${what})`);
}

async function freeOffset(from: number): Promise<number | null> {
  for (let offset = from + 100; offset <= Math.min(from + 2000, PORT_OFFSET_MAX); offset += 100) {
    if ((await takenOf(layoutAt(offset))).length === 0) return offset;
  }
  return null;
}

/** The topology holds addresses: a cluster stays on the ports it was made with. */
function checkMark(data: DataDir, layout: Layout): void {
  const mark = data.readMark();
  if (mark === null) data.writeMark({ portOffset: layout.portOffset, setUp: false });
  else if (mark.portOffset !== layout.portOffset) {
    throw new StartFailure(
      `The cluster in ${data.path} was made with --port-offset ${mark.portOffset}: start it so, or use another --data-dir, or begin anew with --fresh`,
    );
  }
}

function whatNext({ layout, loaded, dataDir }: { layout: Layout; loaded: LoadedSettings; dataDir: string }): string {
  const [first, ...others] = layout.proxies.map(({ addr }) => addr.replace(/^.*:/, ''));
  const elsewhere = loaded.settings.dashboard_addr === layout.dashboardAddr ? '' : ` --dashboard-addr ${layout.dashboardAddr}`;
  const cli = (words: string) => `npx codis-config ${words}${elsewhere}`;
  return `
The cluster is up. What next:

  redis-cli -p ${first}
      use it as any Redis; the other proxy is on ${others.join(', ')}
  http://${layout.dashboardAddr}/
      see how it is
  ${cli('slot migrate 0 255 2 --delay=10')}
      move a quarter of the slots to group 2 while clients go on
  ${cli('status')}

Ctrl-C stops everything. The data stays in ${dataDir}; npm start -- --fresh begins anew.`;
}
