// Goal: mending never touches a key that has become real. Method: the process that mends is stopped at the worst moment (between the proof that its claim stands
// and the batch), and what it believed changes meanwhile.

import { afterAll, describe, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import type { RedisServer } from '../../../../test/harness/redis.ts';
import { PATHS } from '../../src/coordinator/index.ts';
import { mendKeys } from '../../src/doctor/index.ts';
import { asSlot, encodeTopology } from '../../src/model/index.ts';
import { assignRange, type Caller, claimMend, offlineRange, readTopology } from '../../src/operations/index.ts';
import { keyOf } from '../migration/product.ts';
import { G1, G2, newCluster, withCommit } from '../operations/support.ts';

afterAll(stopAll);

const only = { first: asSlot(1), last: asSlot(1) };
const claim = (caller: Caller) => claimMend(caller, { action: 'key.delete', object: 'a test', before: 'here', after: 'deleted' });
const stray = keyOf(1);

/** A caller that freezes for longer than a batch's lease after the proof that goes before a batch; `meanwhile` happens then. */
function freezing(caller: Caller, meanwhile: () => Promise<unknown>): Caller {
  let proofs = 0;
  const coordinator = withCommit(caller.coordinator, async (ops) => {
    const result = await caller.coordinator.commit(ops);
    const isProof = ops.every(({ op }) => op === 'check');
    if (isProof && ++proofs === 2) {
      await meanwhile();
      await new Promise((next) => setTimeout(next, 700));
    }
    return result;
  });
  return { ...caller, coordinator };
}

async function withStray(): Promise<{ caller: Caller; a: RedisServer; b: RedisServer }> {
  const cluster = await newCluster();
  await cluster.b.client().set(stray, 'value');
  return cluster;
}

describe('a process that mends and freezes', () => {
  test('does nothing late: its batch finds its time over, and it tries again', async () => {
    const { caller, a, b } = await withStray();
    const seen: number[] = [];
    const result = await mendKeys(
      freezing(caller, async () => seen.push(await b.client().exists(stray))),
      { group: G2, action: 'move' },
    );
    expect(seen).toEqual([1]);
    expect(result).toMatchObject({ movedCount: 1, deletedCount: 0 });
    expect(await a.client().get(stray)).toBe('value');
  });

  test('touches no key of a slot that came to this group meanwhile', async () => {
    const { caller, b } = await withStray();
    const lost = async () => {
      for (const id of await caller.coordinator.list(PATHS.mending)) {
        await caller.coordinator.commit([{ op: 'delete', path: `${PATHS.mending}/${id}` }]);
      }
      await offlineRange(caller, only);
      await assignRange(caller, { ...only, owner: G2 });
    };
    await expect(mendKeys(freezing(caller, lost), { group: G2, action: 'delete' })).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
    expect(await b.client().get(stray)).toBe('value');
  });
});

describe('a claim', () => {
  test('raises the epoch, so what was decided before it can’t be written, and holds up who reassigns slots', async () => {
    const { caller } = await newCluster();
    const before = await readTopology(caller);
    const held = await claim(caller);
    const data = encodeTopology(before.topology);
    const late = await caller.coordinator.commit([{ op: 'set', path: PATHS.topology, data, version: before.epoch }]);
    expect(late).toMatchObject({ ok: false, refusal: { reason: 'version' } });
    await expect(offlineRange(caller, only)).rejects.toMatchObject({
      code: 'CODIS_E_CONFLICT',
      message: expect.stringContaining('alice is mending a test'),
    });
    expect((await held.prove()).epoch).toBe(before.epoch + 1);
    await held.release();
    await offlineRange(caller, only);
    await expect(held.prove()).rejects.toMatchObject({ code: 'CODIS_E_CONFLICT' });
    await assignRange(caller, { ...only, owner: G1 });
  });
});
