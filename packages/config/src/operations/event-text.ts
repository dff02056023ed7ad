// The words of an audit event: what was done, to what, by whose word.

/** A login, a token, the client's own word, or the cluster itself. */
export type EventVia = 'user' | 'token' | 'claimed' | 'system';

/** What was done, as `<object>.<verb>`. */
export type EventAction =
  | 'alert.acknowledge'
  | 'alert.silence'
  | 'call.denied'
  | 'call.failed'
  | 'config.restore'
  | 'group.add'
  | 'group.remove'
  | 'key.delete'
  | 'key.move'
  | 'migration.adopt'
  | 'migration.cancel'
  | 'migration.pause'
  | 'migration.resume'
  | 'migration.throttle'
  | 'migration.create'
  | 'plan.apply'
  | 'plan.create'
  | 'proxy.offline'
  | 'proxy.online'
  | 'proxy.remove'
  | 'proxy.try'
  | 'server.add'
  | 'server.promote'
  | 'server.remove'
  | 'server.replicate'
  | 'server.set'
  | 'session.login'
  | 'session.logout'
  | 'slot.assign'
  | 'slot.init'
  | 'slot.offline'
  | 'token.add'
  | 'token.remove'
  | 'user.add'
  | 'user.change'
  | 'user.remove';

/** What an operation says of its change. */
export interface EventText {
  readonly action: EventAction;
  /** What it was done to, in words: `slots 0-511 → group 1`. */
  readonly object: string;
  /** The epoch the change made; null when it did not touch the topology. */
  readonly epoch: number | null;
  /** How it was, and how it is now, in words; null only for a call that was refused or failed. */
  readonly before: string | null;
  readonly after: string | null;
  /** Why the call was refused, when it was: then it changed nothing. */
  readonly denied?: string | undefined;
  /** Why it failed, when it did: then it may have changed something on its way. */
  readonly failed?: string | undefined;
}
