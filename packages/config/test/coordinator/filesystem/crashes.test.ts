// Goal: a writer may be killed or stopped at any moment, by any number at once, and no commit is lost, torn or done twice. Method: real
// processes (child.mjs, from dist/) that count in two nodes by one commit, killed at random or stopped where it hurts.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Child, eventually, scratchDir, start, stopAll } from '../../../../../test/harness/process.ts';
import { type FilesystemCoordinator, openFilesystemCoordinator } from '../../../src/coordinator/filesystem/filesystem.ts';
import { VERSIONS_KEPT } from '../../../src/coordinator/filesystem/versioned-files.ts';
import { bytes, committed, create, set } from '../contract/environment.ts';

const PRODUCT = 'crash';
const KILLS = 20;
const STEADY_WRITERS = 2;
const INCREMENTS_EACH = 150;

const child = (...args: string[]): Child => start(process.execPath, [join(import.meta.dirname, 'child.mjs'), ...args]);

async function open(dir: string, sessionTimeoutMs = 60_000): Promise<FilesystemCoordinator> {
  const coordinator = openFilesystemCoordinator({ dir, product: PRODUCT, sessionTimeoutMs });
  onTestFinished(() => coordinator.close());
  await coordinator.ready(10_000);
  return coordinator;
}

afterAll(stopAll);

describe('the filesystem coordinator among processes that die', () => {
  it('loses no increment and leaves nothing behind while writers are killed at random', { timeout: 120_000 }, async () => {
    const dir = scratchDir('crash');
    const observer = await open(dir);
    await committed(observer, { op: 'create', path: 'total', data: bytes('0') }, create('by'));
    const writers = new Map<string, Child>();
    const begin = (name: string, times: number): Child => {
      const writer = child('count', dir, PRODUCT, name, String(times));
      writers.set(name, writer);
      return writer;
    };
    const steady = Array.from({ length: STEADY_WRITERS }, (_, index) => begin(`steady-${index}`, INCREMENTS_EACH));
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = begin(`victim-${kill}`, 1_000_000);
      const enough = 1 + Math.floor(Math.random() * 15);
      await eventually(() => doneBy(victim) >= enough, { what: `victim ${kill} to count to ${enough}`, timeoutMs: 30_000, everyMs: 1 });
      await victim.stop('SIGKILL');
    }
    for (const writer of steady) expect(await writer.exited(), writer.output()).toBe(0);
    await expectCounted(observer, writers);
    await expectTidy(join(dir, PRODUCT), observer);
  });

  it('ends the session of a killed process at once, not after its timeout', async () => {
    const dir = scratchDir('crash');
    const observer = await open(dir);
    const holder = child('hold', dir, PRODUCT, 'controller', '60000');
    await eventually(() => observer.read('controller'), { what: 'the controller' });
    await holder.stop('SIGKILL');
    await eventually(async () => (await observer.read('controller')) === null, { what: 'the end of its session', timeoutMs: 10_000 });
  });

  it('ends the session of a stopped process after its timeout; awake again, it learns so and makes a new one', async () => {
    const dir = scratchDir('crash');
    const observer = await open(dir, 1000);
    const holder = child('hold', dir, PRODUCT, 'controller', '1000');
    const first = await eventually(() => observer.read('controller'), { what: 'the controller' });
    holder.signal('SIGSTOP');
    await eventually(async () => (await observer.read('controller')) === null, { what: 'the end of its session', timeoutMs: 15_000 });
    expect(observer.state.kind).toBe('connected');
    holder.signal('SIGCONT');
    const second = await eventually(() => observer.read('controller'), { what: 'the controller again', timeoutMs: 15_000 });
    expect(second.owner).not.toBe(first.owner);
    const history = /state connected \S+\nheld true\n(state suspended \S+\n)?state lost \nstate connected \S+\nheld true\n/;
    await eventually(() => history.test(holder.output()), { what: 'the holder to tell of both sessions' });
  });

  it('a writer stopped between reading and linking can’t pass off a version that was removed meanwhile as the newest', async () => {
    const dir = scratchDir('crash');
    const observer = await open(dir);
    await committed(observer, create('node'));
    const sleeper = child('stall', dir, PRODUCT);
    await eventually(() => /stopping at \d+/.test(sleeper.output()), { what: 'the sleeper to stop' });
    for (let round = 0; round < 3 * VERSIONS_KEPT; round++) await committed(observer, set('node', String(round)));
    sleeper.signal('SIGCONT');
    await sleeper.exited();
    expect(sleeper.output()).toMatch(/published \d+ overtaken/);
    expect((await observer.read('node'))?.data.toString()).toBe(String(3 * VERSIONS_KEPT - 1));
    await committed(observer, set('node', 'last'));
    await expectTidy(join(dir, PRODUCT), observer);
  });

  it('a writer that woke up in time to be merely second is told that the version is taken', async () => {
    const dir = scratchDir('crash');
    const observer = await open(dir);
    const sleeper = child('stall', dir, PRODUCT);
    await eventually(() => /stopping at \d+/.test(sleeper.output()), { what: 'the sleeper to stop' });
    await committed(observer, create('node'));
    sleeper.signal('SIGCONT');
    await sleeper.exited();
    expect(sleeper.output()).toMatch(/published \d+ taken/);
  });
});

const doneBy = (writer: Child): number => Number(/.*done (\d+)\n/s.exec(writer.output())?.[1] ?? 0);

/** The total is the sum of what each writer has in the tree, and that is what it said, or one more that it did not live to say. */
async function expectCounted(observer: FilesystemCoordinator, writers: ReadonlyMap<string, Child>): Promise<void> {
  let sum = 0;
  for (const [name, writer] of writers) {
    const counted = Number((await observer.read(`by/${name}`))?.data.toString() ?? 0);
    const said = doneBy(writer);
    expect([said, said + 1], name).toContain(counted);
    sum += counted;
  }
  const total = await observer.read('total');
  expect(total?.data.toString()).toBe(String(sum));
  expect(total?.version).toBe(sum);
  expect(sum).toBeGreaterThan(STEADY_WRITERS * INCREMENTS_EACH);
}

/** Nothing is left but a few whole versions and the observer's own session. */
async function expectTidy(dir: string, observer: FilesystemCoordinator): Promise<void> {
  const files = (name: string) => readdirSync(join(dir, name));
  await eventually(() => files('tmp').length === 0 && files('sessions').length === 1, { what: 'the files of killed writers to go' });
  await committed(observer, create('last-one'));
  const versions = readdirSync(dir).filter((name) => name.startsWith('state.'));
  expect(versions.length).toBeLessThanOrEqual(VERSIONS_KEPT);
  for (const name of versions) JSON.parse(readFileSync(join(dir, name), 'utf8'));
}
