// Who asks how it is gets a reading of that moment, or one that somebody else has just asked for.

import { afterAll, expect, test } from 'vitest';
import { stopAll } from '../../../../test/harness/process.ts';
import { initSlots } from '../../src/operations/index.ts';
import { statusReader } from '../../src/status/index.ts';
import { newCaller } from '../operations/support.ts';

afterAll(stopAll);

test('a look that somebody takes for himself is not what others are told', async () => {
  const caller = await newCaller();
  const read = statusReader({ ...caller, elected: () => false });
  expect(await read({ apart: true })).toMatchObject({ verdict: 'empty' });
  await initSlots(caller, { force: false });
  const told = read();
  expect(await told).toMatchObject({ verdict: 'degraded', epoch: 0 });
  expect(read()).toBe(told);
});
