// The one table of operating errors: what can be expected to go wrong, how HTTP and the CLI say it, whether trying again
// can help. Bugs are not here: they are invariants (invariant.ts). docs/errors.md is held against this table by a test.

interface ErrorKind {
  /** HTTP status of the dashboard's answer. */
  readonly status: number;
  /** Exit code of codis-config: 1 failed, 2 usage, 3 not found, 4 conflict, 5 unreachable, 6 denied, 7 unhealthy, 8 timeout, 9 cancelled. */
  readonly exit: number;
  /** The same call may succeed later with nothing changed by the caller. */
  readonly retryable: boolean;
  /** What it means, for docs and the problem's title. */
  readonly title: string;
  /** What to do about it. */
  readonly hint: string;
}

const kind = (status: number, exit: number, retryable: boolean, title: string, hint: string): ErrorKind => ({
  status,
  exit,
  retryable,
  title,
  hint,
});

/** Every code, in alphabetical order. */
export const ERROR_KINDS = {
  CODIS_E_ADDRESS_IN_USE: kind(500, 1, false, 'The address to listen at is taken', 'stop what listens there, or choose another address'),
  CODIS_E_BAD_ADDRESS: kind(400, 2, false, 'Not an address', 'write host:port, like 127.0.0.1:6379'),
  CODIS_E_BAD_CONFIG: kind(400, 2, false, 'The configuration has problems', 'mend the lines named; docs/config.md describes every key'),
  CODIS_E_BAD_GROUP: kind(400, 2, false, 'Not a group id', 'group ids are whole numbers from 1 to 9999'),
  CODIS_E_BAD_MIGRATION: kind(
    400,
    2,
    false,
    'Not a migration id',
    'migration ids are whole numbers from 1; list them with: codis-config migration list',
  ),
  CODIS_E_BAD_PLAN: kind(400, 2, false, 'Not a plan id', 'plan ids are whole numbers from 1; list them with: codis-config plan list'),
  CODIS_E_BAD_PROXY_ID: kind(400, 2, false, 'Not a proxy id', 'use 1 to 64 of the characters A-Z a-z 0-9 _ . -'),
  CODIS_E_BAD_REQUEST: kind(400, 2, false, 'The request is not well-formed', 'compare it with /api/openapi.json'),
  CODIS_E_BAD_SLOT: kind(400, 2, false, 'Not a slot', 'slots go from 0 to 1023'),
  CODIS_E_CONFLICT: kind(409, 4, true, 'Something else changed it first', 'read it again, then repeat the call if it still makes sense'),
  CODIS_E_COORDINATOR_CORRUPT: kind(
    500,
    1,
    false,
    'The coordinator holds something that is not ours',
    'restore it from a backup, or check that no other program writes there',
  ),
  CODIS_E_COORDINATOR_LOST: kind(
    503,
    5,
    true,
    'The coordinator can’t be reached',
    'check that ZooKeeper runs and zk in config.ini names it, or that coordinator_dir is there and writable; nothing can change until it is back',
  ),
  CODIS_E_COORDINATOR_REFUSED: kind(
    502,
    1,
    false,
    'The coordinator refused a call for a reason of its own',
    'nothing was changed; look at ZooKeeper’s log and its quotas and ACLs under /codis',
  ),
  CODIS_E_COORDINATOR_UNKNOWN: kind(
    503,
    5,
    true,
    'The coordinator was lost in the middle of a write, which may or may not have been made',
    'read the state again before repeating the call',
  ),
  CODIS_E_DASHBOARD_UNREACHABLE: kind(
    502,
    5,
    true,
    'The dashboard can’t be reached',
    'start it with: codis-config dashboard, or name it with --dashboard-addr',
  ),
  CODIS_E_DENIED: kind(403, 6, false, 'It is not allowed', 'read what the message says about who may do it'),
  CODIS_E_GROUP_EXISTS: kind(409, 4, false, 'The group exists already', 'use another id, or add servers to this one'),
  CODIS_E_GROUP_IN_USE: kind(
    409,
    4,
    false,
    'The group still has slots or servers',
    'move its slots away with: codis-config plan drain <group>, then remove its servers',
  ),
  CODIS_E_INTERNAL: kind(500, 1, false, 'A bug in this program', 'please report it with the log lines around it'),
  CODIS_E_LOGIN_REQUIRED: kind(
    401,
    6,
    false,
    'One has to log in',
    'log in with: codis-config auth login <user>, or give a token with --token-file',
  ),
  CODIS_E_MASTER_EXISTS: kind(409, 4, false, 'The group has a master already', 'add the server as a replica, or promote it afterwards'),
  CODIS_E_NO_MASTER: kind(409, 4, false, 'The group has no master', 'add one with: codis-config server add <group> <host:port> master'),
  CODIS_E_NO_ROOM: kind(
    409,
    4,
    false,
    'What would move does not fit into the memory of a target',
    'raise its maxmemory, plan to give it less (--weight <group>=<n>), or go ahead all the same with --force',
  ),
  CODIS_E_NOT_FOUND: kind(404, 3, false, 'There is nothing at this address', 'see /api/openapi.json for what there is'),
  CODIS_E_NOT_INITIALISED: kind(409, 4, false, 'The product has no slot table yet', 'make it with: codis-config slot init'),
  CODIS_E_NOT_REDIS: kind(422, 1, false, 'What listens there is not a usable Redis', 'check the address and product_auth'),
  CODIS_E_PLAN_STALE: kind(
    409,
    4,
    false,
    'The topology is not the one the plan was made for',
    'nothing was moved; see what differs now with: codis-config plan diff <id>, and make a new plan with the same command',
  ),
  CODIS_E_PROXY_RUNNING: kind(409, 4, false, 'A proxy with this id runs already', 'stop it, or give this one another proxy_id'),
  CODIS_E_SERVER_EXISTS: kind(409, 4, false, 'The server is in a group already', 'a server belongs to one group; remove it there first'),
  CODIS_E_SERVER_IN_USE: kind(409, 4, false, 'The server is needed where it is', 'promote another one, or move the slots away first'),
  CODIS_E_SERVER_NOT_EMPTY: kind(
    422,
    1,
    false,
    'The server holds keys already',
    'empty it, or give it as what it is; see docs/operations.md',
  ),
  CODIS_E_SERVER_REFUSED: kind(502, 1, false, 'A Redis refused what it was asked for', 'mend what its answer says, then do it again'),
  CODIS_E_SERVER_UNREACHABLE: kind(502, 5, true, 'A Redis can’t be reached', 'start it, or check address, firewall and product_auth'),
  CODIS_E_SERVER_WRONG_ROLE: kind(
    422,
    1,
    false,
    'The server’s own role is another',
    'look at INFO replication there; REPLICAOF NO ONE makes it a master',
  ),
  CODIS_E_SLOT_IN_MOVE: kind(409, 4, true, 'A slot is being moved', 'wait for the migration, or cancel it'),
  CODIS_E_SLOT_OFFLINE: kind(
    409,
    4,
    false,
    'A slot belongs to no group',
    'give it to one with: codis-config slot range-set <first> <last> <group> online',
  ),
  CODIS_E_SLOT_ONLINE: kind(
    409,
    4,
    false,
    'The slot is served by another group',
    'move it, keys and all, with: codis-config slot migrate <first> <last> <group>; or take it offline first, which leaves its keys behind',
  ),
  CODIS_E_SLOTS_EXIST: kind(
    409,
    4,
    false,
    'The product has a slot table already',
    'slot init --force throws it away; no key is deleted, but none is reachable until its slot is assigned again',
  ),
  CODIS_E_SOURCE_WENT_BACK: kind(
    409,
    4,
    false,
    'A server that slots are leaving has come back with data older than what is known of the move',
    'promote a replica with newer data, or restore the server; or let what it has count, with the command that the message names',
  ),
  CODIS_E_STALE: kind(412, 4, false, 'The version you looked at is not the current one', 'read it again and decide anew'),
  CODIS_E_TIMEOUT: kind(504, 8, true, 'It took too long', 'try again; if it stays so, look at the log'),
  CODIS_E_TOO_LARGE: kind(413, 2, false, 'The request is too large', 'send less at once'),
  CODIS_E_TOO_MANY: kind(429, 6, true, 'Too many calls in a short time', 'wait a minute, then try again'),
  CODIS_E_UNKNOWN_ALERT: kind(404, 3, false, 'No such alert', 'list them with: codis-config alerts'),
  CODIS_E_UNKNOWN_GROUP: kind(404, 3, false, 'No such group', 'list them with: codis-config server list'),
  CODIS_E_UNKNOWN_MIGRATION: kind(404, 3, false, 'No such migration', 'list them with: codis-config migration list'),
  CODIS_E_UNKNOWN_PLAN: kind(404, 3, false, 'No such plan', 'list them with: codis-config plan list; only the newest are kept'),
  CODIS_E_UNKNOWN_PROXY: kind(404, 3, false, 'No such proxy', 'list them with: codis-config proxy list'),
  CODIS_E_UNKNOWN_SERVER: kind(404, 3, false, 'No such server', 'list them with: codis-config server list'),
  CODIS_E_UNKNOWN_TOKEN: kind(404, 3, false, 'No such token', 'list them with: codis-config auth tokens'),
  CODIS_E_UNKNOWN_USER: kind(404, 3, false, 'No such user', 'list them with: codis-config auth users'),
  CODIS_E_USER_EXISTS: kind(409, 4, false, 'The name is taken already', 'choose another name, or change the one that there is'),
  CODIS_E_USER_NEEDED: kind(409, 4, false, 'The last admin can’t go', 'make somebody else admin first'),
  CODIS_E_VALUE_TOO_LARGE: kind(
    413,
    1,
    false,
    'The change is too large for the coordinator',
    'a commit may carry 900000 bytes; write less, or in several steps',
  ),
} as const satisfies Record<string, ErrorKind>;

/** One of the codes of `ERROR_KINDS`. */
export type ErrorCode = keyof typeof ERROR_KINDS;

/** An expected failure. Match on `code`; the message names the thing, what was seen and what to do. */
export class CodisError extends Error {
  override readonly name = 'CodisError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get kind(): ErrorKind {
    return ERROR_KINDS[this.code];
  }
}

/** Whether `error` is a CodisError, of this code if one is given. */
export function isCodisError(error: unknown, code?: ErrorCode): error is CodisError {
  return error instanceof CodisError && (code === undefined || error.code === code);
}
