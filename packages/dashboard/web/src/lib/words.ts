// What people read, in the language of the page. A text in the code is the English sentence itself, with {names} where values go in; the catalogue of another
// language has its translation under that sentence. What it lacks stays English: a test of the sources sees to it that it lacks nothing.
//
//   t('Group {id} is gone', { id })            a sentence
//   rich('Since {at}.', { at: <Time … /> })    one with elements in it
//   msg('owner')                               a constant of a module, which `t` translates where it is shown
//   plural(3, 'slot')                          see format.ts; in the catalogue it is `{n} slot`

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

/** English → the other language. */
export type Catalogue = Readonly<Record<string, string>>;

/** The {names} in a text; none in one that is known at run time only. */
type NameIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | NameIn<Rest> : never;
type Values<Name extends string, Value> = Readonly<Record<Name, Value>>;
type Plain = string | number | null | undefined;
/** Where there are names, a value for each. */
type Given<Text extends string, Value> = [NameIn<Text>] extends [never]
  ? [values?: Values<string, Value>]
  : [values: Values<NameIn<Text>, Value>];

const spoken = signal<{ readonly locale: string; readonly texts: ReadonlyMap<string, string> }>({ locale: 'en', texts: new Map() });
/** Texts with places, cut at these: what stands at odd indexes is a name. Kept, for the map of slots asks for thousands at a time. */
const cuts = new Map<string, readonly string[]>();

/** Everything that is shown follows. English needs no catalogue. `locale`: how numbers are written. */
export function speak(locale: string, catalogue: Catalogue): void {
  cuts.clear();
  spoken.value = { locale, texts: new Map(Object.entries(catalogue)) };
}

export const locale = (): string => spoken.value.locale;

export function t<Text extends string>(english: Text, ...[values]: Given<Text, Plain>): string {
  if (values === undefined) return wordsFor(english);
  const cut = cutOf(english);
  let text = cut[0] ?? '';
  for (let at = 1; at < cut.length; at += 2) text += `${String((values as Values<string, Plain>)[cut[at] ?? ''])}${cut[at + 1]}`;
  return text;
}

export function rich<Text extends string>(english: Text, values: Values<NameIn<Text>, ComponentChildren>): ComponentChildren[] {
  return cutOf(english).map((part, at) => (at % 2 === 0 ? part : (values as Values<string, ComponentChildren>)[part]));
}

/** Marks a text that is translated where it is shown. */
export function msg<Text extends string>(english: Text): Text {
  return english;
}

/** `{n} slot` → `3 slots`: languages other than English have one form for all numbers here. */
export function inNumber(one: string, value: number): string {
  if (value === 1 || spoken.value.texts.has(one)) return one;
  return /[^aeiou]y$/.test(one) ? `${one.slice(0, -1)}ies` : `${one}s`;
}

function wordsFor(english: string): string {
  return spoken.value.texts.get(english) ?? english;
}

function cutOf(english: string): readonly string[] {
  const text = wordsFor(english);
  const known = cuts.get(english);
  if (known !== undefined) return known;
  const cut = text.split(/\{(\w+)\}/);
  cuts.set(english, cut);
  return cut;
}
