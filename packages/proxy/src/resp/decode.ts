// A whole reply as values, for the few that the proxy itself reads. Not for the data path: everything here allocates.

import { invariant } from '@codis/config/model';

/** Text is a character for each byte. A map is the array of its keys and values in turn, as RESP2 has it. */
export type Value = string | number | null | readonly Value[];

interface Reader {
  readonly buf: Buffer;
  at: number;
}

/** `reply` is one whole reply, which a scanner has found. An error is the text of its line. */
export function decodeReply(reply: Buffer): Value {
  return readValue({ buf: reply, at: 0 });
}

function readValue(reader: Reader): Value {
  const type = String.fromCharCode(reader.buf[reader.at] as number);
  const line = readLine(reader);
  switch (type) {
    case '$':
    case '=':
    case '!':
      return readBulk(reader, Number(line));
    case '*':
    case '~':
    case '>':
      return readItems(reader, Number(line));
    case '%':
      return readItems(reader, Number(line) * 2);
    case ':':
      return Number(line);
    case '_':
      return null;
    case '|':
      readItems(reader, Number(line) * 2);
      return readValue(reader);
    default:
      return line;
  }
}

function readLine(reader: Reader): string {
  const end = reader.buf.indexOf('\r\n', reader.at);
  invariant(end >= 0, 'a whole reply has whole lines');
  const line = reader.buf.toString('latin1', reader.at + 1, end);
  reader.at = end + 2;
  return line;
}

function readBulk(reader: Reader, length: number): string | null {
  if (length < 0) return null;
  const text = reader.buf.toString('latin1', reader.at, reader.at + length);
  reader.at += length + 2;
  return text;
}

function readItems(reader: Reader, count: number): Value[] | null {
  if (count < 0) return null;
  const items: Value[] = [];
  for (let item = 0; item < count; item++) items.push(readValue(reader));
  return items;
}
