// Which clients CLIENT LIST and CLIENT KILL are about, and the line that describes one, in Redis's format.

import { MODE_MONITOR, MODE_TRANSACTION } from './modes.ts';
import type { Session } from './session.ts';

export type ClientType = 'normal' | 'pubsub' | 'replica' | 'master';

/** Every field that is there must hold. */
export interface ClientFilter {
  readonly ids?: readonly number[];
  readonly type?: ClientType;
  readonly user?: string;
  readonly addr?: string;
  readonly laddr?: string;
  /** Connected for at least so many seconds. */
  readonly maxAge?: number;
  /** Not this one. */
  readonly except?: number;
}

export interface ClientLine {
  readonly id: number;
  readonly line: string;
}

/** Clients of the proxy are all the same user: session_auth is one password. */
const USER = 'default';
const SECOND_MS = 1000;

export function matches(session: Session, filter: ClientFilter): boolean {
  return (
    filter.except !== session.id &&
    (filter.ids?.includes(session.id) ?? true) &&
    (filter.type === undefined || filter.type === typeOf(session)) &&
    (filter.user === undefined || filter.user === USER) &&
    (filter.addr === undefined || filter.addr === session.addr) &&
    (filter.laddr === undefined || filter.laddr === session.localAddr) &&
    (filter.maxAge === undefined || ageOf(session) >= filter.maxAge)
  );
}

/** As a line of CLIENT LIST, without its end. What has no meaning at a proxy is 0. Source: networking.c, catClientInfoString(). */
export function describeClient(session: Session): string {
  const facts = {
    id: session.id,
    addr: session.addr,
    laddr: session.localAddr,
    fd: 0,
    name: session.name,
    age: ageOf(session),
    idle: Math.floor(Math.max(0, performance.now() - session.activeAt) / SECOND_MS),
    flags: flagsOf(session),
    db: session.db,
    sub: session.facts.sub,
    psub: session.facts.psub,
    ssub: session.facts.ssub,
    multi: session.facts.multi,
    qbuf: session.inputBytes,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': 0,
    rbs: 0,
    rbp: 0,
    obl: session.waitingBytes,
    oll: 0,
    omem: 0,
    'tot-mem': session.inputBytes + session.waitingBytes,
    events: session.waitingBytes > 0 ? 'rw' : 'r',
    cmd: session.command?.name ?? 'NULL',
    user: USER,
    redir: -1,
    resp: session.protocol,
    'lib-name': session.libName,
    'lib-ver': session.libVersion,
  };
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}

function typeOf(session: Session): ClientType {
  const { sub, psub, ssub } = session.facts;
  return sub + psub + ssub > 0 ? 'pubsub' : 'normal';
}

function ageOf(session: Session): number {
  return Math.floor(Math.max(0, performance.now() - session.startedAt) / SECOND_MS);
}

function flagsOf(session: Session): string {
  const flags = [
    (session.modes & MODE_MONITOR) !== 0 ? 'O' : '',
    typeOf(session) === 'pubsub' ? 'P' : '',
    (session.modes & MODE_TRANSACTION) !== 0 ? 'x' : '',
    session.isBlocked ? 'b' : '',
    session.ending ? 'c' : '',
    session.facts.noEvict ? 'e' : '',
    session.facts.noTouch ? 'T' : '',
  ].join('');
  return flags === '' ? 'N' : flags;
}
