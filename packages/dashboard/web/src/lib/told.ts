// What the dashboard says comes as English sentences with names and numbers in them. Those that one sees most are known by their form, and said in the language
// of the page; the others stay as they are.

import { signal } from '@preact/signals';
import type { Catalogue } from './words.ts';

/** `of {total} slots` is what stands around the places, and the names of these: one more of the former. */
interface Form {
  readonly around: readonly string[];
  readonly names: readonly string[];
  readonly text: string;
}

const KEPT_MAX = 500;
/** What these stand for is one word; {n} is a number, and any other whatever there is. */
const ONE_WORD = new Set(['addr', 'id', 'group', 'slot', 'master', 'role', 'other']);

const forms = signal<readonly Form[]>([]);
/** Answers by sentence: the same ones are shown again and again. */
const kept = new Map<string, string | null>();

/** `sentences`: English with {names} → the other language with the same ones. The first that fits is taken. */
export function understand(sentences: Catalogue): void {
  kept.clear();
  forms.value = Object.entries(sentences).map(([english, text]) => {
    const parts = english.split(/\{(\w+)\}/);
    return { around: parts.filter((_, at) => at % 2 === 0).map(plain), names: parts.filter((_, at) => at % 2 === 1), text };
  });
}

/** In the language of the page; null where it has no words for that, and in English. */
export function told(sentence: string): string | null {
  const known = forms.value;
  if (known.length === 0) return null;
  let answer = kept.get(sentence);
  if (answer === undefined) {
    answer = formed(sentence, known);
    if (kept.size >= KEPT_MAX) kept.clear();
    kept.set(sentence, answer);
  }
  return answer;
}

function formed(sentence: string, known: readonly Form[]): string | null {
  const text = plain(sentence);
  for (const form of known) {
    const parts = partsOf({ sentence, text }, form);
    if (parts === null) continue;
    // A sentence may have others in it.
    return form.text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const part = parts[form.names.indexOf(name)] ?? '';
      return formed(part, known) ?? part;
    });
  }
  return null;
}

/** What stands at the places. Each ends where what is around it is met first, so that no text, however it is made, takes long. `text`: the sentence in small letters. */
function partsOf({ sentence, text }: { sentence: string; text: string }, { around, names }: Form): string[] | null {
  const last = around.at(-1) ?? '';
  let at = around[0]?.length ?? 0;
  if (!text.startsWith(around[0] ?? '') || !text.endsWith(last)) return null;
  if (names.length === 0) return text === around[0] ? [] : null;
  const parts: string[] = [];
  for (const [index, name] of names.entries()) {
    const end = index === names.length - 1 ? text.length - last.length : text.indexOf(around[index + 1] ?? '', at + 1);
    if (end <= at) return null;
    const part = sentence.slice(at, end);
    if ((name === 'n' && !/^\d+$/.test(part)) || (ONE_WORD.has(name) && /\s/.test(part))) return null;
    parts.push(part);
    at = end + (around[index + 1]?.length ?? 0);
  }
  return parts;
}

/** Where one stands at the beginning it has a capital. Of letters beyond English ones the length might change. */
const plain = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
