// Finding English in a page that should be in another language.

import type { Page } from 'playwright-core';

/**
 * English that a person would see or hear, in what is shown now. Not looked at: what is marked as English, and what a machine reads. Words that are the same in
 * Chinese are taken out first: names, addresses, units, settings. What is left of Latin letters is English when no Chinese stands by it, or when three words follow
 * each other.
 */
export function english(page: Page, within: string): Promise<string[]> {
  return page.evaluate((place) => {
    const names =
      /http@\S+|127\.0\.0\.1:\d+|proxy_\d|codis-[a-z]+|https?:\S+|\b(?:test|admin|none|cli|anonymous|Redis|Codis|Dashboard|API|OpenAPI|CPU|NDJSON|JSON|READONLY|ZooKeeper|HTTPS|INFO|SET hello|host:port|config\.ini|maxmemory|INFO replication|Home|End|Page Up|Page Down|Shift|Esc|NTP)\b|\b\w+_\w+\b|\b[pv]\d+\b|\bg\d+\b|\d (?:[KMGT]i)?B\b|\d ms\b|MiB(?:\/s)?|^ms$|\d[kMG]\b|A-Z a-z|\b\w+-\w+-\w+(?:-\w+)?\b|\(!\)/g;
    const isEnglish = (text: string) => {
      const rest = text.replace(names, '');
      return /\p{Script=Han}/u.test(text) ? /[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}/.test(rest) : /[A-Za-z]{2}/.test(rest);
    };
    const root = document.querySelector(place) ?? document.body;
    const found: string[] = [];
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (element?.closest('[lang=en], code, kbd, pre, script, style, noscript')) continue;
      const text = texts.currentNode.textContent?.trim() ?? '';
      if (isEnglish(text)) found.push(text);
    }
    for (const element of root.querySelectorAll('[title], [aria-label], [placeholder]')) {
      for (const name of ['title', 'aria-label', 'placeholder']) {
        const text = element.getAttribute(name) ?? '';
        const isOther = element.closest('time, [lang=en]') !== null || /^user:|HGETALL|az1|codis-config|redis-cli|npx /.test(text);
        if (!isOther && isEnglish(text)) found.push(`${name}: ${text}`);
      }
    }
    return [...new Set(found)];
  }, within);
}
