// Light, dark, or what the system says. public/theme.js applies it before the first paint; this is for changes afterwards.

import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

const KEY = 'codis.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<Theme>(kept());
/** Counts changes of what is painted, for what paints by itself. */
export const paintedTheme = signal(document.documentElement.dataset['theme'] ?? 'light');

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    if (next === 'auto') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch (error) {
    // A browser that keeps nothing forgets it with the page.
    if (!(error instanceof DOMException)) throw error;
  }
  paint();
}

export function startTheme(): void {
  system.addEventListener('change', paint);
  paint();
}

function paint(): void {
  const dark = theme.value === 'dark' || (theme.value === 'auto' && system.matches);
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light';
  paintedTheme.value = dark ? 'dark' : 'light';
}

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'auto';
  } catch (error) {
    if (error instanceof DOMException) return 'auto';
    throw error;
  }
}
