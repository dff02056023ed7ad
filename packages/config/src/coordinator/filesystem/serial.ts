// One thing at a time, in the order asked for.

export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  /** Runs `task` after all that were given before it, whether those succeeded or not. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task, task);
    this.#tail = result;
    return result;
  }
}
