import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Request } from '../../src/worker/request.ts';
import { Ring } from '../../src/worker/ring.ts';

const requests = Array.from({ length: 2000 }, (_, part) => Object.assign(new Request(), { part }));

describe('a ring', () => {
  test('gives back what it took, oldest first', () => {
    const ring = new Ring();
    for (const request of requests.slice(0, 3)) ring.push(request);
    expect(ring.peek()).toBe(requests[0]);
    expect([0, 1, 2].map((at) => ring.at(at).part)).toEqual([0, 1, 2]);
    expect([ring.shift(), ring.shift(), ring.shift()].map(({ part }) => part)).toEqual([0, 1, 2]);
    expect(ring.length).toBe(0);
  });

  test.each([63, 64, 65, 127, 128, 129, 2000])('of %i requests keeps them all', (count) => {
    const ring = new Ring();
    for (const request of requests.slice(0, count)) ring.push(request);
    expect(ring.length).toBe(count);
    for (let at = 0; at < count; at++) expect(ring.shift().part).toBe(at);
  });

  test('grows in the middle of a turn without losing its place', () => {
    const ring = new Ring();
    for (let at = 0; at < 40; at++) ring.push(requests[at]!);
    for (let at = 0; at < 40; at++) ring.shift();
    for (let at = 0; at < 100; at++) ring.push(requests[at]!);
    expect(Array.from({ length: 100 }, (_, at) => ring.at(at).part)).toEqual(Array.from({ length: 100 }, (_, at) => at));
  });

  test('is a queue, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -200, max: 200 }), { maxLength: 40 }), (steps) => {
        const ring = new Ring();
        const model: Request[] = [];
        for (const step of steps) {
          for (const request of requests.slice(0, Math.max(step, 0))) {
            ring.push(request);
            model.push(request);
          }
          for (let left = Math.min(-step, model.length); left > 0; left--) expect(ring.shift()).toBe(model.shift());
          expect(ring.length).toBe(model.length);
          if (model.length > 0) expect([ring.peek(), ring.at(model.length - 1)]).toEqual([model[0], model.at(-1)]);
        }
      }),
    );
  });
});
