// ROLE, LOLWUT and LASTSAVE: what is asked about a server, and has one answer for all of them.

import { array, bulk, EMPTY_ARRAY, encodeRequest, integer, verbatim } from '../../resp/replies.ts';
import { firstError } from '../gather.ts';
import { integerIn } from '../merge.ts';
import type { Router } from '../router.ts';
import type { Session } from '../session.ts';
import type { Handlers } from './local-commands.ts';

/** A client that looks for replicas must find none: it would read from them past the proxy, and each has the keys of one group only. */
const ROLE = array([bulk('master'), integer(0), EMPTY_ARRAY]);
const LASTSAVE = encodeRequest(['LASTSAVE']);

export function aboutCommands(router: Router, redisVersion: () => string): Handlers {
  return [
    ['role', () => ROLE],
    ['lolwut', (session) => verbatim(session.protocol, `Redis ver. ${redisVersion()}\n`)],
    ['lastsave', (session) => lastSave(router, session)],
  ];
}

/** When all of the data had been saved: the earliest among the masters. */
function lastSave(router: Router, session: Session): null {
  router.ask(
    session,
    router.masters(),
    () => LASTSAVE,
    (replies) => firstError(replies) ?? integer(Math.min(...replies.map(integerIn))),
  );
  return null;
}
