import { describe, expect, test } from 'vitest';
import { PATHS } from '../../src/coordinator/index.ts';
import { asEpoch, asGroupId, isCodisError } from '../../src/model/index.ts';
import { ensureParents } from '../../src/operations/commit.ts';
import { eventOps, listEvents, readEvent, readEventPage } from '../../src/operations/events.ts';
import { addGroup, readTopology } from '../../src/operations/index.ts';
import { ACTOR, G1, G2, losingAnswers, newCaller, newProduct, refusal, withCommit } from './support.ts';

describe('a change', () => {
  test('makes one event that says who did what, and the epoch it made', async () => {
    const caller = await newProduct();
    const { epoch } = await addGroup(caller, { group: G1 });
    const [newest, ...older] = await listEvents(caller.coordinator);
    expect(epoch).toBe(1);
    expect(newest).toMatchObject({ seq: 2, actor: ACTOR, action: 'group.add', object: 'group 1', epoch: 1 });
    expect(older.map(({ action }) => action)).toEqual(['slot.init']);
  });

  test('expected at another epoch is stale and changes nothing', async () => {
    const caller = await newProduct();
    await addGroup(caller, { group: G1, expectedEpoch: asEpoch(0) });
    expect(await refusal(caller, () => addGroup(caller, { group: G2, expectedEpoch: asEpoch(0) }))).toBe('CODIS_E_STALE');
  });

  test('before slot init is refused', async () => {
    const caller = await newCaller();
    expect(await refusal(caller, () => addGroup(caller, { group: G1 }))).toBe('CODIS_E_NOT_INITIALISED');
  });

  test('survives others that change the topology at the same time', async () => {
    const caller = await newProduct();
    const groups = Array.from({ length: 12 }, (_, index) => asGroupId(index + 1));
    await Promise.all(groups.map((group) => addGroup(caller, { group })));
    const { epoch, topology } = await readTopology(caller);
    expect(topology.groups.map(({ id }) => id)).toEqual(groups);
    expect(epoch).toBe(groups.length);
    expect(await listEvents(caller.coordinator)).toHaveLength(groups.length + 1);
  });

  test('that conflicts without end gives up with a conflict', async () => {
    const caller = await newProduct();
    const { coordinator } = caller;
    const overtaken = withCommit(coordinator, async (ops) => {
      const current = await coordinator.read(PATHS.topology);
      await coordinator.commit([{ op: 'set', path: PATHS.topology, data: current!.data }]);
      return coordinator.commit(ops);
    });
    await expect(addGroup({ ...caller, coordinator: overtaken }, { group: G1 })).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
  });
});

describe('a commit whose answer is lost', () => {
  test('is found again when it was made: one change, one event', async () => {
    const caller = await newProduct();
    const lossy = { ...caller, coordinator: losingAnswers(caller.coordinator, { made: true }) };
    expect((await addGroup(lossy, { group: G1 })).epoch).toBe(1);
    expect((await readTopology(caller)).epoch).toBe(1);
    expect(await listEvents(caller.coordinator)).toHaveLength(2);
  });

  test('is made again when it was not', async () => {
    const caller = await newProduct();
    const lossy = { ...caller, coordinator: losingAnswers(caller.coordinator, { made: false, count: 2 }) };
    expect((await addGroup(lossy, { group: G1 })).epoch).toBe(1);
    expect(await listEvents(caller.coordinator)).toHaveLength(2);
  });

  test('is reported as unknown when the coordinator does not come back', async () => {
    const caller = await newProduct();
    const lossy = losingAnswers(caller.coordinator, { made: true });
    const gone = withCommit(caller.coordinator, (ops) => lossy.commit(ops).finally(() => caller.coordinator.close()));
    const error = await addGroup({ ...caller, coordinator: gone }, { group: G1 }).catch((reason: unknown) => reason);
    expect(isCodisError(error, 'CODIS_E_COORDINATOR_UNKNOWN')).toBe(true);
    expect((error as Error).message).toContain('may or may not have been made');
  });
});

describe('the event log', () => {
  test('drops its oldest events when it is full', async () => {
    const caller = await newCaller();
    await ensureParents(caller);
    for (let count = 0; count < 7; count++) {
      const { ops } = await eventOps(caller.coordinator, event(`e${count}`), 5);
      expect(await caller.coordinator.commit(ops)).toMatchObject({ ok: true });
    }
    const kept = await listEvents(caller.coordinator);
    expect(kept.map(({ seq }) => seq)).toEqual([7, 6, 5, 4, 3]);
  });

  test('is listed newest first, from a number on, as many as asked', async () => {
    const caller = await newProduct();
    for (const group of [1, 2, 3]) await addGroup(caller, { group: asGroupId(group) });
    const seqs = async (options: { after?: number; limit?: number }) =>
      (await listEvents(caller.coordinator, options)).map(({ seq }) => seq);
    expect(await seqs({ limit: 2 })).toEqual([4, 3]);
    expect(await seqs({ after: 3 })).toEqual([4]);
    expect(await seqs({ after: 4 })).toEqual([]);
  });

  test('is read page by page, each beginning where the one before ended, to the oldest that is kept', async () => {
    const caller = await newCaller();
    await ensureParents(caller);
    for (let count = 0; count < 9; count++) {
      const { ops } = await eventOps(caller.coordinator, event(`e${count}`), 7);
      expect(await caller.coordinator.commit(ops)).toMatchObject({ ok: true });
    }
    const page = async (range: { after?: number; before?: number; limit: number }) => {
      const { events, older } = await readEventPage(caller.coordinator, range);
      return { seqs: events.map(({ seq }) => seq), older };
    };
    expect(await page({ limit: 3 })).toEqual({ seqs: [9, 8, 7], older: 7 });
    expect(await page({ before: 7, limit: 3 })).toEqual({ seqs: [6, 5, 4], older: 4 });
    expect(await page({ before: 4, limit: 3 })).toEqual({ seqs: [3], older: null });
    expect(await page({ before: 6, limit: 3 })).toEqual({ seqs: [5, 4, 3], older: null });
    expect(await page({ after: 4, before: 8, limit: 2 })).toEqual({ seqs: [7, 6], older: 6 });
    expect(await page({ after: 4, before: 6, limit: 2 })).toEqual({ seqs: [5], older: null });
    expect(await page({ before: 1, limit: 2 })).toEqual({ seqs: [], older: null });
  });

  test('with something foreign in it says so', async () => {
    const caller = await newProduct();
    await caller.coordinator.commit([{ op: 'create', path: `${PATHS.events}/0000000009`, data: Buffer.from('?') }]);
    await expect(readEvent(caller.coordinator, 9)).rejects.toMatchObject({ code: 'CODIS_E_COORDINATOR_CORRUPT' });
    expect(await readEvent(caller.coordinator, 8)).toBeNull();
  });
});

function event(id: string) {
  return {
    id,
    actor: ACTOR,
    via: 'system',
    ip: null,
    at: '',
    action: 'group.add',
    object: '',
    epoch: null,
    before: null,
    after: null,
  } as const;
}
