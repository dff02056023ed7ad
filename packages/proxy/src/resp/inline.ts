// Inline commands: a line of words, as a person types it into telnet. Same rules as Redis's sdssplitargs().

const BACKSLASH = 0x5c;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, b: 8, a: 7 };

const isSpace = (byte: number | undefined): boolean => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
/** What may follow a closing quote. */
const isBreak = (byte: number | undefined): boolean => byte === undefined || byte === 0 || isSpace(byte);
/** What ends a word without quotes: a vertical tab and a form feed don't, though they are skipped between words. */
const isEnd = (byte: number | undefined): boolean => byte !== 11 && byte !== 12 && isBreak(byte);

/** The words of `line`, with quotes and escapes resolved; null when a quote is not closed, or closed in the middle of a word. */
export function splitInline(line: Buffer): Buffer[] | null {
  const words: Buffer[] = [];
  let at = 0;
  for (;;) {
    while (isSpace(line[at])) at++;
    if (at >= line.length || line[at] === 0) return words;
    const word: number[] = [];
    at = readWord(line, at, word);
    if (at < 0) return null;
    words.push(Buffer.from(word));
  }
}

/** Appends the word that begins at `from`, which ends with its first quoted part; returns where to go on, or -1. */
function readWord(line: Buffer, from: number, word: number[]): number {
  let at = from;
  for (; !isEnd(line[at]); at++) {
    const byte = line[at] as number;
    if (byte === DOUBLE || byte === SINGLE) return quoted(line, at, word);
    word.push(byte);
  }
  return at;
}

/** Appends what stands in the quotes that open at `open`; returns where to go on, or -1. */
function quoted(line: Buffer, open: number, word: number[]): number {
  const quote = line[open];
  let at = open + 1;
  while (at < line.length) {
    const byte = line[at] as number;
    if (byte === quote) return isBreak(line[at + 1]) ? at + 1 : -1;
    if (byte === BACKSLASH && at + 1 < line.length) at += quote === DOUBLE ? escaped(line, at, word) : escapedSingle(line, at, word);
    else {
      word.push(byte);
      at++;
    }
  }
  return -1;
}

/** In double quotes: `\xHH`, `\n` and friends; any other character stands for itself. Returns how many bytes it took. */
function escaped(line: Buffer, at: number, word: number[]): number {
  const hex = line.toString('latin1', at + 2, at + 4);
  if (line[at + 1] === 0x78 && /^[0-9a-fA-F]{2}$/.test(hex)) {
    word.push(Number.parseInt(hex, 16));
    return 4;
  }
  const byte = line[at + 1] as number;
  word.push(ESCAPES[String.fromCharCode(byte)] ?? byte);
  return 2;
}

/** In single quotes only `\'` is an escape. */
function escapedSingle(line: Buffer, at: number, word: number[]): number {
  const isQuote = line[at + 1] === SINGLE;
  word.push(isQuote ? SINGLE : BACKSLASH);
  return isQuote ? 2 : 1;
}
