// Keys that work on every page: `?` for help, `/` to search, `g` and a letter to go somewhere. Not while somebody types, nor in a dialog.

import { signal } from '@preact/signals';
import { PAGES, type PageName } from '../lib/routes.ts';
import { navigate, to } from './router.ts';

export const helpShown = signal(false);

const SEQUENCE_MS = 1500;
/** `g s|g|p|m|e` are the spec's; the others follow the same way. */
const PAGE_OF_KEY = new Map((Object.keys(PAGES) as PageName[]).map((page) => [PAGES[page].key as string, page]));

export function startKeyboard(): void {
  let goAt = Number.NEGATIVE_INFINITY;
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]')) return;
    const page = event.timeStamp - goAt < SEQUENCE_MS ? PAGE_OF_KEY.get(event.key) : undefined;
    goAt = event.key === 'g' && page === undefined ? event.timeStamp : Number.NEGATIVE_INFINITY;
    if (page !== undefined) navigate(to(page));
    else if (event.key === '?') helpShown.value = true;
    else if (event.key === '/') focusSearch();
    else return;
    event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.matches('input:not([type=radio], [type=checkbox]), textarea, select') || target.isContentEditable)
  );
}

/** The search of this page, or the one of the slots. */
function focusSearch(): void {
  const here = document.querySelector<HTMLElement>('main input[type=text]');
  if (here) {
    here.focus();
    return;
  }
  navigate(to('slots'));
  requestAnimationFrame(() => document.querySelector<HTMLElement>('main .search input')?.focus());
}
