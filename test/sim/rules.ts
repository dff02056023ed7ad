// The rules of the design that keep every acknowledged write, each with a switch. The simulation must find nothing with all of them on, and something
// with any one of them off: a rule whose breaking goes unnoticed is either needless or not tested.

export const RULES = {
  /** A proxy acknowledges a lock only when nothing it sent for the locked slots is still in flight. */
  ackWaitsForDrain: true,
  /** An acknowledgement is a transaction: it is refused when the topology has moved on. */
  ackIsChecked: true,
  /** An acknowledgement counts for its own epoch and earlier ones, not for a later lock. */
  ackCountsForItsEpoch: true,
  /** The proxies that must acknowledge are listed after the lock was written. */
  lockBeforeListing: true,
  /** A proxy without a session has not acknowledged, unless it was fenced. */
  lostNeedsFence: true,
  /** Neither has one that should be offline. */
  offlineCountsToo: true,
  /** A fence raises the marker … */
  fenceMarks: true,
  /** … to the epoch that the lock will have … */
  fenceIsAtTheLock: true,
  /** … and kills the connections there are … */
  fenceKills: true,
  /** … at both sides: a stale proxy may believe that a key of the target is to be handed over from there. */
  fenceAtBothSides: true,
  /** A fence counts for the lock it was made for. */
  fenceCountsForItsLock: true,
  /** A key that the target has already is not overwritten by the source's. */
  targetWins: true,
  /** No command runs at the source while a slot is migrating. */
  nothingRunsAtSource: true,
  /** A key counts as departed only after a hand-over that succeeded. */
  departedOnceHandedOver: true,
  /** What a proxy remembers of departed keys is forgotten with the move. */
  departedForOneMove: true,
  /** A proxy never goes back to an older table. */
  epochsOnlyGoUp: true,
  /** The controller writes the topology by compare-and-set. */
  writesAreCompared: true,
  /** A move is complete only after a pass that found nothing. */
  sweepUntilEmpty: true,
  /** Nothing is locked while the target holds keys of these slots. */
  targetIsEmpty: true,
  /** Hand-overs that a former controller still has under way are cut off before a slot can come back. */
  lateHandOversAreCut: true,
};

export type Rules = typeof RULES;
export type Rule = keyof Rules;
