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
  /** … or when nothing was written since the keys were looked for before the lock … */
  unwrittenSinceTheLook: true,
  /** … at the process that was looked at. */
  lookIsOfItsProcess: true,
  /** Nothing is locked while the target holds keys of these slots. */
  targetIsEmpty: true,
  /** What a former controller still has under way is cut off at the servers that a new one works at. */
  lateCommandsAreCut: true,
  /** Requests that wait for a connection to be opened are routed by the table that it is compared with the marker by. */
  connectionIsOfItsEpoch: true,
  /** What was routed by an older table than a connection was opened by is not sent over it: a fence may lie between the two. */
  nothingOutlivesAFence: true,
  /** What waits in a proxy for keys to be handed over is refused when another migration moves its slot by then. */
  waitsWithinOneMove: true,

  // Sources that go back in time.
  /** Keys are taken from the process only that the target knows as the source … */
  takenFromTheNamed: true,
  /** … and from none while it knows none. */
  unnamedIsNotUsed: true,
  /** What was handed over is noted before a command for it runs. */
  whatLeftIsNoted: true,
  /** What is stale at a process is deleted before it is named. */
  staleIsDeleted: true,
  /** What was noted in an earlier move is not taken for what has left in this one. */
  numbersAreTimes: true,
  /** A controller looks at one source once at a time: what is stale for one look is no longer when slots have arrived and come back since another. */
  oneLookAtATime: true,
  /** The target knows which slots went when it was told of the source: what a proxy asks for of others has arrived. */
  arrivedIsKnown: true,
  /** A process is named in the order in which slots arrive … */
  namingIsCompared: true,
  /** … and they arrive when the passes were at the process that is named. */
  completedByItsSource: true,

  // Keys that are carried.
  /** A key that the target has is not put … */
  thereIsNotPut: true,
  /** … nor is one that was handed over since it was read … */
  askedIsNotPut: true,
  /** … nor anything that is under way still when another sweep begins. */
  latePutsAreCut: true,
  /** A key is deleted at the source when it is known to have been put. */
  deletedOnceItIsPut: true,

  // Big keys.
  /** While a key is being copied, what writes it waits. */
  listedKeysAreNotWritten: true,
  /** What names other keys too waits, also when it only reads. */
  whatNamesMoreKeysWaits: true,
  /** While it is switched over, everything waits. */
  everythingWaitsForASwitch: true,
  /** A proxy acknowledges a switch only when none of its reads at the source is in flight. */
  switchWaitsForReads: true,
  /** The controller renames the copy only when every proxy has acknowledged the switch … */
  renamedOnceAllAcked: true,
  /** … which one without a session has not … */
  lostIsAskedAboutSwitch: true,
  /** … unless it was fenced before that switch … */
  switchNeedsFence: true,
  /** … and not before another. */
  fenceCountsForItsSwitch: true,
  /** A copy is compared before it is renamed, whoever has made it … */
  copyIsVerified: true,
  /** … and says of which key it is … */
  copyIsOfItsKey: true,
  /** … and of which move: a replica that takes the master's place may have one of the same key from an earlier move. */
  copyIsOfItsMove: true,
  /** The key is deleted at the source when it is at the target under its own name. */
  deletedOnceItIsHome: true,
  /** Once it is there, there is no going back to reading it at the source. */
  whatIsHomeStaysSwitched: true,
  /** Nothing is swept while keys are listed. */
  bigKeysBeforeTheSweep: true,

  // Durable moves.
  /** The sweep deletes keys at the source when the target's replicas have them … */
  sweepWaitsForReplicas: true,
  /** … and so do proxies … */
  proxiesWaitForReplicas: true,
  /** … and so does who moves big keys … */
  bigKeyWaitsForReplicas: true,
  /** … also one that can't be taken apart. */
  wholeKeyIsCopied: true,
  /** The replicas are asked about through the server that was given the key … */
  replicasAreAskedByWhoHasIt: true,
  /** … which has a big key still when they have answered. */
  isStillHomeThen: true,
  /** A key that the target has already stays at the source until then too. */
  busyKeyIsKept: true,
  /** Nothing runs at the target before the key has left the source. */
  nothingRunsBeforeItHasLeft: true,
  /** The target's replicas have heard of all that left it before anything comes there. */
  targetsReplicasAreUpToDate: true,
};

export type Rules = typeof RULES;
export type Rule = keyof Rules;
