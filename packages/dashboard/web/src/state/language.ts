// The language of the console: as somebody chose it, else as the browser is set. Words of another language than English come when they are needed.

import { signal } from '@preact/signals';
import { understand } from '../lib/told.ts';
import { speak } from '../lib/words.ts';

/** Each as its readers call it. */
export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'codis.language';
const LOADERS: Record<Language, () => Promise<void>> = {
  en: async () => {
    speak('en-US');
    understand({});
  },
  'zh-CN': async () => {
    const { words, sentences } = await import('../i18n/zh-CN.ts');
    speak('zh-CN', words);
    understand(sentences);
  },
};

export const language = signal<Language>('en');

/** Before the first paint, so that no page flashes in the wrong language. */
export function startLanguage(): Promise<void> {
  return show(kept() ?? ofBrowser(navigator.languages));
}

export async function setLanguage(next: Language): Promise<void> {
  await show(next);
  if (language.value === next) keep(next);
}

/** Stays in the language that there is when the other one's words can't be had. */
async function show(next: Language): Promise<void> {
  try {
    await LOADERS[next]();
  } catch (error) {
    // How browsers say that a script can't be loaded: the dashboard is away, or has another version by now.
    if (error instanceof TypeError) return;
    throw error;
  }
  language.value = next;
  document.documentElement.lang = next;
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
