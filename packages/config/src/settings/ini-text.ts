// The text of a config.ini: lines of `key = value`, flat as Codis's file was. Knows nothing of which keys exist.
//
//   # a comment, or ; a comment          whole lines, or after a value and white space
//   key = value                          white space around both is dropped
//   key = " value # with anything "      quotes, single or double, keep it as it stands; there are no escapes
//
// Invariant: a line is an entry, a problem, or nothing; nothing is guessed.

/** What is wrong, where. `line` counts from 1; absent for a problem of a flag or of the file as a whole. */
export interface SettingsProblem {
  readonly line?: number;
  readonly key?: string;
  readonly message: string;
}

export interface IniEntry {
  readonly line: number;
  readonly key: string;
  readonly value: string;
}

const KEY = /^[A-Za-z][A-Za-z0-9_.-]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CONTROL_CHARACTER = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/** All lines of `text`; a byte order mark and CR LF line ends are accepted. */
export function readIni(text: string): { entries: IniEntry[]; problems: SettingsProblem[] } {
  const entries: IniEntry[] = [];
  const problems: SettingsProblem[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    const read = readLine(raw.trim());
    if (read === null) continue;
    if (typeof read === 'string') problems.push({ line, message: read });
    else entries.push({ line, ...read });
  }
  return { entries, problems };
}

/** `value` as it may stand behind `key = `, so that `readIni` gives it back; null for the few texts that have no spelling. */
export function writeIniValue(value: string): string | null {
  if (CONTROL_CHARACTER.test(value)) return null;
  for (const spelled of [value, `"${value}"`, `'${value}'`]) {
    const read = readValue(spelled);
    if (typeof read !== 'string' && read.value === value) return spelled;
  }
  return null;
}

/** null: nothing there. A string: what is wrong. */
function readLine(line: string): { key: string; value: string } | string | null {
  if (line === '' || line.startsWith('#') || line.startsWith(';')) return null;
  if (CONTROL_CHARACTER.test(line)) return 'has a control character in it; write plain text';
  if (line.startsWith('[')) return `${line} looks like a section; this file has none, remove the line`;
  const equals = line.indexOf('=');
  const key = equals < 0 ? line : line.slice(0, equals).trim();
  if (equals < 0 || !KEY.test(key)) return `${JSON.stringify(shorten(line))} is not "key = value"; comments begin with #`;
  const read = readValue(line.slice(equals + 1).trim());
  return typeof read === 'string' ? `${key}: ${read}` : { key, value: read.value };
}

function readValue(text: string): { value: string } | string {
  const quote = text[0];
  if (quote !== '"' && quote !== "'") return { value: text.replace(/(^|\s+)[#;].*$/, '').trim() };
  const end = text.indexOf(quote, 1);
  if (end < 0) return `the quote ${quote} is not closed`;
  const rest = text.slice(end + 1);
  if (!/^(\s+[#;].*|\s*)$/.test(rest)) return `there is text behind the closing quote: ${shorten(rest.trim())}`;
  return { value: text.slice(1, end) };
}

/** A line may hold a password: what is not understood is not repeated at length. */
function shorten(text: string): string {
  return text.length > 24 ? `${text.slice(0, 21)}…` : text;
}
