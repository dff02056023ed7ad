// Where one is: the path, and the filters in the query. Links are ordinary <a href>; a click on one of ours changes the page without loading it.

import { computed, signal } from '@preact/signals';
import { type PageName, pathOf, routeOf } from '../lib/routes.ts';
import { status } from './live.ts';
import { session } from './session.ts';

const place = signal({ path: location.pathname, query: location.search });

export const route = computed(() => routeOf(place.value.path));
export const query = computed(() => new URLSearchParams(place.value.query));

/** The product that this dashboard serves; null until it has said so. */
export const product = computed(() => status.value?.product ?? session.value?.product ?? null);

/** The path of a page of the product at hand. */
export function to(page: PageName, object?: string | number, sub?: string): string {
  const current = route.value;
  return pathOf(current.kind === 'page' ? current.product : (product.value ?? '-'), page, object, sub);
}

/** `stay`: the place on the page, and the focus, stay as they are. */
export function navigate(href: string, { replace = false, stay = false }: { replace?: boolean; stay?: boolean } = {}): void {
  const url = new URL(href, location.href);
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  const moved = url.pathname !== place.peek().path;
  place.value = { path: url.pathname, query: url.search };
  if (!moved || replace || stay) return;
  scrollTo(0, 0);
  // So that the keyboard and a screen reader begin at the new page.
  queueMicrotask(() => document.querySelector<HTMLElement>('h1')?.focus());
}

/** Sets or, with null, takes away a filter; the address keeps it. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  navigate(place.peek().path + queryWith(changes), { replace: true });
}

/** The filters as they would be then: `?show=moving`, or nothing. */
export function queryWith(changes: Readonly<Record<string, string | null>>): string {
  const next = new URLSearchParams(place.peek().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  return text === '' ? '' : `?${text}`;
}

/** A filter that is a whole number; null when it is not. */
export function numberIn(name: string): number | null {
  const text = query.value.get(name) ?? '';
  return /^\d{1,11}$/.test(text) ? Number(text) : null;
}

/** A filter as a text that an input reads and writes. */
export function queryCell(name: string): { value: string } {
  return {
    get value() {
      return query.value.get(name) ?? '';
    },
    set value(text: string) {
      setQuery({ [name]: text });
    },
  };
}

export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = { path: location.pathname, query: location.search };
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link?.target !== '' || link.hasAttribute('download') || link.origin !== location.origin || !isOurs(link.pathname)) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    event.preventDefault();
    navigate(link.href);
  });
}

const isOurs = (path: string): boolean => path === '/' || path === '/login' || path.startsWith('/c/');
