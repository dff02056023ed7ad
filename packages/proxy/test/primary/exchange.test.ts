// Goal: a question between workers is answered once, by all that can, within a bound, whoever dies or hangs meanwhile.
// Method: the exchange with members that write down what they are sent.

import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../../../test/harness/process.ts';
import type { ToWorker } from '../../src/ipc.ts';
import { Exchange } from '../../src/primary/exchange.ts';
import { Places } from '../../src/primary/places.ts';

class Recorder {
  readonly got: ToWorker[] = [];
  post = (message: ToWorker): void => void this.got.push(message);

  asked(): number[] {
    return this.got.flatMap((message) => (message.type === 'asked' ? [message.id] : []));
  }

  answers(): { id: number; answers: readonly unknown[]; missing: number }[] {
    return this.got.flatMap((message) => (message.type === 'answers' ? [message] : []));
  }
}

const question = (id: number, unlessLate = false) => ({ type: 'ask', id, topic: 'x', question: null, unlessLate }) as const;
const answer = (id: number, value: unknown) => ({ type: 'answer', id, answer: value }) as const;

let exchange: Exchange;
const three = (timeoutMs = 60_000): [Recorder, Recorder, Recorder] => {
  const members: [Recorder, Recorder, Recorder] = [new Recorder(), new Recorder(), new Recorder()];
  exchange = new Exchange(() => members, timeoutMs);
  return members;
};

afterEach(() => exchange.close());

describe('a question', () => {
  test('goes to the others, and all answers go back together, under the asker’s own number', () => {
    const [a, b, c] = three();
    exchange.ask(a, question(7));
    expect(a.asked()).toEqual([]);
    exchange.answer(b, answer(b.asked()[0]!, 'b'));
    expect(a.answers()).toEqual([]);
    exchange.answer(c, answer(c.asked()[0]!, 'c'));
    expect(a.answers()).toMatchObject([{ id: 7, answers: ['b', 'c'], missing: 0 }]);
    exchange.answer(c, answer(c.asked()[0]!, 'again'));
    expect(a.answers().length).toBe(1);
  });

  test('does not wait for a worker that died', () => {
    const [a, b, c] = three();
    exchange.ask(a, question(1));
    exchange.answer(b, answer(b.asked()[0]!, 'b'));
    exchange.forget(c);
    expect(a.answers()).toMatchObject([{ id: 1, answers: ['b'], missing: 0 }]);
  });

  test('is answered at once where there is nobody else', () => {
    const alone = new Recorder();
    exchange = new Exchange(() => [alone]);
    exchange.ask(alone, question(1));
    expect(alone.answers()).toMatchObject([{ id: 1, answers: [], missing: 0 }]);
  });

  test('leaves out who does not answer in time, and does not ask it again unless it must, until it has answered', async () => {
    const [a, b, c] = three(50);
    exchange.ask(a, question(1));
    exchange.answer(b, answer(b.asked()[0]!, 'b'));
    await eventually(() => a.answers().length === 1, { what: 'the time to be over' });
    expect(a.answers()).toMatchObject([{ answers: ['b'], missing: 1 }]);
    exchange.ask(a, question(2, true));
    expect(c.asked().length).toBe(1);
    exchange.answer(b, answer(b.asked()[1]!, 'b'));
    expect(a.answers()[1]).toMatchObject({ id: 2, answers: ['b'], missing: 1 });
    exchange.ask(a, question(3));
    expect(c.asked().length).toBe(2);
    for (const id of c.asked()) exchange.answer(c, answer(id, 'c'));
    exchange.ask(a, question(4, true));
    expect(c.asked().length).toBe(3);
  });
});

describe('places', () => {
  test('are distinct, and one that is taken again begins behind all that its predecessor can have given out', () => {
    exchange = new Exchange(() => []);
    const places = new Places(3);
    const first = [1, 2, 3].map((worker) => places.take(worker));
    expect(first.map(({ firstId }) => firstId)).toEqual([1, 2, 3]);
    let before = first[1]!.firstId;
    for (let worker = 4; worker < 20; worker++) {
      places.giveBack(worker === 4 ? 2 : worker - 1);
      const { firstId, workers } = places.take(worker);
      expect(firstId).toBeGreaterThanOrEqual(before + 2 ** 24);
      expect(firstId % workers).toBe(2);
      expect(Number.isSafeInteger(firstId)).toBe(true);
      before = firstId;
    }
  });
});
