// What a primary would do with what a worker asks and tells it of scripts and functions, in memory: several workers may share one.

import type { Library, RegistryChange, RegistryQuestion, ToPrimary, ToWorker } from '../../../src/ipc.ts';

export class MemoryRegistry {
  readonly scripts = new Map<string, string>();
  libraries: Library[] = [];
  readonly questions: RegistryQuestion[] = [];
  /** It answers nothing, as a primary that hangs. */
  silent = false;

  /** `answer` gets what the primary would send. */
  onMessage(message: ToPrimary, answer: (message: Extract<ToWorker, { type: 'looked-up' }>) => void): void {
    if (message.type === 'register') this.#change(message.change);
    if (message.type !== 'look-up') return;
    this.questions.push(message.question);
    if (this.silent) return;
    const { id, question } = message;
    setImmediate(() => answer({ type: 'looked-up', id, answer: this.#answer(question) }));
  }

  #change(change: RegistryChange): void {
    if (change.kind === 'add-script') this.scripts.set(change.sha, change.body);
    else if (change.kind === 'flush-scripts') this.scripts.clear();
    else if (change.kind === 'set-libraries') this.libraries = [...change.libraries];
    else {
      const name = change.kind === 'set-library' ? change.library.name : change.name;
      this.libraries = this.libraries.filter((library) => library.name !== name);
      if (change.kind === 'set-library') this.libraries.push(change.library);
    }
  }

  #answer(question: RegistryQuestion): unknown {
    if (question.kind === 'script') return this.scripts.get(question.sha) ?? null;
    if (question.kind === 'scripts') return question.shas.filter((sha) => this.scripts.has(sha));
    return question.kind === 'written' ? true : this.libraries;
  }
}
