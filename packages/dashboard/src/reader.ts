// A dashboard for one program: it listens nowhere, stands for no election, and answers the questions that the program which started it sends over their channel.
// `codis-config --store` looks at the coordinator with it when no dashboard runs: through the same code, so in the same words.
//
// Only GETs of the API: nothing can be changed this way.

import { isCodisError } from '@codis/config/model';
import type { Logger } from 'pino';
import type { App } from './context.ts';

const READY_MS = 10_000;
const PREFIX = '/api/v1/';

interface Question {
  readonly id: number;
  /** With its query: `/api/v1/slots`. */
  readonly url: string;
}

interface Parts {
  readonly app: App;
  readonly coordinator: { ready(timeoutMs: number): Promise<void>; close(): Promise<void> };
  readonly log: Logger;
}

/** Serves until the other side is gone. */
export async function serveParent({ app, coordinator, log }: Parts): Promise<void> {
  await coordinator.ready(READY_MS).catch((error: unknown) => {
    if (!isCodisError(error)) throw error;
    log.error({ err: error }, 'the coordinator is not ready; answers will say so');
  });
  const gone = new Promise<void>((done) => process.once('disconnect', done));
  process.on('message', (message: Question) => void answer(app, message));
  process.send?.({ ready: true });
  await gone;
  await app.close();
  await coordinator.close();
}

async function answer(app: App, { id, url }: Question): Promise<void> {
  const path = url.startsWith(PREFIX) ? url : PREFIX;
  const { statusCode, body } = await app.inject({ method: 'GET', url: path, headers: { host: 'localhost' } });
  if (process.connected) process.send?.({ id, status: statusCode, text: body });
}
