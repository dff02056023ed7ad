// The language of the console: as somebody chose it, else as the browser is set. Words of another language than English come when they are needed.

import { batch, signal } from '@preact/signals';
import { understand } from '../lib/told.ts';
import { type Catalogue, speak, t } from '../lib/words.ts';
import { Problem } from './api.ts';
import { toastFailed } from './toasts.ts';

/** Each as its readers call it. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

interface Words {
  readonly words: Catalogue;
  readonly sentences: Catalogue;
}

const KEY = 'codis.language';
const LOADERS: Record<Language, () => Promise<Words>> = {
  en: () => Promise.resolve({ words: {}, sentences: {} }),
  'zh-CN': () => import('../i18n/zh-CN.ts'),
};

export const language = signal<Language>('en');
/** The one that was asked for last: words that come later than others must not take their place. */
let wanted: Language = 'en';

/** Before the first paint, so that no page flashes in the wrong language. */
export async function startLanguage(): Promise<void> {
  await show(kept() ?? ofBrowser(navigator.languages));
}

export async function setLanguage(next: Language): Promise<void> {
  if (await show(next)) keep(next);
  else
    toastFailed(
      t('Language'),
      new Problem({ detail: t('Its words could not be loaded.'), code: '', status: 0, hints: [t('load the page again')] }),
    );
}

/** False where its words can't be had; then all stays as it is. */
async function show(next: Language): Promise<boolean> {
  wanted = next;
  const found = await loaded(next);
  if (found === null) return false;
  if (wanted !== next) return true;
  batch(() => {
    speak(next, found.words);
    understand(found.sentences);
    language.value = next;
  });
  document.documentElement.lang = next;
  return true;
}

async function loaded(next: Language): Promise<Words | null> {
  try {
    return await LOADERS[next]();
  } catch (error) {
    // How browsers say that a script can't be loaded: the dashboard is away, or has another version by now.
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The first that the console speaks. */
function ofBrowser(languages: readonly string[]): Language {
  const first = languages.find((name) => /^(?:en|zh)\b/i.test(name)) ?? 'en';
  return /^zh/i.test(first) ? 'zh-CN' : 'en';
}

function kept(): Language | null {
  try {
    const value = localStorage.getItem(KEY);
    return value !== null && Object.hasOwn(LANGUAGES, value) ? (value as Language) : null;
  } catch (error) {
    if (error instanceof DOMException) return null;
    throw error;
  }
}

function keep(value: Language): void {
  try {
    localStorage.setItem(KEY, value);
  } catch (error) {
    // A browser that keeps nothing forgets it with the page.
    if (!(error instanceof DOMException)) throw error;
  }
}
