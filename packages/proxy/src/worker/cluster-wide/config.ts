// CONFIG of the servers: read from the first group's master that answers, written to all masters. Replicas are their operator's business: one that is
// promoted brings its own.
//
// What would cut the proxies off from the servers, or tell clients how to get past the proxies, is not changed or told here.

import { bulk, encodeRequest, errorReply } from '../../resp/replies.ts';
import type { Frame } from '../../resp/request-scanner.ts';
import { arg, text } from '../local/args.ts';
import type { Handlers } from '../local/local-commands.ts';
import { elementsOf } from '../merge.ts';
import type { Session } from '../session.ts';
import { type Around, commandNamed, contentOf, firstAnswer, isError, mergeDone } from './around.ts';

const GET = commandNamed('config|get');
const SET = commandNamed('config|set');
const RESETSTAT = commandNamed('config|resetstat');
const REWRITE = commandNamed('config|rewrite');

/** Passwords of the servers: whoever has them needs no proxy. */
const SECRETS: ReadonlySet<string> = new Set(['requirepass', 'masterauth', 'masteruser', 'tls-key-file-pass', 'tls-client-key-file-pass']);

const ADDRESS = 'proxies find a server by its address; start one at the new address and replace it with: codis-config server --help';
const PASSWORD = 'proxies would be locked out; set it at each server, and product_auth in config.ini';
const REPLICATION = 'replication is managed by the dashboard: see codis-config server --help';
const IDENTITY = 'proxies would not be let in, or not understood; it is set in redis.conf of each server';

/** Settings that stay as they are, and why. */
const FIXED: ReadonlyMap<string, string> = new Map([
  ['requirepass', PASSWORD],
  ['masterauth', PASSWORD],
  ['masteruser', PASSWORD],
  ['bind', ADDRESS],
  ['port', ADDRESS],
  ['tls-port', ADDRESS],
  ['unixsocket', ADDRESS],
  ['protected-mode', IDENTITY],
  ['maxclients', IDENTITY],
  ['rename-command', IDENTITY],
  ['aclfile', IDENTITY],
  ['user', IDENTITY],
  ['tls-auth-clients', IDENTITY],
  ['replicaof', REPLICATION],
  ['slaveof', REPLICATION],
  ['cluster-enabled', REPLICATION],
]);

export function configCommands(around: Around): Handlers {
  return [
    ['config|get', (session, frame) => get(around, session, frame)],
    ['config|set', (session, frame) => set(around, session, frame)],
    ['config|resetstat', (session, frame) => resetStat(around, session, frame)],
    ['config|rewrite', (session, frame) => everywhere(around, session, { frame, command: REWRITE, name: 'CONFIG REWRITE' })],
  ];
}

function get({ router }: Around, session: Session, frame: Frame): null {
  if (!session.inOrder(GET, frame)) return null;
  const request = encodeRequest(['CONFIG', 'GET', ...argsFrom(frame, 2)]);
  router.ask(
    session,
    router.masters(),
    () => request,
    (replies) => withoutSecrets(firstAnswer(replies)),
  );
  return null;
}

/** Empty, where the server has a password. */
function withoutSecrets(reply: Buffer): Buffer {
  if (isError(reply)) return reply;
  const header = reply.subarray(0, reply.indexOf(LF) + 1);
  const pairs = elementsOf(reply);
  const shown = pairs.map((element, at) => {
    const name = at % 2 === 1 ? contentOf(pairs[at - 1] as Buffer).toString('latin1') : '';
    return SECRETS.has(name) ? bulk('') : element;
  });
  return Buffer.concat([header, ...shown]);
}

function set(around: Around, session: Session, frame: Frame): Buffer | null {
  for (let at = 2; at < frame.argc; at += 2) {
    const name = text(frame, at);
    const why = FIXED.get(name.toLowerCase());
    if (why !== undefined)
      return errorReply(`ERR CONFIG SET failed (possibly related to argument '${name}') - not through a proxy: ${why}`);
  }
  return everywhere(around, session, { frame, command: SET, name: 'CONFIG SET' });
}

function resetStat(around: Around, session: Session, frame: Frame): null {
  if (!session.inOrder(RESETSTAT, frame)) return null;
  around.resetStats();
  return everywhere(around, session, { frame, command: RESETSTAT, name: 'CONFIG RESETSTAT' });
}

/** The same at all masters. */
function everywhere(around: Around, session: Session, what: { frame: Frame; command: typeof SET; name: string }): null {
  if (!session.inOrder(what.command, what.frame)) return null;
  const { router } = around;
  const servers = router.masters();
  const request = encodeRequest(argsFrom(what.frame, 0));
  router.ask(
    session,
    servers,
    () => request,
    (replies) => mergeDone(what.name, servers, replies),
  );
  return null;
}

const LF = 10;

function argsFrom(frame: Frame, from: number): Buffer[] {
  return Array.from({ length: frame.argc - from }, (_, at) => arg(frame, from + at));
}
