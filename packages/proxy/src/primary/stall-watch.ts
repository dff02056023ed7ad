// Finds workers that stand still: frozen, or kept busy by something without an end. Such a one acknowledges no table, so it holds up every slot move, though its
// proxy looks alive. Once a second each worker is asked whether it is there; whatever it says is an answer.
//
// Invariant: only seconds in which the primary itself ran count. A machine that was suspended, or a proxy that was frozen as a whole, kills no worker when it wakes.

/** A worker as it can be asked here. */
export interface Watched {
  readonly ask: () => void;
  /** It has told that it is up. */
  readonly isUp: () => boolean;
}

export interface StallWatchOptions<Member extends Watched> {
  readonly members: () => Iterable<Member>;
  /** How long a worker may be silent; it is noticed up to a second later. 0: for ever. */
  readonly timeoutSeconds: number;
  readonly onStalled: (member: Member) => void;
}

const ASK_EVERY_MS = 1000;
/** A worker that starts on a busy machine gets at least this long. */
const START_SECONDS_MIN = 30;

export class StallWatch<Member extends Watched> {
  readonly #options: StallWatchOptions<Member>;
  /** For how many seconds a member has owed an answer. */
  readonly #silent = new Map<Member, number>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: StallWatchOptions<Member>) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.timeoutSeconds === 0) return;
    this.#timer = setInterval(() => this.tick(), ASK_EVERY_MS);
  }

  /** It said something, or is gone. */
  forget(member: Member): void {
    this.#silent.delete(member);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** A second has passed. However late it comes, it counts as one. */
  tick(): void {
    for (const member of this.#options.members()) {
      const seconds = this.#silent.get(member);
      if (seconds === undefined) {
        this.#silent.set(member, 0);
        member.ask();
      } else if (seconds < this.#secondsOf(member)) {
        this.#silent.set(member, seconds + 1);
      } else {
        this.#silent.delete(member);
        this.#options.onStalled(member);
      }
    }
  }

  /** How long it may be silent. */
  #secondsOf(member: Member): number {
    const { timeoutSeconds } = this.#options;
    return member.isUp() ? timeoutSeconds : Math.max(timeoutSeconds, START_SECONDS_MIN);
  }
}
