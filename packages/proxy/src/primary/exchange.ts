// Passes questions of one worker to all others and their answers back. A worker that died is not waited for; one that does not answer in time is left
// out, and where the asker wants it so not asked again before it has answered: nothing piles up for a worker that hangs.

import type { PeerTopic, ToPrimary, ToWorker } from '../ipc.ts';

/** A worker as it can be reached here. */
export interface ExchangeMember {
  readonly post: (message: ToWorker) => void;
}

interface Question {
  readonly from: ExchangeMember;
  /** The asker's own number for it. */
  readonly id: number;
  readonly answers: unknown[];
  readonly missing: Set<ExchangeMember>;
  /** How many were not asked, or gave no answer in time. */
  left: number;
  readonly timer: NodeJS.Timeout;
}

export const ANSWER_TIMEOUT_MS = 1000;

export class Exchange {
  readonly #members: () => Iterable<ExchangeMember>;
  readonly #timeoutMs: number;
  readonly #questions = new Map<number, Question>();
  /** Members that owe an answer longer than they may, and to which question. */
  readonly #late = new Map<ExchangeMember, number>();
  #nextId = 1;

  /** `members`: all workers that are up. */
  constructor(members: () => Iterable<ExchangeMember>, timeoutMs = ANSWER_TIMEOUT_MS) {
    this.#members = members;
    this.#timeoutMs = timeoutMs;
  }

  ask(from: ExchangeMember, message: Extract<ToPrimary, { type: 'ask' }>): void {
    const id = this.#nextId++;
    const others = [...this.#members()].filter((member) => member !== from);
    const missing = new Set(others.filter((member) => !(message.unlessLate && this.#late.has(member))));
    const timer = setTimeout(() => this.#giveUp(id), this.#timeoutMs);
    const question: Question = { from, id: message.id, answers: [], missing, left: others.length - missing.size, timer };
    this.#questions.set(id, question);
    for (const member of missing) this.#put(member, id, message.topic, message.question);
    this.#checkDone(id, question);
  }

  answer(from: ExchangeMember, message: Extract<ToPrimary, { type: 'answer' }>): void {
    if ((this.#late.get(from) ?? Number.POSITIVE_INFINITY) <= message.id) this.#late.delete(from);
    const question = this.#questions.get(message.id);
    if (question === undefined || !question.missing.delete(from)) return;
    question.answers.push(message.answer);
    this.#checkDone(message.id, question);
  }

  /** That worker is gone: nobody waits for its answers, nor does it for those of others. */
  forget(member: ExchangeMember): void {
    this.#late.delete(member);
    for (const [id, question] of this.#questions) {
      question.missing.delete(member);
      this.#checkDone(id, question);
    }
  }

  close(): void {
    for (const { timer } of this.#questions.values()) clearTimeout(timer);
    this.#questions.clear();
  }

  #put(member: ExchangeMember, id: number, topic: PeerTopic, question: unknown): void {
    member.post({ type: 'asked', id, topic, question });
  }

  #giveUp(id: number): void {
    const question = this.#questions.get(id);
    if (question === undefined) return;
    for (const member of question.missing) this.#late.set(member, id);
    question.left += question.missing.size;
    question.missing.clear();
    this.#checkDone(id, question);
  }

  #checkDone(id: number, question: Question): void {
    if (question.missing.size > 0) return;
    clearTimeout(question.timer);
    this.#questions.delete(id);
    question.from.post({ type: 'answers', id: question.id, answers: question.answers, missing: question.left });
  }
}
