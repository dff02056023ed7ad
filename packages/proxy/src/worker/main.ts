// Entry of a worker process: connects the Worker to the primary's messages. Without its primary a worker ends.

import { pino } from 'pino';
import type { ToPrimary, ToWorker } from '../ipc.ts';
import { Worker } from './worker.ts';

let worker: Worker | null = null;

const send = (message: ToPrimary): void => {
  process.send?.(message, undefined, undefined, () => undefined);
};

process.title = 'codis-proxy: worker';
process.on('message', (message: ToWorker) => onMessage(message));
process.on('disconnect', () => process.exit(1));
// A signal to the process group (Ctrl-C) is the primary's to handle: it drains.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
send({ type: 'up' });

function onMessage(message: ToWorker): void {
  switch (message.type) {
    case 'start': {
      const { settings, version, maxClients, startedAt, place } = message;
      const log = pino(
        { level: settings.log_level, base: { pid: process.pid, proxy: settings.proxy_id } },
        pino.destination({ dest: 2, sync: false }),
      );
      worker = new Worker({ settings, version, maxClients, startedAt, place, log, send });
      return;
    }
    case 'table':
      worker?.applyTable(message.epoch, message.topology);
      return;
    case 'proxies':
      worker?.setProxies(message.proxies);
      return;
    case 'listen':
      worker?.listen();
      return;
    case 'are-you-there':
      send({ type: 'here' });
      return;
    case 'drain':
      if (worker) worker.drain(message);
      else send({ type: 'drained' });
      return;
    case 'asked':
      worker?.peers.onAsked(message);
      return;
    case 'answers':
      worker?.peers.onAnswers(message);
      return;
    case 'looked-up':
      worker?.registry.onAnswer(message);
      return;
    case 'scripts-flushed':
      worker?.forgetScripts();
      return;
    case 'report':
      if (worker) send({ type: 'report', id: message.id, report: worker.report() });
      return;
  }
}
