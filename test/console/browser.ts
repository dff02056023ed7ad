// A browser for tests: Debian's chromium, driven over its own protocol, and what one does with it again and again.

import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { eventually, REPO } from '../harness/process.ts';

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

/** What axe finds in both themes, one line each; empty when nothing. Colours only in the dark one, for the rest is the same. `within`: only what is in this. */
export async function violations(page: Page, within: string | null = null): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const run = (theme: string, only: readonly string[] | null) =>
    page.evaluate(
      async ([wanted, rules, place]) => {
        const html = document.documentElement;
        const before = html.dataset['theme'];
        html.dataset['theme'] = wanted as string;
        const { axe } = window as unknown as {
          axe: { run(place: string | Document, options: object): Promise<{ violations: Violation[] }> };
        };
        const found = await axe.run(place ?? document, { resultTypes: ['violations'], ...(rules === null ? {} : { runOnly: rules }) });
        html.dataset['theme'] = before ?? 'light';
        return found.violations;
      },
      [theme, only, within] as const,
    );
  const light = await run('light', null);
  const dark = await run('dark', ['color-contrast']);
  const line = (theme: string) => (violation: Violation) =>
    violation.nodes.map((node) => `${theme} ${violation.id}: ${node.target.join(' ')} ${(node.failureSummary ?? '').split('\n')[1] ?? ''}`);
  return [...light.flatMap(line('light')), ...dark.flatMap(line('dark'))];
}

/** Whether the page is wider than the window. */
function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

const WIDE = { width: 1280, height: 720 };
/** A telephone, and 1280x720 at 200 %. */
const SMALL = [
  { width: 390, height: 800 },
  { width: 640, height: 360 },
];

/** What is wrong with what is shown, one line each: what axe finds, what does not fit into a small window, what moves though nothing should. `within`: a dialog. */
export async function faults(page: Page, within: string | null = null): Promise<string[]> {
  const found = await violations(page, within);
  if ((await page.locator('h1').count()) !== 1) found.push('has not one h1');
  if (await moves(page)) found.push('moves, though reduced motion is asked for');
  for (const size of SMALL) {
    await page.setViewportSize(size);
    await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
    if (await scrollsSideways(page)) found.push(`scrolls sideways at ${size.width} px`);
    if (within !== null && (await isCutOff(page, within))) found.push(`is cut off at ${size.width} px`);
  }
  await page.setViewportSize(WIDE);
  return found;
}

function isCutOff(page: Page, within: string): Promise<boolean> {
  return page.locator(within).evaluate((dialog) => dialog.scrollWidth > dialog.clientWidth + 1);
}

/** Pages of tests ask for reduced motion. */
function moves(page: Page): Promise<boolean> {
  return page.evaluate(() =>
    Array.from(document.querySelectorAll('*')).some((element) => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return animationName !== 'none' || transitionDuration.split(', ').some((time) => time !== '0s');
    }),
  );
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

/** Confirms the dialog that is open, and returns the command line it offered. */
export async function confirmed(page: Page): Promise<string> {
  const dialog = page.getByRole('dialog');
  const line = await dialog.locator('.dialog-foot .copy code').textContent();
  const confirm = dialog.locator('.dialog-foot button').last();
  await eventually(async () => (await confirm.getAttribute('aria-disabled')) === 'false', { what: `${line} to be possible` });
  await confirm.click();
  await dialog.waitFor({ state: 'detached' });
  return line ?? '';
}
