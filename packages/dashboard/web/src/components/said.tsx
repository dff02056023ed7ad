// What the dashboard says in its own words: in the language of the page where that has words for it, else in English, and marked so for who hears it read.

import { told } from '../lib/told.ts';
import { t } from '../lib/words.ts';

/** `whole`: a sentence of its own, with a stop. */
export function Said({ text, whole = false }: { text: string; whole?: boolean }) {
  const known = told(text);
  if (known !== null) return <>{whole ? `${known}${t('.')}` : known}</>;
  return <span lang="en">{whole ? `${text}.` : text}</span>;
}
