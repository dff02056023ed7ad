// ZooKeeper's error replies: their codes, an error for every code there is, and what each means for a caller.
//
// The library throws out of its socket handler for a code it does not know (quota, throttling, a moved session …), which would end the
// process and leave the request unanswered. It looks `Exception.create` up on its export for each reply, so it is replaced here, once.

import { Exception, type Failure } from 'node-zookeeper-client';
import { CodisError } from '../../model/index.ts';

export const CODES = {
  OK: 0,
  /** Ours: the request never left this process. ZooKeeper's own codes are not positive. */
  NOT_SENT: 1,
  CONNECTION_LOSS: -4,
  NO_NODE: -101,
  BAD_VERSION: -103,
  NO_CHILDREN_FOR_EPHEMERALS: -108,
  NODE_EXISTS: -110,
  NOT_EMPTY: -111,
  SESSION_EXPIRED: -112,
  SESSION_MOVED: -118,
} as const;

/** A request that ZooKeeper refused, or that got no answer. */
export class ZookeeperFailure extends Error implements Failure {
  override readonly name = 'ZookeeperFailure';
  readonly code: number;

  constructor(code: number) {
    super(`ZooKeeper answered with error ${code}`);
    this.code = code;
  }

  /** The library's own way to ask. */
  getCode(): number {
    return this.code;
  }
}

Exception.create = (code) => new ZookeeperFailure(code);

/** Whether `error` is this reply. */
export function hasCode(error: unknown, code: number): boolean {
  return error instanceof ZookeeperFailure && error.code === code;
}

/** Nothing was done, and the connection or the session is gone. */
export function isLoss(error: unknown): boolean {
  return LOSSES.some((code) => hasCode(error, code));
}
const LOSSES = [CODES.NOT_SENT, CODES.CONNECTION_LOSS, CODES.SESSION_EXPIRED, CODES.SESSION_MOVED];

/** What a caller of the coordinator is told. A `write` that got no answer may have been done; everything else was not. */
export function explain(error: unknown, call: { what: string; write: boolean }): unknown {
  if (!(error instanceof ZookeeperFailure)) return error;
  if (call.write && error.code === CODES.CONNECTION_LOSS) {
    const message = `the connection to ZooKeeper broke before it answered (${call.what}): it may or may not have been done; read before repeating it`;
    return new CodisError('CODIS_E_COORDINATOR_UNKNOWN', message, { cause: error });
  }
  if (isLoss(error)) {
    const message = `the connection to ZooKeeper broke (${call.what}); nothing was changed, try again once it is back`;
    return new CodisError('CODIS_E_COORDINATOR_LOST', message, { cause: error });
  }
  const message = `ZooKeeper refused (${call.what}) with error ${error.code}; look for it in ZooKeeper's log (quota, ACL, throttling)`;
  return new CodisError('CODIS_E_COORDINATOR_REFUSED', message, { cause: error });
}
