// What the dashboard says comes as English sentences with names and numbers in them. Those that one sees most are known by their form, and said in the language
// of the page; the others stay as they are.

import { signal } from '@preact/signals';
import type { Catalogue } from './words.ts';

interface Form {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly text: string;
}

const KEPT_MAX = 500;

const forms = signal<readonly Form[]>([]);
/** Answers by sentence: the same ones are shown again and again. */
const kept = new Map<string, string | null>();

/** What these stand for is one word; {n} is a number, and any other whatever there is. */
const ONE_WORD = new Set(['addr', 'id', 'group', 'slot', 'master', 'role', 'other']);

/** `sentences`: English with {names} → the other language with the same ones. The first that fits is taken. */
export function understand(sentences: Catalogue): void {
  kept.clear();
  forms.value = Object.entries(sentences).map(([english, text]) => {
    const parts = english.split(/\{(\w+)\}/);
    const pattern = parts
      .map((part, at) => (at % 2 === 0 ? literally(part) : part === 'n' ? '(\\d+)' : ONE_WORD.has(part) ? '(\\S+?)' : '(.+?)'))
      .join('');
    // Where one stands at the beginning it has a capital.
    return { pattern: new RegExp(`^${pattern}$`, 'is'), names: parts.filter((_, at) => at % 2 === 1), text };
  });
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

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
  for (const { pattern, names, text } of known) {
    const parts = pattern.exec(sentence);
    if (parts === null) continue;
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const part = parts[names.indexOf(name) + 1] ?? '';
      // A sentence may have others in it.
      return formed(part, known) ?? part;
    });
  }
  return null;
}
