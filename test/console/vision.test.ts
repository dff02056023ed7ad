// Goal: whatever one's eyes, one sees which group a slot is in and whether the cluster is well; and a group looks the same whatever other groups there are.
// Method: the real console against an API that invents clusters; screenshots as chromium says that other eyes see them, and their pixels.

import type { SlotRunView } from '@codis/config/api';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { contrast, distance } from '../harness/oklab.ts';
import { openBrowser, type TestBrowser } from './browser.ts';
import { type FakeApi, largeCluster, startFakeApi } from './fake-api.ts';
import { type Box, mean, type Picture, pictureOf, seeAs, type VisionName } from './pictures.ts';

// What one does in a browser takes many steps, and the machine of a test may be busy.
vi.setConfig({ testTimeout: 90_000 });

const COLOURED: readonly VisionName[] = ['none', 'deuteranopia', 'protanopia', 'tritanopia'];
const EVERY: readonly VisionName[] = [...COLOURED, 'achromatopsia'];
const THEMES = ['light', 'dark'] as const;
/** As in palette.test.ts, less what eight bits a channel round away. */
const APART = 9.5;
/** Between pixels of two textures, on the average. */
const TEXTURES_APART = 4;

let api: FakeApi;
let browser: TestBrowser;
let page: Page;
let reader: Page;
let epoch = 1;

beforeAll(async () => {
  [api, browser] = await Promise.all([startFakeApi(largeCluster({ groups: 24, proxies: 2 })), openBrowser()]);
  page = browser.page;
  reader = await browser.context.newPage();
  await page.bringToFront();
});
afterAll(async () => {
  expect(browser?.errors).toEqual([]);
  await browser?.close();
  await api?.close();
});

const run = (first: number, last: number, group: number): SlotRunView => ({
  first,
  last,
  group,
  state: 'online',
  to: null,
  migration: null,
});

/** Shows these slots on the map, and nothing under the pointer. */
async function show(theme: 'light' | 'dark', slots: readonly SlotRunView[], query = ''): Promise<void> {
  await page.goto(`${api.url}/c/large/slots${query}`);
  await page.setViewportSize({ width: 1280, height: 960 });
  await page.evaluate((name) => {
    document.documentElement.dataset['theme'] = name;
  }, theme);
  await page.locator('[data-slot="1023"].cell').waitFor();
  await change(slots);
  await page.mouse.move(2, 2);
}

async function change(slots: readonly SlotRunView[]): Promise<void> {
  epoch++;
  api.send('topology', { epoch, slots, groups: null });
  const last = slots.at(-1)!;
  await page.locator(`[data-slot="1023"][aria-label*="group ${last.group},"]`).waitFor();
  await page.evaluate(() => new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown))));
}

async function cell(slot: number): Promise<Box> {
  return (await page.locator(`[data-slot="${slot}"]`).boundingBox())!;
}

/** Each of 24 groups has 42 slots, by turns, so that none has a label. */
const ALL_GROUPS = Array.from({ length: 1024 }, (_, slot) => run(slot, slot, (slot % 24) + 1));

/** Every two of these groups whose cells are closer than they should be. */
function tooClose(picture: Picture, boxes: ReadonlyMap<number, Box>, groups: readonly number[]): string[] {
  const colour = (group: number) => mean(picture.pixels(boxes.get(group)!, 3));
  return groups.flatMap((a, index) =>
    groups.slice(index + 1).flatMap((b) => {
      const apart = distance(colour(a), colour(b));
      return apart < APART ? [`groups ${a} and ${b}: ${apart.toFixed(1)}`] : [];
    }),
  );
}

/** As `tooClose`, of groups with the same hue: pixel by pixel. */
function tooAlike(picture: Picture, boxes: ReadonlyMap<number, Box>, hue: number): string[] {
  const groups = [hue, hue + 8, hue + 16];
  return groups.flatMap((a, index) =>
    groups.slice(index + 1).flatMap((b) => {
      const [x, y] = [picture.pixels(boxes.get(a)!, 2), picture.pixels(boxes.get(b)!, 2)];
      const count = Math.min(x.length, y.length);
      const apart = x.slice(0, count).reduce((sum, colour, at) => sum + distance(colour, y[at]!), 0) / count;
      return apart < TEXTURES_APART ? [`groups ${a} and ${b}: ${apart.toFixed(1)}`] : [];
    }),
  );
}

describe.each(THEMES)('on the map of slots, in the %s theme,', (theme) => {
  test('eight groups differ in colour, and those of one hue in texture, in every kind of vision', async () => {
    await show(theme, ALL_GROUPS);
    const boxes = new Map(await Promise.all(Array.from({ length: 24 }, async (_, slot) => [slot + 1, await cell(slot)] as const)));
    const found: string[] = [];
    for (const vision of EVERY) {
      await seeAs(page, vision);
      const picture = await pictureOf(page, reader);
      const close = vision === 'achromatopsia' ? [] : tooClose(picture, boxes, [1, 2, 3, 4, 5, 6, 7, 8]);
      const alike = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((hue) => tooAlike(picture, boxes, hue));
      found.push(...[...close, ...alike].map((text) => `${vision}: ${text}`));
    }
    await seeAs(page, 'none');
    expect(found).toEqual([]);
  });

  test('without any colour each run has its name where it begins, and one group can be seen alone', async () => {
    await show(
      theme,
      Array.from({ length: 8 }, (_, index) => run(index * 128, index * 128 + 127, index + 1)),
    );
    await seeAs(page, 'achromatopsia');
    const picture = await pictureOf(page, reader);
    for (let group = 1; group <= 8; group++) {
      const first = (group - 1) * 128;
      expect(await page.locator(`[data-slot="${first}"]`).getAttribute('data-run')).toBe(`g${group}`);
      // A name has an edge of its own: somewhere in its cells light stands against dark, whatever the group's grey.
      const [begin, next] = [await cell(first), await cell(first + 1)];
      const pixels = picture.pixels({ ...begin, width: next.x + next.width - begin.x });
      const best = pixels.reduce((most, colour) => Math.max(most, contrast(colour, pixels[0]!)), 1);
      const range = Math.max(best, contrast(lightest(pixels), darkest(pixels)));
      expect(range, `the name of group ${group}`).toBeGreaterThan(4.5);
    }
    await page.getByRole('button', { name: /^group 3/ }).click();
    await page.mouse.move(2, 2);
    const alone = await pictureOf(page, reader);
    const grey = async (slot: number) => mean(alone.pixels(await cell(slot), 3));
    for (const other of [1, 2, 4, 5, 6, 7, 8]) {
      expect(contrast(await grey(2 * 128 + 40), await grey((other - 1) * 128 + 40)), `group 3 and faded group ${other}`).toBeGreaterThan(2);
    }
    await seeAs(page, 'none');
  });

  test('a group that comes or goes changes no pixel of the others', async () => {
    const others = [run(0, 255, 1), run(256, 511, 2), run(512, 767, 3)];
    await show(theme, [...others, run(768, 1023, 4)]);
    const boxOf = async () => {
      const [first, last] = [await cell(0), await cell(767)];
      return { x: first.x, y: first.y, width: last.x + last.width - first.x, height: last.y + last.height - first.y };
    };
    const boxOfRest = async () => {
      const [first, last] = [await cell(768), await cell(1023)];
      return { x: first.x, y: first.y, width: last.x + last.width - first.x, height: last.y + last.height - first.y };
    };
    const before = { box: await boxOf(), picture: await pictureOf(page, reader) };
    // Of the same hue as group 1; more groups than hues; and none at all.
    for (const tail of [
      [run(768, 1023, 9)],
      Array.from({ length: 16 }, (_, at) => run(768 + at * 16, 783 + at * 16, at + 5)),
      [run(768, 1023, 3)],
    ]) {
      await change([...others, ...tail]);
      const picture = await pictureOf(page, reader);
      expect(await boxOf()).toEqual(before.box);
      expect(picture.differences(before.picture, before.box)).toBe(0);
      expect(picture.differences(before.picture, await boxOfRest())).toBeGreaterThan(1000);
    }
  });
});

const luminance = ([r, g, b]: readonly [number, number, number]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
const lightest = (pixels: readonly (readonly [number, number, number])[]) => pixels.reduce((a, b) => (luminance(b) > luminance(a) ? b : a));
const darkest = (pixels: readonly (readonly [number, number, number])[]) => pixels.reduce((a, b) => (luminance(b) < luminance(a) ? b : a));

describe.each(THEMES)('on the overview, in the %s theme,', (theme) => {
  test.each(['healthy', 'degraded'] as const)(
    'the verdict %s can be read, and its mark stands out, in every kind of vision',
    async (verdict) => {
      const { status } = largeCluster({ groups: 3, proxies: 2 });
      const causes = [
        {
          severity: 'problem' as const,
          text: 'proxy proxy_1 is lost',
          object: { kind: 'proxy' as const, id: 'proxy_1' },
          since: status.since,
          try: [],
        },
      ];
      await page.goto(`${api.url}/c/large/`);
      await page.locator('.verdict').waitFor();
      const told = { ...status, verdict, causes: verdict === 'healthy' ? [] : causes };
      api.send('status', { at: status.readAt, status: told, groups: [], gone: [] });
      await page.locator(verdict === 'healthy' ? '.verdict.ok' : '.verdict.error').waitFor();
      await page.evaluate((name) => {
        document.documentElement.dataset['theme'] = name;
      }, theme);
      for (const vision of EVERY) {
        await seeAs(page, vision);
        const box = (await page.locator('.verdict').boundingBox())!;
        const chip = (await page.locator('.verdict .chip').first().boundingBox())!;
        const picture = await pictureOf(page, reader);
        const inside = picture.pixels(box, 8);
        expect(contrast(lightest(inside), darkest(inside)), `${vision}: the sentence`).toBeGreaterThan(7);
        const word = picture.pixels(chip, 3);
        expect(contrast(lightest(word), darkest(word)), `${vision}: the word`).toBeGreaterThan(4.5);
        const mark = mean(picture.pixels({ x: box.x + 1, y: box.y + 12, width: 4, height: box.height - 24 }));
        const beside = mean(picture.pixels({ x: box.x - 6, y: box.y + 12, width: 4, height: box.height - 24 }));
        expect(contrast(mark, beside), `${vision}: the mark`).toBeGreaterThan(3);
      }
      await seeAs(page, 'none');
    },
  );
});
