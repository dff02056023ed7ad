// What a kind of key is to the checker: an oracle (pure: it is told what was tried and what was seen, and says when that can't be), and the commands that
// try and look.
//
// A command whose outcome is unknown may be carried out at any later time, at most once: by a proxy that wakes up, or from a buffer of the network. Oracles
// allow for that and for nothing else.

import type { Ask } from '../outcome.ts';

/** Takes what can't be, as a sentence. */
export type Complain = (violation: string) => void;

/** Keys of one name that one actor owns: nobody else touches them. */
export interface OwnedKind {
  /** Tries one random change. */
  write(ask: Ask): Promise<void>;
  /** Looks whether what is there can be. */
  read(ask: Ask): Promise<void>;
}

export interface KindOptions {
  readonly name: string;
  readonly complain: Complain;
}

export type MakeKind = (options: KindOptions) => OwnedKind;

let tokens = 0;

/** A value that is written once in this process. */
export const token = (): string => `t${++tokens}`;
export const coin = (chance: number): boolean => Math.random() < chance;
export const below = (count: number): number => Math.floor(Math.random() * count);

/** Keys that all actors use at the same time. */
export interface SharedKind {
  act(ask: Ask): Promise<void>;
  /** When nobody acts any more: looks whether what is left can be. */
  finish(ask: Ask): Promise<void>;
}

export type MakeSharedKind = (options: KindOptions) => SharedKind;
