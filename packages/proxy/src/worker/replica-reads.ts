// READONLY: this client's reads may be answered by a replica. One replica of each group for each client, always the same, as long as it can be reached;
// else the master. What a replica answers may be older than what this client wrote or read before: that is what READONLY asks for.
//
// A replica that has no connection yet is connected to, and the master answers meanwhile: no request waits for a replica, and none fails for one that is down.
// While a slot is in a move its requests go the one way that is safe, to its home.

import type { Command } from '../commands/command.ts';
import { OK } from '../resp/replies.ts';
import type { Handlers } from './local/local-commands.ts';
import { MODE_READONLY } from './modes.ts';
import type { RouteTable } from './route-table.ts';
import type { Server } from './server.ts';
import type { Session } from './session.ts';

export const REPLICA_COMMANDS: Handlers = [
  [
    'readonly',
    (session) => {
      session.modes |= MODE_READONLY;
      return OK;
    },
  ],
  [
    'readwrite',
    (session) => {
      session.modes &= ~MODE_READONLY;
      return OK;
    },
  ],
];

/** Who answers a command of a client in some mode that goes to the group of `master`: a replica, or `master`. */
export function answeredBy(master: Server, session: Session, command: Command, { replicas }: RouteTable): Server {
  if ((session.modes & MODE_READONLY) === 0 || !command.flags.includes('readonly')) return master;
  const all = replicas.get(master);
  const replica = all?.[session.id % all.length];
  return replica?.isReady(session.db, session.protocol) ? replica : master;
}
