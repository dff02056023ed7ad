// Goal: a proxy says a locked slot is drained exactly when nothing is under way for it any more: too early loses a write, never at all stops a move.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InFlight } from '../../src/worker/in-flight.ts';
import { Request } from '../../src/worker/request.ts';

function counting(): { inFlight: InFlight; drained: () => number } {
  let count = 0;
  return { inFlight: new InFlight(() => count++), drained: () => count };
}

const forSlot = (slot: number): Request => Object.assign(new Request(), { slot });
const forSlots = (...slots: number[]): Request => Object.assign(new Request(), { slots: Uint16Array.from(slots) });

describe('draining', () => {
  test('ends at once when nothing is under way', () => {
    const { inFlight, drained } = counting();
    inFlight.drain([1, 2]);
    expect(drained()).toBe(1);
  });

  test('ends at once when there is nothing to drain', () => {
    const { inFlight, drained } = counting();
    inFlight.enter(1);
    inFlight.drain([]);
    expect(drained()).toBe(1);
  });

  test('waits for the last request of every slot', () => {
    const { inFlight, drained } = counting();
    for (const slot of [1, 1, 2]) inFlight.enter(slot);
    inFlight.drain([1, 2]);
    expect(inFlight.waitingFor()).toEqual([1, 2]);
    inFlight.leave(forSlot(1));
    inFlight.leave(forSlot(2));
    expect(inFlight.waitingFor()).toEqual([1]);
    expect(drained()).toBe(0);
    inFlight.leave(forSlot(1));
    expect(drained()).toBe(1);
    expect(inFlight.waitingFor()).toEqual([]);
  });

  test('does not wait for other slots', () => {
    const { inFlight, drained } = counting();
    for (const slot of [0, 7, 1023]) inFlight.enter(slot);
    inFlight.drain([1023]);
    inFlight.leave(forSlot(1023));
    expect(drained()).toBe(1);
  });

  test('is told once', () => {
    const { inFlight, drained } = counting();
    inFlight.enter(5);
    inFlight.drain([5]);
    inFlight.leave(forSlot(5));
    inFlight.enter(5);
    inFlight.leave(forSlot(5));
    expect(drained()).toBe(1);
  });

  test('of a newer table takes the place of the older one', () => {
    const { inFlight, drained } = counting();
    inFlight.enter(5);
    inFlight.enter(6);
    inFlight.drain([5]);
    inFlight.drain([6]);
    inFlight.leave(forSlot(5));
    expect(drained()).toBe(0);
    inFlight.leave(forSlot(6));
    expect(drained()).toBe(1);
  });
});

describe('a request', () => {
  test('of several slots leaves them all', () => {
    const { inFlight, drained } = counting();
    for (const slot of [3, 4, 5]) inFlight.enter(slot);
    inFlight.drain([3, 4, 5]);
    inFlight.leave(forSlots(3, 4, 5));
    expect(drained()).toBe(1);
    expect(inFlight.counts.every((count) => count === 0)).toBe(true);
  });

  test('of no slot leaves none', () => {
    const { inFlight } = counting();
    inFlight.leave(new Request());
    expect(inFlight.counts.every((count) => count === 0)).toBe(true);
  });

  test('that leaves twice is a bug that shows', () => {
    const { inFlight } = counting();
    inFlight.enter(9);
    inFlight.leave(forSlot(9));
    expect(() => inFlight.leave(forSlot(9))).toThrow('a request leaves a slot once');
  });
});

test('whatever enters and leaves, drained is told when and only when the last one has left', () => {
  const slot = fc.integer({ min: 0, max: 5 });
  fc.assert(
    fc.property(
      fc.array(slot, { minLength: 1, maxLength: 30 }),
      fc.uniqueArray(slot),
      fc.infiniteStream(fc.nat()),
      (entered, waited, picks) => {
        const { inFlight, drained } = counting();
        for (const at of entered) inFlight.enter(at);
        inFlight.drain(waited);
        const under = [...entered];
        while (under.length > 0) {
          expect(drained()).toBe(under.some((at) => waited.includes(at)) ? 0 : 1);
          const [left] = under.splice(picks.next().value % under.length, 1);
          inFlight.leave(forSlot(left!));
        }
        expect(drained()).toBe(1);
      },
    ),
  );
});
