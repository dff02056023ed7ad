// What listens at an address that was given for a dashboard and does not speak HTTP: a proxy's port for clients, a Redis, or something else.

import { connect } from 'node:net';
import { parseAddr } from '../model/index.ts';

const ANSWER_MS = 1000;
const BYTES_MAX = 65_536;

export type RespPort =
  | { readonly kind: 'proxy'; readonly id: string }
  /** A Redis, or a proxy that wants a password first. */
  | { readonly kind: 'redis' }
  | { readonly kind: 'other' };

export async function lookAtPort(addr: string): Promise<RespPort> {
  const text = await firstWords(addr);
  const id = /^proxy_id:(\S+)\r?$/m.exec(text)?.[1];
  if (id !== undefined) return { kind: 'proxy', id };
  return /^[$=]\d+\r\n|^-[A-Z]+ /.test(text) ? { kind: 'redis' } : { kind: 'other' };
}

/** What it says to INFO, as far as that comes soon. */
function firstWords(addr: string): Promise<string> {
  return new Promise((done) => {
    let text = '';
    const socket = connect(parseAddr(addr), () => socket.write('INFO\r\n'));
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const size = /^[$=](\d+)\r\n/.exec(text);
      const isWhole = size ? text.length >= size[0].length + Number(size[1]) : text.startsWith('-');
      if (isWhole || text.length > BYTES_MAX) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(text));
  });
}
