// A client's request as people are shown it: its first arguments, cut, with passwords taken out. For MONITOR and SLOWLOG.

const CR = 13;
const STAR = 0x2a;
const DOLLAR = 0x24;
const REDACTED = '(redacted)';

/** Where the first arguments of a request stand in the bytes it came in: what the scanner said once, found again for the few that are looked at. */
export interface Arguments {
  readonly buf: Buffer;
  /** All there are. */
  readonly count: number;
  /** Start and end in turn. */
  readonly at: readonly number[];
}

/** At most `max` arguments of the request that begins at `start`; null when there stands none (an inline command). */
export function findArguments(buf: Buffer, start: number, max: number): Arguments | null {
  if (buf[start] !== STAR) return null;
  const count = numberAt(buf, start + 1);
  const at: number[] = [];
  let pos = lineEnd(buf, start);
  while (at.length < Math.min(count, max) * 2 && buf[pos] === DOLLAR) {
    const length = numberAt(buf, pos + 1);
    const from = lineEnd(buf, pos);
    if (from >= buf.length) break;
    at.push(from, from + length);
    pos = from + length + 2;
  }
  return { buf, count, at };
}

/** Which arguments hold secrets, as numbers from 0. Source: Redis 7's calls of redactClientCommandArgument(). */
function isSecret(command: string, words: readonly string[]): (at: number) => boolean {
  switch (command) {
    case 'auth':
      return (at) => at >= 1;
    case 'acl|setuser':
      return (at) => at >= 2;
    case 'hello': {
      const auth = words.findIndex((word, at) => at > 1 && word.toLowerCase() === 'auth');
      return (at) => auth > 0 && (at === auth + 1 || at === auth + 2);
    }
    case 'config|set':
      return (at) => at > 2 && at % 2 === 1 && /^(?:requirepass|masterauth|masteruser)$/i.test(words[at - 1] ?? '');
    default:
      return () => false;
  }
}

/** `words` of the request to `command`, without its secrets. */
export function redact(command: string, words: readonly string[]): string[] {
  const secret = isSecret(command, words);
  return words.map((word, at) => (secret(at) ? REDACTED : word));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
};

/** Bytes (as latin1 text) in quotes, all of it printable. Source: sds.c, sdscatrepr(). */
export function quoted(text: string): string {
  return `"${text.replace(/[^ !#-[\]-~]/g, (char) => ESCAPES[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

function numberAt(buf: Buffer, start: number): number {
  let value = 0;
  for (let at = start; at < buf.length && buf[at] !== CR; at++) value = value * 10 + (buf[at] as number) - 0x30;
  return value;
}

function lineEnd(buf: Buffer, start: number): number {
  let at = start;
  while (at < buf.length && buf[at] !== CR) at++;
  return at + 2;
}
