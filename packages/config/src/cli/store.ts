// Reading the coordinator itself, when no dashboard runs: a dashboard that listens nowhere is started as a child, asked what a dashboard is asked, and ended.

import { type ChildProcess, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { CodisError } from '../model/index.ts';
import type { Call, Client } from './client.ts';
import { answerOf } from './client.ts';
import { findDashboard } from './dashboard-program.ts';
import { badUsage } from './failures.ts';

interface Reply {
  readonly id: number;
  readonly status: number;
  readonly text: string;
}

export interface StoreOptions {
  /** Its command line: which config file, which store. */
  readonly args: readonly string[];
  /** For messages: where is read. */
  readonly where: string;
}

/** A client that only reads. The child ends with this program. */
export function storeClient({ args, where }: StoreOptions): Client {
  let reader: Promise<Reader> | undefined;
  return {
    call: async <View>(call: Call) => {
      if (call.method !== 'GET') {
        throw badUsage('changes go through a dashboard, and --store asks none: leave it out, or only look');
      }
      reader ??= startReader(args);
      const { status, text } = await (await reader).ask(`/api/v1${call.path}`);
      return answerOf<View>({ status, text }, where);
    },
  };
}

interface Reader {
  ask(url: string): Promise<Reply>;
}

async function startReader(args: readonly string[]): Promise<Reader> {
  const child = spawn(process.execPath, [findDashboard(), ...args, '--reader'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let complaint = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString('utf8');
  });
  const ended = new Promise<never>((_, failed) => {
    child.once('error', failed);
    child.once('close', () => failed(new CodisError('CODIS_E_COORDINATOR_LOST', complaintText(complaint))));
  });
  ended.catch(() => undefined);
  await Promise.race([nextMessage<{ ready: true }>(child, (message) => 'ready' in message), ended]);
  let asked = 0;
  rest(child);
  return {
    ask: async (url) => {
      const id = ++asked;
      child.channel?.ref();
      child.send({ id, url });
      const reply = await Promise.race([nextMessage<Reply>(child, (message) => 'id' in message && message.id === id), ended]);
      rest(child);
      return reply;
    },
  };
}

/** While nothing is asked the child does not keep this program from ending; it ends when the channel does. */
function rest(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
}

function nextMessage<T extends object>(child: ChildProcess, wanted: (message: object) => boolean): Promise<T> {
  return new Promise((done) => {
    const onMessage = (message: unknown) => {
      if (typeof message !== 'object' || message === null || !wanted(message)) return;
      child.off('message', onMessage);
      done(message as T);
    };
    child.on('message', onMessage);
  });
}

/** `codis-dashboard: what\n  try: hint`. */
function complaintText(text: string): string {
  const [first = ''] = text.split('\n');
  return first.replace(/^codis-dashboard: /, '') || 'the store could not be read: its reader ended without a word';
}
