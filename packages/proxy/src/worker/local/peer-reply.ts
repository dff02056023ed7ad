// Replies that need what other workers say: the request takes its place in its session's order, and is answered when they have.

import type { Session } from '../session.ts';

/** Calls `ask` with how to answer; nothing happens when the client is gone by then. */
export function answerLater(session: Session, ask: (answer: (reply: Buffer) => void) => void): null {
  const request = session.enqueue();
  ask((reply) => {
    if (request.session !== null) session.answer(request, reply);
  });
  return null;
}
