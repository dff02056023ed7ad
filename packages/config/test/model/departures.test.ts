import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asSlot, encodeGoing, isGoing, SLOT_COUNT } from '../../src/model/index.ts';

const ALL = Array.from({ length: SLOT_COUNT }, (_, slot) => asSlot(slot));

test('the slots that go are those that were written, whichever they are', () => {
  fc.assert(
    fc.property(fc.subarray(ALL), (slots) => {
      const going = encodeGoing(slots);
      expect(ALL.filter((slot) => isGoing(going, slot))).toEqual(slots);
    }),
  );
});

test('no slot goes where nothing is written', () => {
  expect(ALL.filter((slot) => isGoing('', slot))).toEqual([]);
});
