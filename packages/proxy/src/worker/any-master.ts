// Commands that every server answers alike, for they are about Redis itself and not about data: COMMAND, HELP of many others, the list of modules. Any
// one master is asked, and its reply passed on as it is.

import type { Command } from '../commands/command.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { copyFrame } from './held.ts';
import type { Router } from './router.ts';
import type { Session } from './session.ts';

/** Answers `session` with what one master says to `frame`: one that is connected, as long as there is any. One at a time for each client, since some
 *  of these replies are large and are kept until they are whole. */
export function askAnyMaster(router: Router, session: Session, command: Command, frame: Frame): void {
  if (!session.inOrder(command, frame)) return;
  const masters = router.masters();
  const connected = masters.find((server) => server.backend(session.db, session.protocol) !== null);
  const asked = connected === undefined ? masters.slice(0, 1) : [connected];
  const bytes = copyFrame(frame);
  router.ask(
    session,
    asked,
    () => bytes,
    ([reply]) => reply ?? null,
  );
}
