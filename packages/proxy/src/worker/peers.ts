// The other workers of this proxy, as one of them sees them: what a client asks about the proxy is asked of all workers, and what holds for the proxy is
// told to all. Messages go through the primary (primary/exchange.ts), which leaves out a worker that died or does not answer within a second.
//
//   ask(topic, question, done) ──▶ own handler ──┐
//                              ──▶ primary ──▶ handlers of the others ──▶ done(all answers)

import { invariant } from '@codis/config/model';
import type { ToPrimary, ToWorker } from '../ipc.ts';
import type { PeerTopics } from './peer-topics.ts';

type Topic = keyof PeerTopics;
type Question<T extends Topic> = PeerTopics[T]['question'];
type Answer<T extends Topic> = PeerTopics[T]['answer'];

export class Peers {
  readonly #send: (message: ToPrimary) => void;
  readonly #alone: boolean;
  readonly #handlers = new Map<Topic, (question: never) => unknown>();
  readonly #waiting = new Map<number, (answers: readonly unknown[], missing: number) => void>();
  #nextId = 1;

  /** `workers`: how many this proxy has, this one included. */
  constructor(send: (message: ToPrimary) => void, workers: number) {
    this.#send = send;
    this.#alone = workers === 1;
  }

  /** How this worker answers questions of this topic. Questions and answers are plain JSON. */
  on<T extends Topic>(topic: T, handler: (question: Question<T>) => Answer<T>): void {
    this.#handlers.set(topic, handler);
  }

  /** Asks all workers, this one first. `done` is called once, with the answers of those that gave one; by then each of them has acted upon the question. */
  ask<T extends Topic>(topic: T, question: Question<T>, done: (answers: readonly Answer<T>[]) => void): void {
    const own = this.#answer(topic, question) as Answer<T>;
    if (this.#alone) done([own]);
    else this.#ask(topic, question, false, (others) => done([own, ...(others as readonly Answer<T>[])]));
  }

  /** Asks all workers but this one, and not those that have not answered an earlier question in time: what is asked often must not pile up before them.
   *  `missing` is how many were not asked for that, or did not answer. */
  askOthers<T extends Topic>(topic: T, question: Question<T>, done: (answers: readonly Answer<T>[], missing: number) => void): void {
    if (this.#alone) done([], 0);
    else this.#ask(topic, question, true, (others, missing) => done(others as readonly Answer<T>[], missing));
  }

  /** Tells all workers, this one first. */
  tell<T extends Topic>(topic: T, what: Question<T>): void {
    this.ask(topic, what, () => undefined);
  }

  onAsked(message: Extract<ToWorker, { type: 'asked' }>): void {
    const { id, topic, question } = message;
    this.#send({ type: 'answer', id, answer: this.#answer(topic as Topic, question) ?? null });
  }

  onAnswers(message: Extract<ToWorker, { type: 'answers' }>): void {
    const done = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    done?.(message.answers, message.missing);
  }

  #ask(topic: Topic, question: unknown, unlessLate: boolean, done: (others: readonly unknown[], missing: number) => void): void {
    const id = this.#nextId++;
    this.#waiting.set(id, done);
    this.#send({ type: 'ask', id, topic, question, unlessLate });
  }

  /** All workers run the same program: what one asks, the other knows. */
  #answer(topic: Topic, question: unknown): unknown {
    const handler = this.#handlers.get(topic) as ((question: unknown) => unknown) | undefined;
    invariant(handler !== undefined, 'a question between workers has somebody who answers it');
    return handler(question);
  }
}
