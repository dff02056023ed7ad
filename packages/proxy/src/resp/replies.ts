// Replies that the proxy makes itself, in Redis's own words where Redis has some. Fixed ones are encoded once.

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`);

export const OK = line('+OK');
export const PONG = line('+PONG');
export const RESET = line('+RESET');
const NULL_BULK = line('$-1');
const NULL_ARRAY = line('*-1');
const NULL = line('_');
export const EMPTY_ARRAY = line('*0');
export const QUEUED = line('+QUEUED');
export const EXECABORT = line('-EXECABORT Transaction discarded because of previous errors.');
export const NO_MASTERS = line('-ERR no group has a master yet; add one with: codis-config server add <group> <host:port> master');
export const NOAUTH = line('-NOAUTH Authentication required.');
export const CROSSSLOT = line("-CROSSSLOT Keys in request don't hash to the same slot");
export const RESERVED_KEY = line('-ERR this key is reserved: fences and slot moves are made with it');
export const MAX_CLIENTS = line('-ERR max number of clients reached (max_clients)');
export const NOT_AN_INTEGER = line('-ERR value is not an integer or out of range');
export const DB_OUT_OF_RANGE = line('-ERR DB index is out of range');
export const SYNTAX_ERROR = line('-ERR syntax error');
export const HOLD_TIMEOUT = line(
  '-TRYAGAIN the slot of this key is being moved, and the request waited longer than slot_hold_timeout_ms; try again',
);
export const BIG_KEY_TIMEOUT = line(
  '-TRYAGAIN this key is large and is being moved in pieces: it can be read by single-key commands, and what else names it waits; try again',
);
export const HOLD_FULL = line(
  '-TRYAGAIN the slot of this key is being moved, and requests that wait for it fill slot_hold_max_bytes; try again',
);
export const MOVED_ON = line('-TRYAGAIN the slot of this key moved on while the request waited for it, so it was not sent; try again');
export const MOVE_WHOLE_SLOT = line(
  '-TRYAGAIN the slot of this key is being moved; a command that names another database, or keys by a pattern, waits until it has arrived',
);

/** Any control character would end the line or confuse a terminal: they become spaces. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is for.
const CONTROL = /[\x00-\x1f\x7f]/g;

/** `-CODE text`; `text` begins with Redis's error code (`ERR …`). */
export function errorReply(text: string): Buffer {
  return line(`-${text.replace(CONTROL, ' ')}`);
}

export function bulk(value: string | Buffer): Buffer {
  const data = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from(`$${data.length}\r\n`), data, Buffer.from('\r\n')]);
}

export function integer(value: number): Buffer {
  return line(`:${value}`);
}

/** An array of replies that are encoded already. */
export function array(items: readonly Buffer[]): Buffer {
  return Buffer.concat([line(`*${items.length}`), ...items]);
}

/** The version of the protocol that a client has asked for with HELLO. */
export type Protocol = 2 | 3;

/** Nothing: what GET answers for a key that is not there. */
export function nil(protocol: Protocol): Buffer {
  return protocol === 3 ? NULL : NULL_BULK;
}

/** Nothing, where RESP2 has an array: EXEC that was broken, BLPOP that timed out. */
export function nilArray(protocol: Protocol): Buffer {
  return protocol === 3 ? NULL : NULL_ARRAY;
}

/** A map of encoded keys and values; in RESP2 an array of both in turn. */
export function map(protocol: Protocol, pairs: readonly (readonly [Buffer, Buffer])[]): Buffer {
  if (protocol === 2) return array(pairs.flat());
  return Buffer.concat([line(`%${pairs.length}`), ...pairs.flat()]);
}

/** A set of encoded members; in RESP2 an array. */
export function set(protocol: Protocol, items: readonly Buffer[]): Buffer {
  return protocol === 2 ? array(items) : Buffer.concat([line(`~${items.length}`), ...items]);
}

/** What comes unasked: a push in RESP3, an array in RESP2. */
export function push(protocol: Protocol, items: readonly Buffer[]): Buffer {
  return protocol === 2 ? array(items) : Buffer.concat([line(`>${items.length}`), ...items]);
}

/** Text to be read by people, which RESP3 marks as such. */
export function verbatim(protocol: Protocol, text: string): Buffer {
  return protocol === 2
    ? bulk(text)
    : Buffer.concat([line(`=${Buffer.byteLength(text) + 4}`), Buffer.from(`txt:${text}`), Buffer.from('\r\n')]);
}

export function double(protocol: Protocol, value: number): Buffer {
  return protocol === 2 ? bulk(String(value)) : line(`,${value}`);
}

export function boolean(protocol: Protocol, value: boolean): Buffer {
  return protocol === 2 ? integer(value ? 1 : 0) : line(value ? '#t' : '#f');
}

/** A request: an array of bulk strings. */
export function encodeRequest(args: readonly (string | Buffer)[]): Buffer {
  return array(args.map(bulk));
}
