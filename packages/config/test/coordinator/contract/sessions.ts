// Sessions: products apart from each other, loss and recovery, outages, and the end.

import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import type { Coordinator, Entry } from '../../../src/coordinator/coordinator.ts';
import { type Bench, committed, create, createEphemeral, recordStates, seen, sessionOf, set, Told } from './environment.ts';

export function sessionContract(bench: Bench): void {
  describe('sessions', () => {
    it('two products don’t see each other', async () => {
      const [a] = await bench.sessions(1);
      const [b] = await bench.sessions(1);
      const told = new Told<readonly string[]>();
      onTestFinished(b.watchChildren('', told.listener));
      await committed(a, create('topology', 'of a'));
      await committed(b, create('other', 'of b'));
      expect(await a.list('')).toEqual(['topology']);
      expect(await b.list('')).toEqual(['other']);
      expect(await b.read('topology')).toBeNull();
      await told.until('its own child', (names) => names.join() === 'other');
    });

    it('what is persistent stays when every session has ended', async () => {
      const product = bench.product();
      const a = await bench.connect(product);
      await committed(a, create('topology', 'kept'));
      await a.close();
      const b = await bench.connect(product);
      expect(seen(await b.read('topology'))).toBe('kept@0');
    });

    it('ready resolves at once when connected', async () => {
      const [a] = await bench.sessions(1);
      await a.ready(0);
      expect(a.state.kind).toBe('connected');
    });

    loss(bench);
    outage(bench);
    end(bench);
  });
}

function loss(bench: Bench): void {
  it('a lost session shows as lost, then as connected with another id, and its ephemerals are gone', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, createEphemeral('controller'));
    const before = sessionOf(a);
    const states = recordStates(a);
    await bench.environment.killSession(a);
    await regained(bench, a, before);
    const kinds = states.map((state) => state.kind);
    expect(kinds).toContain('lost');
    expect(kinds.indexOf('lost')).toBeLessThan(kinds.lastIndexOf('connected'));
    expect(kinds.at(-1)).toBe('connected');
    expect(await b!.read('controller')).toBeNull();
    await committed(a, createEphemeral('controller'));
    expect((await b!.read('controller'))?.owner).toBe(sessionOf(a));
  });

  it('watches go on over a lost session, and tell what changed meanwhile', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(b!, create('topology', 'v0'));
    const told = new Told<Entry | null>();
    const names = new Told<readonly string[]>();
    onTestFinished(a.watch('topology', told.listener));
    onTestFinished(a.watchChildren('', names.listener));
    await told.until('v0', (entry) => seen(entry) === 'v0@0');
    const before = sessionOf(a);
    await bench.environment.killSession(a);
    await committed(b!, set('topology', 'v1'), create('new'));
    await regained(bench, a, before);
    await told.until('v1', (entry) => seen(entry) === 'v1@1');
    await names.until('both', (list) => list.join() === 'new,topology');
    await committed(b!, set('topology', 'v2'), create('newer'));
    await told.until('v2', (entry) => seen(entry) === 'v2@2');
    await names.until('all three', (list) => list.join() === 'new,newer,topology');
  });

  it('a watcher is told when the ephemeral of a killed session goes', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, createEphemeral('controller', 'a'));
    const told = new Told<Entry | null>();
    onTestFinished(b!.watch('controller', told.listener));
    await told.until('the controller', (entry) => seen(entry) === 'a@0');
    await bench.environment.killSession(a);
    await told.until('its end', (entry) => entry === null, bench.environment.sessionTimeoutMs * 4 + 5000);
  });

  it('no commit of a killed session is done in its name', async () => {
    const [a, b] = await bench.sessions(2);
    const before = sessionOf(a);
    await bench.environment.killSession(a);
    const attempt = a.commit([createEphemeral('controller')]).then(
      (result) => result.ok,
      (error: unknown) => error,
    );
    const outcome = await attempt;
    if (outcome !== true) expect(outcome).toMatchObject({ code: expect.stringMatching(/^CODIS_E_COORDINATOR_(LOST|UNKNOWN)$/) });
    await regained(bench, a, before);
    expect((await b!.read('controller'))?.owner).not.toBe(before);
  });
}

function outage(bench: Bench): void {
  it('an outage shorter than the session keeps session and ephemerals; calls meanwhile fail as lost', async (context) => {
    const faults = bench.environment.outage;
    if (!faults) return context.skip();
    const [a, b] = await bench.sessions(2);
    await committed(a, createEphemeral('controller'), create('topology', 'v0'));
    const told = new Told<Entry | null>();
    onTestFinished(a.watch('topology', told.listener));
    const session = sessionOf(a);
    await faults.suspend();
    try {
      await eventually(() => a.state.kind === 'suspended', { what: 'the outage to be noticed' });
      expect(a.state).toMatchObject({ kind: 'suspended', session });
      await expect(a.read('topology')).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
      await expect(a.list('')).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
      await expect(a.commit([set('topology', 'x')])).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
      await expect(a.ready(10)).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_LOST' });
    } finally {
      await faults.resume();
    }
    await a.ready(10_000);
    await b!.ready(10_000);
    expect(sessionOf(a)).toBe(session);
    expect((await b!.read('controller'))?.owner).toBe(session);
    await committed(b!, set('topology', 'v1', 0));
    await told.until('v1', (entry) => seen(entry) === 'v1@1');
  });
}

function end(bench: Bench): void {
  it('calls after close reject, the state is closed, and closing again is harmless', async () => {
    const [a] = await bench.sessions(1);
    const states = recordStates(a);
    await a.close();
    await a.close();
    expect(a.state.kind).toBe('closed');
    expect(states.filter((state) => state.kind === 'closed')).toHaveLength(1);
    const lost = { code: 'CODIS_E_COORDINATOR_LOST' };
    await expect(a.read('x')).rejects.toMatchObject(lost);
    await expect(a.list('')).rejects.toMatchObject(lost);
    await expect(a.commit([create('x')])).rejects.toMatchObject(lost);
    await expect(a.ready(1000)).rejects.toMatchObject(lost);
  });

  it('no watch is called after close', async () => {
    const [a, b] = await bench.sessions(2);
    const told = new Told<Entry | null>();
    a.watch('node', told.listener);
    await told.until('null', (entry) => entry === null);
    const closing = a.close();
    const count = told.values.length;
    await closing;
    await committed(b!, create('node'));
    const other = new Told<Entry | null>();
    onTestFinished(b!.watch('node', other.listener));
    await other.until('the node', (entry) => entry !== null);
    expect(told.values).toHaveLength(count);
  });

  it('a commit under way while close is called is done or refused, never half', async () => {
    const [a, b] = await bench.sessions(2);
    const commit = a.commit([create('first'), create('second')]).then(
      (result) => result.ok,
      () => false,
    );
    await a.close();
    const done = await commit;
    const names = await b!.list('');
    expect([[], ['first', 'second']]).toContainEqual(names);
    if (done) expect(names).toEqual(['first', 'second']);
  });
}

async function regained(bench: Bench, coordinator: Coordinator, before: string): Promise<void> {
  await eventually(() => coordinator.state.kind === 'connected' && coordinator.state.session !== before, {
    what: `a new session; the state is ${coordinator.state.kind}`,
    timeoutMs: bench.environment.sessionTimeoutMs * 4 + 10_000,
  });
}
