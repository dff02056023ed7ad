// The address of everything: paths below /c/<product>/ and what they mean.

import { msg } from './words.ts';

export const PAGES = {
  overview: { path: '', title: msg('Overview'), key: 'o' },
  slots: { path: 'slots', title: msg('Slots'), key: 's' },
  migrations: { path: 'migrations', title: msg('Migrations'), key: 'm' },
  groups: { path: 'groups', title: msg('Groups'), key: 'g' },
  proxies: { path: 'proxies', title: msg('Proxies'), key: 'p' },
  keys: { path: 'keys', title: msg('Keys'), key: 'k' },
  slowlog: { path: 'slowlog', title: msg('Slow log'), key: 'l' },
  events: { path: 'events', title: msg('Events'), key: 'e' },
  alerts: { path: 'alerts', title: msg('Alerts'), key: 'a' },
  settings: { path: 'settings', title: msg('Settings'), key: 't' },
} as const satisfies Record<string, { path: string; title: string; key: string }>;

export type PageName = keyof typeof PAGES;

export type Route =
  | { readonly kind: 'root' }
  | { readonly kind: 'login' }
  | {
      readonly kind: 'page';
      readonly product: string;
      readonly page: PageName;
      readonly object: string | null;
      readonly sub: string | null;
    }
  | { readonly kind: 'unknown'; readonly path: string };

export function routeOf(path: string): Route {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return { kind: 'root' };
  if (parts.length === 1 && parts[0] === 'login') return { kind: 'login' };
  const [prefix, product, name = '', object = null, sub = null, ...rest] = parts;
  const page = pageNamed(name);
  if (prefix !== 'c' || product === undefined || page === null || rest.length > 0) return { kind: 'unknown', path };
  return { kind: 'page', product: decode(product), page, object: object === null ? null : decode(object), sub };
}

export function pathOf(product: string, page: PageName, object?: string | number, sub?: string): string {
  const parts = [PAGES[page].path, object === undefined ? '' : encodeURIComponent(String(object)), sub ?? ''].filter((part) => part !== '');
  return `/c/${encodeURIComponent(product)}/${parts.join('/')}`;
}

function pageNamed(name: string): PageName | null {
  const found = Object.entries(PAGES).find(([, { path }]) => path === name);
  return found ? (found[0] as PageName) : null;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}
