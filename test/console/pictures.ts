// What is really painted: the pixels of a screenshot, and the page as other eyes see it.

import type { Page } from 'playwright-core';
import { type Colour, linear } from '../harness/oklab.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export class Picture {
  readonly #width: number;
  readonly #bytes: Uint8ClampedArray;

  constructor(width: number, bytes: Uint8ClampedArray) {
    this.#width = width;
    this.#bytes = bytes;
  }

  /** Row by row; `inset` pixels of each edge are left out. */
  pixels(box: Box, inset = 0): Colour[] {
    const found: Colour[] = [];
    for (let y = Math.ceil(box.y) + inset; y < Math.floor(box.y + box.height) - inset; y++) {
      for (let x = Math.ceil(box.x) + inset; x < Math.floor(box.x + box.width) - inset; x++) found.push(this.#at(x, y));
    }
    return found;
  }

  /** How many pixels of a box are not the same in another picture, bit by bit. */
  differences(other: Picture, box: Box): number {
    let count = 0;
    for (let y = Math.ceil(box.y); y < Math.floor(box.y + box.height); y++) {
      for (let x = Math.ceil(box.x); x < Math.floor(box.x + box.width); x++) {
        const [mine, theirs] = [(y * this.#width + x) * 4, (y * other.#width + x) * 4];
        if ([0, 1, 2].some((channel) => this.#bytes[mine + channel] !== other.#bytes[theirs + channel])) count++;
      }
    }
    return count;
  }

  #at(x: number, y: number): Colour {
    const at = (y * this.#width + x) * 4;
    return [0, 1, 2].map((channel) => linear((this.#bytes[at + channel] ?? 0) / 255)) as unknown as Colour;
  }
}

export function mean(colours: readonly Colour[]): Colour {
  const sum = (channel: 0 | 1 | 2) => colours.reduce((total, colour) => total + colour[channel], 0) / colours.length;
  return [sum(0), sum(1), sum(2)];
}

/** Of what is in sight. `reader` is an empty page that reads it: browsers have a decoder. */
export async function pictureOf(page: Page, reader: Page): Promise<Picture> {
  const png = await page.screenshot({ animations: 'disabled' });
  const { width, base64 } = await reader.evaluate(async (text) => {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context?.drawImage(image, 0, 0);
    const pixels = context?.getImageData(0, 0, image.width, image.height).data ?? [];
    const parts: string[] = [];
    for (let at = 0; at < pixels.length; at += 8192) parts.push(String.fromCharCode(...pixels.slice(at, at + 8192)));
    return { width: image.width, base64: btoa(parts.join('')) };
  }, png.toString('base64'));
  return new Picture(width, new Uint8ClampedArray(Buffer.from(base64, 'base64')));
}

export type VisionName = 'none' | 'deuteranopia' | 'protanopia' | 'tritanopia' | 'achromatopsia';

export async function seeAs(page: Page, type: VisionName): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setEmulatedVisionDeficiency', { type });
  await session.detach();
}
