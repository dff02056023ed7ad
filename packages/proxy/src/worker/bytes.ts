// Bytes written by hand, where a string or a Buffer for each piece would cost more than the piece.

const CR = 13;
const LF = 10;
const ZERO = 0x30;
/** How many digits a count has. */
export function decimalsOf(count: number): number {
  let digits = 1;
  for (let rest = count; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

/** Writes `<type><count>\r\n`; gives the position behind it. */
export function writeHeader(target: Buffer, at: number, type: number, count: number): number {
  target[at] = type;
  const end = at + 1 + decimalsOf(count);
  let rest = count;
  for (let digit = end - 1; digit > at; digit--) {
    target[digit] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return endLine(target, end);
}

/** Writes `text`, which is ASCII, and CRLF; gives the position behind it. */
export function writeLine(target: Buffer, at: number, text: string): number {
  for (let index = 0; index < text.length; index++) target[at + index] = text.charCodeAt(index);
  return endLine(target, at + text.length);
}

function endLine(target: Buffer, at: number): number {
  target[at] = CR;
  target[at + 1] = LF;
  return at + 2;
}
