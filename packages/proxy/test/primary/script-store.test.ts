// Scripts and libraries in a real coordinator (files), seen by two proxies; one of them is cut off at times.

import { type Coordinator, openCoordinator, PARENTS, type SessionState, scriptPath } from '@codis/config/coordinator';
import { CodisError } from '@codis/config/model';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually, scratchDir } from '../../../../test/harness/process.ts';
import { ScriptStore, WAITING_MAX } from '../../src/primary/script-store.ts';

const SCRIPTS_MAX = 5;
let coordinators: Coordinator[];
let mine: Cuttable;
let store: ScriptStore;
let other: ScriptStore;
let flushes: string[];
let logged: string[];

const sha = (digit: string) => digit.repeat(40);
const add = (digit: string, body = `return ${digit}`) => ({ kind: 'add-script', sha: sha(digit), body }) as const;
const script = (from: ScriptStore, digit: string) => from.lookUp({ kind: 'script', sha: sha(digit) });
const written = (to: ScriptStore) => eventually(() => to.waitingCount === 0, { what: 'all changes to be written' });

/** A coordinator that can be cut off. */
class Cuttable implements Pick<Coordinator, 'state' | 'onState' | 'read' | 'list' | 'commit' | 'watch'> {
  isCut = false;
  readonly #real: Coordinator;
  readonly #listeners: ((state: SessionState) => void)[] = [];

  constructor(real: Coordinator) {
    this.#real = real;
  }

  get state(): SessionState {
    return this.isCut ? { kind: 'lost', since: 0 } : this.#real.state;
  }

  onState(listener: (state: SessionState) => void) {
    this.#listeners.push(listener);
    return () => undefined;
  }

  back(): void {
    this.isCut = false;
    for (const listener of this.#listeners) listener(this.state);
  }

  read: Coordinator['read'] = async (path) => this.#reach().read(path);
  list: Coordinator['list'] = async (path) => this.#reach().list(path);
  commit: Coordinator['commit'] = async (ops) => this.#reach().commit(ops);
  watch: Coordinator['watch'] = (path, listener) => this.#real.watch(path, listener);

  #reach(): Coordinator {
    if (this.isCut) throw new CodisError('CODIS_E_COORDINATOR_LOST', 'cut off');
    return this.#real;
  }
}

beforeEach(async () => {
  const dir = scratchDir('script-store');
  coordinators = [0, 1].map(() =>
    openCoordinator({ product_name: 'demo', coordinator: 'filesystem', coordinator_dir: dir, zk: [], zk_session_timeout: 3000 }),
  );
  await Promise.all(coordinators.map((coordinator) => coordinator.ready(10_000)));
  const [first, second] = coordinators as [Coordinator, Coordinator];
  for (const path of PARENTS) await first.commit([{ op: 'create', path, data: Buffer.alloc(0) }]);
  flushes = [];
  logged = [];
  const log = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  mine = new Cuttable(first);
  const open = (coordinator: Coordinator, name: string) =>
    new ScriptStore({ coordinator, log, scriptsMax: SCRIPTS_MAX, onFlushed: () => flushes.push(name) });
  store = open(mine as unknown as Coordinator, 'mine');
  other = open(second, 'other');
  store.start();
  other.start();
});

afterEach(async () => {
  store.close();
  other.close();
  await Promise.all(coordinators.map((coordinator) => coordinator.close()));
});

test('a script that one proxy registers is found by the others, byte for byte', async () => {
  const body = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
  store.register(add('a', body));
  await written(store);
  expect(await script(other, 'a')).toBe(body);
  expect(await script(other, 'b')).toBeNull();
  expect(await other.lookUp({ kind: 'scripts', shas: [sha('a'), sha('b')] })).toEqual([sha('a')]);
});

test('what was told is seen before it is written', async () => {
  store.register(add('a'));
  expect(await script(store, 'a')).toBe('return a');
  store.register({ kind: 'flush-scripts' });
  expect(await script(store, 'a')).toBeNull();
  store.register(add('b'));
  expect(await store.lookUp({ kind: 'scripts', shas: [sha('a'), sha('b')] })).toEqual([sha('b')]);
});

test('a flush ends them, and all proxies hear of it', async () => {
  for (const digit of ['a', 'b']) store.register(add(digit));
  await written(store);
  other.register({ kind: 'flush-scripts' });
  await written(other);
  await eventually(() => flushes.length === 2, { what: 'both proxies to hear of the flush' });
  expect(flushes.sort()).toEqual(['mine', 'other']);
  expect(await script(store, 'a')).toBeNull();
});

test('while the coordinator is away changes wait, in their order, and are written when it is back', async () => {
  mine.isCut = true;
  store.register(add('a'));
  store.register({ kind: 'flush-scripts' });
  store.register(add('b'));
  expect(store.waitingCount).toBe(3);
  expect(await script(store, 'b')).toBe('return b');
  expect(await script(store, 'c')).toBeNull();
  mine.back();
  await written(store);
  expect([await script(other, 'a'), await script(other, 'b')]).toEqual([null, 'return b']);
});

test('what waits is bounded, and what does not fit is said', () => {
  mine.isCut = true;
  for (let change = 0; change < WAITING_MAX; change++) store.register({ kind: 'delete-library', name: `l${change}` });
  expect(logged).toEqual([]);
  store.register(add('a'));
  expect(store.waitingCount).toBe(WAITING_MAX);
  expect(logged.join()).toContain('too many wait for the coordinator');
});

test('a change that can’t be written is said, and holds up no other', async () => {
  store.register(add('a', 'x'.repeat(1_000_000)));
  store.register(add('b'));
  await written(store);
  expect([await script(other, 'a'), await script(other, 'b')]).toEqual([null, 'return b']);
  expect(logged.join()).toContain('can’t be registered');
});

test('no more scripts are registered than may be, and that is said once', async () => {
  for (const digit of ['1', '2', '3', '4', '5', '6', '7']) store.register(add(digit));
  await written(store);
  expect(await (coordinators[1] as Coordinator).list('scripts')).toHaveLength(SCRIPTS_MAX);
  expect(logged).toHaveLength(1);
  store.register({ kind: 'flush-scripts' });
  store.register(add('6'));
  await written(store);
  expect(await script(other, '6')).toBe('return 6');
});

test('a script that is registered already is not written again', async () => {
  store.register(add('a'));
  await written(store);
  other.register(add('a', 'another'));
  await written(other);
  const entry = await (coordinators[0] as Coordinator).read(scriptPath(sha('a')));
  expect([entry?.version, entry?.data.toString()]).toEqual([0, 'return a']);
});

test('libraries are set, replaced, deleted, and set all at once', async () => {
  const library = (name: string, code: string) => ({ kind: 'set-library', library: { name, code } }) as const;
  const all = (from: ScriptStore) => from.lookUp({ kind: 'libraries' });
  store.register(library('a', '1'));
  store.register(library('b', '1'));
  store.register(library('a', '2'));
  expect(await all(store)).toEqual([
    { name: 'a', code: '2' },
    { name: 'b', code: '1' },
  ]);
  await written(store);
  other.register({ kind: 'delete-library', name: 'b' });
  await written(other);
  expect(await all(store)).toEqual([{ name: 'a', code: '2' }]);
  other.register({ kind: 'set-libraries', libraries: [{ name: 'c', code: '3' }] });
  await written(other);
  expect(await all(store)).toEqual([{ name: 'c', code: '3' }]);
});

test('who asks whether it is written hears it when another proxy finds it, and at once that nobody knows while the coordinator is away', async () => {
  store.register(add('1'));
  store.register({ kind: 'set-library', library: { name: 'lib', code: 'code' } });
  expect(await store.lookUp({ kind: 'written' })).toBe(true);
  expect(await script(other, '1')).toBe('return 1');
  expect(await other.lookUp({ kind: 'libraries' })).toEqual([{ name: 'lib', code: 'code' }]);
  expect(await store.lookUp({ kind: 'written' })).toBe(true);

  mine.isCut = true;
  store.register(add('2'));
  expect(await store.lookUp({ kind: 'written' })).toBeNull();
});
