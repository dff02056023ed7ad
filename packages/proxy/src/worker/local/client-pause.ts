// CLIENT PAUSE and UNPAUSE: what holds for all clients of the proxy, and so is told to all its workers. The substance is in pauses.ts.

import { errorReply, OK } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { wholeNumber } from '../../resp/whole-number.ts';
import type { Pause, Pauses } from '../pauses.ts';
import type { Peers } from '../peers.ts';
import type { Session } from '../session.ts';
import { text, word } from './args.ts';
import type { Handlers } from './local-commands.ts';
import { answerLater } from './peer-reply.ts';

const BAD_TIMEOUT = errorReply('ERR timeout is not an integer or out of range');
const NEGATIVE_TIMEOUT = errorReply('ERR timeout is negative');
const BAD_MODE = errorReply('ERR CLIENT PAUSE mode must be WRITE or ALL');

export function clientPauseCommands(peers: Peers, pauses: Pauses): Handlers {
  peers.on('client|pause', (pause) => {
    pauses.set(pause);
    return null;
  });
  return [
    ['client|pause', (session, frame) => pauseFor(peers, session, frame)],
    ['client|unpause', (session) => tellAll(peers, session, null)],
  ];
}

function pauseFor(peers: Peers, session: Session, frame: Frame): Buffer | null {
  if (frame.argc > 4) return errorReply(`ERR unknown subcommand or wrong number of arguments for '${text(frame, 1)}'. Try CLIENT HELP.`);
  const mode = frame.argc === 3 ? 'all' : word(frame, 3);
  if (mode !== 'write' && mode !== 'all') return BAD_MODE;
  const given = wholeNumber(text(frame, 2));
  if (given === undefined) return BAD_TIMEOUT;
  if (given < 0n) return NEGATIVE_TIMEOUT;
  return tellAll(peers, session, { leftMs: Number(given), writesOnly: mode === 'write' });
}

function tellAll(peers: Peers, session: Session, pause: Pause): null {
  return answerLater(session, (answer) => peers.ask('client|pause', pause, () => answer(OK)));
}
