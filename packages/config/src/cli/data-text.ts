// A value as JSON and as YAML text. Both are safe to show on a terminal: what could steer it is escaped.
//
// The YAML is a plain subset that every parser reads alike: blocks, and strings always in quotes, so that no `no` becomes false and no 12:30 a number.

export function jsonText(value: unknown): string {
  return `${tame(JSON.stringify(value, null, 2))}\n`;
}

export function yamlText(value: unknown): string {
  return `${yamlLines(JSON.parse(JSON.stringify(value))).join('\n')}\n`;
}

/** `text` is JSON: outside of strings there are no such characters. */
function tame(text: string): string {
  return text.replaceAll(/[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function yamlLines(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) return value.flatMap((item) => nested('- ', yamlLines(item)));
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, item]) => entry(yamlKey(key), item));
  }
  return [tame(JSON.stringify(value)).replaceAll(/[\ufffe\uffff]/g, escaped)];
}

function entry(key: string, item: unknown): string[] {
  const lines = yamlLines(item);
  const isBlock = typeof item === 'object' && item !== null && Object.keys(item).length > 0;
  return isBlock ? [`${key}:`, ...lines.map((line) => `  ${line}`)] : [`${key}: ${lines[0] ?? ''}`];
}

function nested(mark: string, [first = '', ...rest]: string[]): string[] {
  return [`${mark}${first}`, ...rest.map((line) => `  ${line}`)];
}

/** Words that some parsers take for true and false are quoted too. */
function yamlKey(key: string): string {
  return /^[a-z][A-Za-z0-9_]*$/.test(key) && !/^(?:y|n|yes|no|on|off|true|false|null)$/.test(key) ? key : tame(JSON.stringify(key));
}
