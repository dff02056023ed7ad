// The frame of every page: skip link, navigation, the banner when what is shown is old, one h1.

import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { apiWord } from '../lib/api-words.ts';
import { PAGES, type PageName } from '../lib/routes.ts';
import { msg, rich, t } from '../lib/words.ts';
import { LANGUAGES, type Language, language, setLanguage } from '../state/language.ts';
import { alerts, asOf, connection, now, pause, paused, status, trouble } from '../state/live.ts';
import { product, route, to } from '../state/router.ts';
import { logout, session } from '../state/session.ts';
import { setTheme, type Theme, theme } from '../state/theme.ts';
import { toastFailed } from '../state/toasts.ts';
import { ActionHost } from './action.tsx';
import { Chip, Icon } from './chip.tsx';
import { ExplainHost } from './explain.tsx';
import { Said } from './said.tsx';
import { Toasts } from './toasts.tsx';
import { Time } from './value.tsx';

export function Layout({ children }: { children: ComponentChildren }) {
  const old = connection.value.kind === 'lost' || trouble.value !== null;
  return (
    <>
      <a class="skip" href="#main">
        {t('Skip to the page')}
      </a>
      <Header />
      <Navigation />
      <Banner />
      <main id="main" tabIndex={-1} class={old || paused.value ? 'stale' : ''}>
        {children}
      </main>
      <Toasts />
      <ActionHost />
      <ExplainHost />
    </>
  );
}

/** The page's h1 and the title of its tab; what belongs beside the heading goes inside. */
export function PageHead({ title, children }: { title: string; children?: ComponentChildren }) {
  const alarm = status.value !== null && status.value.verdict !== 'healthy' ? '(!) ' : '';
  useEffect(() => {
    document.title = `${alarm}${title} · ${product.value ?? 'Codis'}`;
    document.querySelector('#favicon')?.setAttribute('href', alarm === '' ? '/favicon-ok.svg' : '/favicon-alert.svg');
  });
  return (
    <div class="page-head">
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </div>
  );
}

function Header() {
  return (
    <header class="top">
      <a class="brand" href={product.value === null ? '/' : to('overview')}>
        Codis <strong>{product.value ?? ''}</strong>
      </a>
      <LiveChip />
      <span class="spring" />
      <LanguageSwitch />
      <ThemeSwitch />
      <Who />
    </header>
  );
}

function LiveChip() {
  const kind = connection.value.kind;
  if (kind === 'connecting') return <Chip level="unknown" word="connecting" />;
  if (kind === 'lost') return <Chip level="error" word="not live" />;
  return (
    <button
      type="button"
      class="chip-button"
      aria-pressed={paused.value}
      onClick={() => pause(!paused.value)}
      title={t('Freeze what is shown, or go on')}
    >
      {paused.value ? <Chip level="warn" word="paused" /> : <Chip level="ok" word="live" />}
      <span class="as-of">{rich('as of {at}', { at: <Time at={asOf.value} /> })}</span>
      <span class="pause-word">{paused.value ? t('Resume') : t('Pause')}</span>
    </button>
  );
}

function ThemeSwitch() {
  return (
    <label class="theme">
      <span class="visually-hidden">{t('Theme')}</span>
      <select value={theme.value} onChange={(event) => setTheme(event.currentTarget.value as Theme)}>
        {Object.entries(THEMES).map(([name, label]) => (
          <option key={name} value={name}>
            {t(label)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Each language is called as its readers call it. */
export function LanguageSwitch() {
  return (
    <label class="theme">
      <span class="visually-hidden">{t('Language')}</span>
      <select value={language.value} onChange={({ currentTarget: select }) => void choose(select)}>
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

async function choose(select: HTMLSelectElement): Promise<void> {
  await setLanguage(select.value as Language);
  select.value = language.value;
}

const THEMES: Record<Theme, string> = { auto: msg('system theme'), light: msg('light theme'), dark: msg('dark theme') };

function Who() {
  const current = session.value;
  if (current === null || !current.authRequired || current.user === null) return null;
  return (
    <span class="who">
      {current.user} <span class="hint">{current.role === null ? '' : `(${apiWord(current.role)})`}</span>
      <button type="button" class="quiet" onClick={() => void logout().catch((error: unknown) => toastFailed(t('Logging out'), error))}>
        {t('Log out')}
      </button>
    </span>
  );
}

function Navigation() {
  const firing = alerts.value.filter(({ state }) => state === 'firing').length;
  const current = route.value.kind === 'page' ? route.value.page : null;
  return (
    <nav aria-label={t('Pages')}>
      <ul>
        {(Object.keys(PAGES) as PageName[]).map((page) => (
          <li key={page}>
            <a href={to(page)} aria-current={current === page ? 'page' : undefined}>
              {t(PAGES[page].title)}
              {page === 'alerts' && firing > 0 ? (
                <span class="badge">
                  {firing}
                  <span class="visually-hidden"> {t('firing')}</span>
                </span>
              ) : null}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Banner() {
  const at = connection.value;
  const why = trouble.value;
  if (at.kind !== 'lost' && why === null) return null;
  const shownAt = <Time at={asOf.value} />;
  const [what, rest] =
    at.kind !== 'lost'
      ? [
          t('The dashboard can’t read the cluster'),
          rich(': {why}. values below are from {shownAt}.', { why: <Said text={why ?? ''} />, shownAt }),
        ]
      : at.since === null
        ? [t('The dashboard does not answer'), t('. This page tries again by itself.')]
        : [
            t('Live data lost'),
            rich(' {seconds} s ago — values below are from {shownAt}. Changes are held back; this page tries again by itself.', {
              seconds: secondsSince(at.since),
              shownAt,
            }),
          ];
  return (
    <section class="banner" aria-label={t('Connection')}>
      <Icon level="error" />
      <p>
        <strong role="alert">{what}</strong>
        {rest}
      </p>
    </section>
  );
}

function secondsSince(at: number): number {
  return Math.max(0, Math.round((now.value - at) / 1000));
}
