// A browser for tests: Debian's chromium, driven over its own protocol, and what one does with it again and again.

import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { REPO } from '../harness/process.ts';

const CHROMIUM = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((dir) => join(dir, 'chromium'))
  .find((file) => existsSync(file));
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const AXE = readFileSync(join(REPO, 'node_modules/axe-core/axe.min.js'), 'utf8');

export interface TestBrowser {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in the page by itself: exceptions, and what its CSP forbade. */
  readonly errors: string[];
  close(): Promise<void>;
}

/** One page at 1280x720, in the light theme. */
export async function openBrowser(): Promise<TestBrowser> {
  if (CHROMIUM === undefined) throw new Error('there is no chromium in PATH; npm test installs it');
  const browser: Browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 }, colorScheme: 'light', reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error.stack ?? error.message)));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Uncaught/.test(message.text())) errors.push(message.text());
  });
  return { page, context, errors, close: () => browser.close() };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
}

/** What axe finds in both themes, one line each; empty when nothing. Colours only in the dark one, for the rest is the same. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const run = (theme: string, only: readonly string[] | null) =>
    page.evaluate(
      async ([wanted, rules]) => {
        const html = document.documentElement;
        const before = html.dataset['theme'];
        html.dataset['theme'] = wanted as string;
        const { axe } = window as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } };
        const found = await axe.run(rules === null ? {} : { runOnly: rules });
        html.dataset['theme'] = before ?? 'light';
        return found.violations;
      },
      [theme, only] as const,
    );
  const light = await run('light', null);
  const dark = await run('dark', ['color-contrast']);
  const line = (theme: string) => (violation: Violation) =>
    violation.nodes.map((node) => `${theme} ${violation.id}: ${node.target.join(' ')} ${(node.failureSummary ?? '').split('\n')[1] ?? ''}`);
  return [...light.flatMap(line('light')), ...dark.flatMap(line('dark'))];
}

/** Whether the page is wider than the window. */
export function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** Presses Tab until what has the focus is called `name`. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  const seen: string[] = [];
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      const label = element instanceof HTMLInputElement ? (element.labels?.[0]?.textContent ?? '') : (element?.textContent ?? '');
      return `${element?.getAttribute('aria-label') ?? ''} ${label}`.trim();
    });
    seen.push(focused.slice(0, 60));
    if (name.test(focused)) return;
  }
  throw new Error(`nothing called ${name} can be reached by Tab; on the way: ${[...new Set(seen)].join(' | ')}`);
}
