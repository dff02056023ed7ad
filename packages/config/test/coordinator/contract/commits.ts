// Reading and changing the tree: the four steps of a commit, every refusal, and that a commit is all or nothing.

import { describe, expect, it } from 'vitest';
import { type Bench, bytes, check, committed, create, createEphemeral, refused, remove, seen, set } from './environment.ts';

export function commitContract(bench: Bench): void {
  describe('commits', () => {
    it('a node that was created is read with its data, at version 0 and without an owner', async () => {
      const [a, b] = await bench.sessions(2);
      expect(await committed(a, create('topology', 'first'))).toEqual([0]);
      expect(await a.read('topology')).toEqual({ data: bytes('first'), version: 0, owner: null });
      expect(seen(await b!.read('topology'))).toBe('first@0');
    });

    it('a node that does not exist is read as null, and has no children', async () => {
      const [a] = await bench.sessions(1);
      expect(await a.read('nothing')).toBeNull();
      expect(await a.read('nothing/below')).toBeNull();
      expect(await a.list('nothing')).toEqual([]);
      expect(await a.list('')).toEqual([]);
    });

    it('each set adds one to the version', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('topology', 'v0'));
      expect(await committed(a, set('topology', 'v1'))).toEqual([1]);
      expect(await committed(a, set('topology', 'v2', 1))).toEqual([2]);
      expect(seen(await a.read('topology'))).toBe('v2@2');
    });

    it('compare-and-set guards version 0 as any other', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('topology', 'v0'));
      expect(await committed(a, set('topology', 'v1', 0))).toEqual([1]);
      expect(await refused(a, set('topology', 'again', 0))).toEqual({ index: 0, path: 'topology', reason: 'version' });
      expect(await refused(a, remove('topology', 0))).toEqual({ index: 0, path: 'topology', reason: 'version' });
      expect(await refused(a, check('topology', 0))).toEqual({ index: 0, path: 'topology', reason: 'version' });
      expect(seen(await a.read('topology'))).toBe('v1@1');
    });

    it('a node deleted and created again starts at version 0', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('topology', 'old'));
      await committed(a, set('topology', 'older'));
      expect(await committed(a, remove('topology', 1))).toEqual([-1]);
      expect(await a.read('topology')).toBeNull();
      await committed(a, create('topology', 'new'));
      expect(seen(await a.read('topology'))).toBe('new@0');
    });

    it('children are listed by name, sorted, one level deep', async () => {
      const [a] = await bench.sessions(1);
      await committed(a, create('proxies'), create('proxies/p2'), create('proxies/p10'), create('proxies/p1'), create('proxies/p1/below'));
      await committed(a, create('proxies-other'));
      expect(await a.list('proxies')).toEqual(['p1', 'p10', 'p2']);
      expect(await a.list('proxies/p1')).toEqual(['below']);
      expect(await a.list('')).toEqual(['proxies', 'proxies-other']);
    });

    refusals(bench);
    atomicity(bench);
  });
}

function refusals(bench: Bench): void {
  it('creating what exists is refused as exists', async () => {
    const [a] = await bench.sessions(1);
    await committed(a, create('topology', 'kept'));
    expect(await refused(a, create('topology', 'other'))).toEqual({ index: 0, path: 'topology', reason: 'exists' });
    expect(seen(await a.read('topology'))).toBe('kept@0');
  });

  it('setting, deleting or checking what does not exist is refused as missing', async () => {
    const [a] = await bench.sessions(1);
    for (const op of [set('gone', ''), set('gone', '', 0), remove('gone'), remove('gone', 0), check('gone', 0)]) {
      expect(await refused(a, op)).toEqual({ index: 0, path: 'gone', reason: 'missing' });
    }
  });

  it('creating below what does not exist is refused as no-parent, and makes no parent', async () => {
    const [a] = await bench.sessions(1);
    expect(await refused(a, create('proxies/p1'))).toEqual({ index: 0, path: 'proxies/p1', reason: 'no-parent' });
    expect(await a.list('')).toEqual([]);
  });

  it('deleting a node that has children is refused as not-empty', async () => {
    const [a] = await bench.sessions(1);
    await committed(a, create('proxies'), create('proxies/p1'));
    expect(await refused(a, remove('proxies'))).toEqual({ index: 0, path: 'proxies', reason: 'not-empty' });
    expect(await refused(a, remove('proxies', 0))).toEqual({ index: 0, path: 'proxies', reason: 'not-empty' });
    expect(await a.list('proxies')).toEqual(['p1']);
  });

  it('creating below an ephemeral is refused as ephemeral-parent', async () => {
    const [a] = await bench.sessions(1);
    await committed(a, createEphemeral('controller'));
    expect(await refused(a, create('controller/x'))).toEqual({ index: 0, path: 'controller/x', reason: 'ephemeral-parent' });
    expect(await refused(a, createEphemeral('controller/x'))).toEqual({ index: 0, path: 'controller/x', reason: 'ephemeral-parent' });
  });

  it('a refusal names the first step that fails, wherever it stands', async () => {
    const [a] = await bench.sessions(1);
    await committed(a, create('topology'));
    const refusal = await refused(a, check('topology', 0), create('fine'), set('topology', 'x', 7), remove('nothing'));
    expect(refusal).toEqual({ index: 2, path: 'topology', reason: 'version' });
  });
}

function atomicity(bench: Bench): void {
  it('nothing is done when the last step fails', async () => {
    const [a, b] = await bench.sessions(2);
    await committed(a, create('topology', 'kept'), create('doomed'));
    const refusal = await refused(
      a,
      create('new'),
      set('topology', 'changed'),
      remove('doomed'),
      createEphemeral('live'),
      check('topology', 5),
    );
    expect(refusal).toEqual({ index: 4, path: 'topology', reason: 'version' });
    for (const session of [a, b!]) {
      expect(await session.list('')).toEqual(['doomed', 'topology']);
      expect(seen(await session.read('topology'))).toBe('kept@0');
    }
  });

  it('a later step sees what an earlier one did', async () => {
    const [a] = await bench.sessions(1);
    const versions = await committed(
      a,
      create('parent'),
      create('parent/child', 'v0'),
      set('parent/child', 'v1', 0),
      check('parent/child', 1),
      set('parent/child', 'v2', 1),
      create('brief'),
      remove('brief', 0),
    );
    expect(versions).toEqual([0, 0, 1, 1, 2, 0, -1]);
    expect(seen(await a.read('parent/child'))).toBe('v2@2');
    expect(await a.list('')).toEqual(['parent']);
  });

  it('a node can be replaced within one commit', async () => {
    const [a] = await bench.sessions(1);
    await committed(a, create('topology', 'old'));
    await committed(a, set('topology', 'older'));
    expect(await committed(a, remove('topology'), create('topology', 'new'))).toEqual([-1, 0]);
    expect(seen(await a.read('topology'))).toBe('new@0');
  });

  it('a failed later step does not hide which one it was when earlier steps changed its node', async () => {
    const [a] = await bench.sessions(1);
    expect(await refused(a, create('n'), remove('n'), set('n', ''))).toEqual({ index: 2, path: 'n', reason: 'missing' });
    expect(await refused(a, create('n'), create('n'))).toEqual({ index: 1, path: 'n', reason: 'exists' });
    expect(await refused(a, create('n'), create('n/c'), remove('n'))).toEqual({ index: 2, path: 'n', reason: 'not-empty' });
    expect(await refused(a, create('n'), set('n', ''), check('n', 0))).toEqual({ index: 2, path: 'n', reason: 'version' });
    expect(await a.list('')).toEqual([]);
  });

  it('an acknowledgement that checks the topology is refused once the topology has moved on', async () => {
    const [proxy, dashboard] = await bench.sessions(2);
    await committed(dashboard!, create('topology'), create('proxies'), create('proxies/p1'));
    await committed(proxy, check('topology', 0), createEphemeral('proxies/p1/live', '0'));
    await committed(dashboard!, set('topology', '', 0));
    expect((await refused(proxy, check('topology', 0), set('proxies/p1/live', '0'))).index).toBe(0);
    await committed(proxy, check('topology', 1), set('proxies/p1/live', '1'));
    expect(seen(await dashboard!.read('proxies/p1/live'))).toBe('1@1');
  });

  it('a commit of no steps does nothing, and one that only checks changes no version', async () => {
    const [a] = await bench.sessions(1);
    expect(await a.commit([])).toEqual({ ok: true, versions: [] });
    await committed(a, create('topology'));
    expect(await committed(a, check('topology', 0))).toEqual([0]);
    expect((await a.read('topology'))?.version).toBe(0);
  });

  it('a commit of a thousand steps is done as one', async () => {
    const [a, b] = await bench.sessions(2);
    const names = Array.from({ length: 1000 }, (_, index) => `n${String(index).padStart(4, '0')}`);
    await committed(a, create('many'), ...names.map((name) => create(`many/${name}`, name)));
    expect(await b!.list('many')).toEqual(names);
    const refusal = await refused(a, ...names.map((name) => remove(`many/${name}`)), remove('nothing'));
    expect(refusal).toEqual({ index: 1000, path: 'nothing', reason: 'missing' });
    expect(await b!.list('many')).toHaveLength(1000);
  });

  it('compare-and-set from several sessions at once loses no increment', async () => {
    const sessions = await bench.sessions(4);
    await committed(sessions[0], create('counter', '0'));
    const each = 25;
    await Promise.all(
      sessions.map(async (session) => {
        for (let done = 0; done < each; ) {
          const entry = await session.read('counter');
          const result = await session.commit([set('counter', String(Number(entry!.data.toString()) + 1), entry!.version)]);
          if (result.ok) done++;
        }
      }),
    );
    const total = sessions.length * each;
    expect(seen(await sessions[0].read('counter'))).toBe(`${total}@${total}`);
  });
}
