// The picture of time × slot: painted on a canvas, walked by keyboard, zoomed by dragging. Knows places in it, not what they mean.
//
//        firstMinute                     lastMinute
//   ▌ ┌──────────────────────────────────────────┐ firstRow      ▌: the groups, where rows are by group
//   ▌ │            ┌─────┐ brush          ┼ cursor │
//   ▌ └────────────┴─────┴──────────────────────┘ lastRow

import { type Place, type Window, windowAt } from '../lib/heat.ts';

export interface HeatEvents {
  readonly onLook: (place: Place, how: 'pointer' | 'keyboard') => void;
  readonly onOpen: (place: Place) => void;
  /** Null: all of it again. */
  readonly onZoom: (window: Window | null) => void;
}

/** What to paint: `colours` of each level as it lies in memory, and `bands` from row to row. */
export interface HeatPicture {
  readonly window: Window;
  readonly raster: (size: { width: number; height: number }) => Uint8Array;
  /** Which place a point is painted as that stands for all of these. */
  readonly pick: (point: Window) => Place;
  readonly colours: Uint32Array;
  /** Of what is not known: painted as a hatch on the first of the two. */
  readonly unknown: readonly [number, number];
  readonly bands: readonly { readonly firstRow: number; readonly lastRow: number; readonly colour: string }[];
}

const HEIGHT = 512;
const BAND = 8;
const UNKNOWN = 255;
/** A pointer that moved less has not dragged. */
const DRAG_PX = 5;
const PAGE_ROWS = 32;

export class HeatCanvas {
  readonly element = document.createElement('canvas');
  readonly #events: HeatEvents;
  #picture: HeatPicture | null = null;
  #image: ImageData | null = null;
  #cursor: Place | null = null;
  #anchor: Place | null = null;
  #pressed: { readonly x: number; readonly y: number } | null = null;

  constructor(label: string, events: HeatEvents) {
    this.#events = events;
    const { element } = this;
    element.className = 'heat';
    element.tabIndex = 0;
    element.setAttribute('role', 'application');
    element.setAttribute('aria-label', label);
    element.addEventListener('keydown', (event) => this.#onKey(event));
    element.addEventListener('pointerdown', (event) => this.#onDown(event));
    element.addEventListener('pointermove', (event) => this.#onMove(event));
    element.addEventListener('pointerup', (event) => this.#onUp(event));
    element.addEventListener('pointercancel', () => this.#letGo());
  }

  paint(picture: HeatPicture): void {
    this.#picture = picture;
    const scale = Math.min(2, devicePixelRatio);
    const width = Math.max(1, Math.round((this.element.clientWidth || 600) * scale));
    const height = Math.round(HEIGHT * scale);
    if (this.element.width !== width || this.element.height !== height) Object.assign(this.element, { width, height });
    const left = this.#left(picture);
    const size = { width: Math.max(1, width - left), height };
    this.#image = imageOf(picture, size);
    this.#overlay();
  }

  #left(picture: HeatPicture): number {
    return picture.bands.length === 0 ? 0 : Math.round(BAND * Math.min(2, devicePixelRatio)) + 2;
  }

  /** The picture as it is kept, and over it what moves. */
  #overlay(): void {
    const context = this.element.getContext('2d');
    const picture = this.#picture;
    if (context === null || picture === null || this.#image === null) return;
    const left = this.#left(picture);
    context.clearRect(0, 0, this.element.width, this.element.height);
    context.putImageData(this.#image, left, 0);
    for (const { firstRow, lastRow, colour } of picture.bands) {
      const [top, bottom] = [this.#y(firstRow), this.#y(lastRow + 1)];
      context.fillStyle = colour;
      context.fillRect(0, top, left - 2, Math.max(1, bottom - top - 1));
    }
    if (this.#cursor === null) return;
    const [from, to] = this.#anchor === null ? [this.#cursor, this.#cursor] : [this.#anchor, this.#cursor];
    const [x, y] = [this.#x(Math.min(from.minute, to.minute)), this.#y(Math.min(from.row, to.row))];
    const [right, bottom] = [this.#x(Math.max(from.minute, to.minute) + 1), this.#y(Math.max(from.row, to.row) + 1)];
    // Seen on any colour: dark around light.
    for (const [style, width] of [
      ['#000', 4],
      ['#fff', 2],
    ] as const) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.strokeRect(x - 1, y - 1, Math.max(4, right - x + 2), Math.max(4, bottom - y + 2));
    }
  }

  #x(minute: number): number {
    const { window, left } = this.#frame();
    return left + ((minute - window.firstMinute) / (window.lastMinute - window.firstMinute + 1)) * (this.element.width - left);
  }

  #y(row: number): number {
    const { window } = this.#frame();
    return ((row - window.firstRow) / (window.lastRow - window.firstRow + 1)) * this.element.height;
  }

  #frame(): { window: Window; left: number } {
    const picture = this.#picture;
    if (picture === null) return { window: { firstMinute: 0, lastMinute: 0, firstRow: 0, lastRow: 0 }, left: 0 };
    return { window: picture.window, left: this.#left(picture) };
  }

  /** Between the points of the picture too, for edges. */
  #placeAt(event: PointerEvent): Place {
    const { window, left } = this.#frame();
    const { x, y } = this.#pointAt(event);
    const minute = window.firstMinute + Math.floor((x / (this.element.width - left)) * (window.lastMinute - window.firstMinute + 1));
    const row = window.firstRow + Math.floor((y / this.element.height) * (window.lastRow - window.firstRow + 1));
    return within({ minute, row }, window);
  }

  /** What one sees there: where several places share a point, the one that it is painted as. */
  #seenAt(event: PointerEvent): Place {
    if (this.#picture === null) return { minute: 0, row: 0 };
    const { window, left } = this.#frame();
    const size = { width: this.element.width - left, height: this.element.height };
    const { x, y } = this.#pointAt(event);
    const point = { x: clamp(Math.floor(x), 0, size.width - 1), y: clamp(Math.floor(y), 0, size.height - 1) };
    return this.#picture.pick(windowAt(window, size, point));
  }

  #pointAt(event: PointerEvent): { x: number; y: number } {
    const box = this.element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.element.width - this.#frame().left;
    return { x, y: ((event.clientY - box.top) / box.height) * this.element.height };
  }

  #onDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.#pressed = { x: event.clientX, y: event.clientY };
    this.#anchor = this.#placeAt(event);
    this.#moveTo(this.#anchor, 'pointer');
  }

  #onMove(event: PointerEvent): void {
    this.#moveTo(this.#pressed === null ? this.#seenAt(event) : this.#placeAt(event), 'pointer');
  }

  #onUp(event: PointerEvent): void {
    const pressed = this.#pressed;
    const anchor = this.#anchor;
    this.#letGo();
    if (pressed === null || anchor === null) return;
    const dragged = Math.max(Math.abs(event.clientX - pressed.x), Math.abs(event.clientY - pressed.y)) >= DRAG_PX;
    if (dragged) this.#events.onZoom(between(anchor, this.#placeAt(event)));
    else this.#events.onOpen(this.#seenAt(event));
  }

  #letGo(): void {
    this.#pressed = null;
    this.#anchor = null;
    this.#overlay();
  }

  #moveTo(place: Place, how: 'pointer' | 'keyboard'): void {
    this.#cursor = place;
    this.#overlay();
    this.#events.onLook(place, how);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.metaKey || event.ctrlKey || this.#picture === null) return;
    const { window } = this.#picture;
    const cursor = within(this.#cursor ?? { minute: window.lastMinute, row: window.firstRow }, window);
    const next = stepped(event.key, cursor, window);
    if (next !== null) {
      this.#anchor = event.shiftKey ? (this.#anchor ?? cursor) : null;
      this.#moveTo(within(next, window), 'keyboard');
    } else if (event.key === 'Enter') this.#enter(cursor);
    else if (event.key === '+' || event.key === '=') this.#events.onZoom(scaled(window, cursor, 0.5));
    else if (event.key === '-') this.#events.onZoom(scaled(window, cursor, 2));
    else if (event.key === 'Escape' && this.#anchor !== null) this.#letGo();
    else if (event.key === 'Escape') this.#events.onZoom(null);
    else return;
    event.preventDefault();
  }

  #enter(cursor: Place): void {
    const anchor = this.#anchor;
    this.#letGo();
    if (anchor === null) this.#events.onOpen(cursor);
    else this.#events.onZoom(between(anchor, cursor));
  }
}

function imageOf({ raster, colours, unknown }: HeatPicture, size: { width: number; height: number }): ImageData {
  const image = new ImageData(size.width, size.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (const [at, level] of raster(size).entries()) {
    const hatched = ((at % size.width) + Math.floor(at / size.width)) % 8 < 2;
    pixels[at] = level === UNKNOWN ? unknown[hatched ? 1 : 0] : (colours[level] ?? 0);
  }
  return image;
}

function within({ minute, row }: Place, { firstMinute, lastMinute, firstRow, lastRow }: Window): Place {
  return { minute: clamp(minute, firstMinute, lastMinute), row: clamp(row, firstRow, lastRow) };
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

function between(a: Place, b: Place): Window {
  return {
    firstMinute: Math.min(a.minute, b.minute),
    lastMinute: Math.max(a.minute, b.minute),
    firstRow: Math.min(a.row, b.row),
    lastRow: Math.max(a.row, b.row),
  };
}

/** Twice as close, or as far, around a place; who is asked to show it cuts off what there is not. */
function scaled({ firstMinute, lastMinute, firstRow, lastRow }: Window, { minute, row }: Place, by: number): Window {
  const minutes = Math.ceil(((lastMinute - firstMinute + 1) * by) / 2);
  const rows = Math.ceil(((lastRow - firstRow + 1) * by) / 2);
  return { firstMinute: minute - minutes, lastMinute: minute + minutes - 1, firstRow: row - rows, lastRow: row + rows - 1 };
}

/** Where a key leads; null for other keys. */
function stepped(key: string, { minute, row }: Place, { firstMinute, lastMinute }: Window): Place | null {
  switch (key) {
    case 'ArrowLeft':
      return { minute: minute - 1, row };
    case 'ArrowRight':
      return { minute: minute + 1, row };
    case 'ArrowUp':
      return { minute, row: row - 1 };
    case 'ArrowDown':
      return { minute, row: row + 1 };
    case 'Home':
      return { minute: firstMinute, row };
    case 'End':
      return { minute: lastMinute, row };
    case 'PageUp':
      return { minute, row: row - PAGE_ROWS };
    case 'PageDown':
      return { minute, row: row + PAGE_ROWS };
    default:
      return null;
  }
}
