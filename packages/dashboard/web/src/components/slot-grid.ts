// The 32x32 grid of slots as DOM: painted by differences, walked by keyboard, selected by drag. Made by hand and not by the renderer, for a
// change of a few slots must cost no more than these slots.

import type { CellPaint } from '../lib/slot-paint.ts';
import { SLOT_COUNT } from '../lib/slots.ts';

const SIDE = 32;
const PAGE_ROWS = 8;

export interface GridEvents {
  /** It was clicked, or Enter was pressed on it. */
  readonly onOpen: (slot: number) => void;
  readonly onSelect: (selection: ReadonlySet<number>) => void;
  /** The pointer or the keyboard is on it. */
  readonly onLook: (slot: number) => void;
}

export class SlotGrid {
  readonly element: HTMLElement;
  readonly #cells: HTMLElement[] = [];
  readonly #painted: CellPaint[] = [];
  readonly #events: GridEvents;
  #selection: ReadonlySet<number> = new Set();
  #focused = 0;
  #anchor = 0;
  /** Where a drag began and what was selected before it; null outside of one. */
  #drag: { readonly from: number; readonly base: ReadonlySet<number>; moved: boolean } | null = null;

  constructor(label: string, events: GridEvents) {
    this.#events = events;
    this.element = document.createElement('div');
    this.element.className = 'slot-grid';
    setAttributes(this.element, { role: 'grid', 'aria-label': label, 'aria-multiselectable': 'true' });
    for (let row = 0; row < SIDE; row++) this.element.append(this.#row(row));
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('pointerdown', (event) => this.#onDown(event));
    this.element.addEventListener('pointerover', (event) => this.#onOver(event));
    this.element.addEventListener('pointerup', (event) => this.#onUp(event));
    this.element.addEventListener('pointercancel', () => {
      this.#drag = null;
    });
  }

  /** Touches only cells that differ from what was painted last. */
  paint(cells: readonly CellPaint[]): void {
    for (const [slot, cell] of cells.entries()) {
      const before = this.#painted[slot];
      const element = this.#cells[slot];
      if (element === undefined) continue;
      if (before?.look !== cell.look) element.className = cell.look;
      if (before?.label !== cell.label) element.setAttribute('aria-label', cell.label);
      if ((before?.text ?? '') !== cell.text) element.dataset['run'] = cell.text;
      this.#painted[slot] = cell;
    }
  }

  select(selection: ReadonlySet<number>): void {
    for (const slot of this.#selection) if (!selection.has(slot)) this.#cells[slot]?.setAttribute('aria-selected', 'false');
    for (const slot of selection) this.#cells[slot]?.setAttribute('aria-selected', 'true');
    this.#selection = selection;
  }

  /** Has the keyboard begin there. */
  goTo(slot: number): void {
    this.#anchor = slot;
    this.#focus(slot);
  }

  #focus(slot: number): void {
    this.#cells[this.#focused]?.setAttribute('tabindex', '-1');
    this.#focused = slot;
    this.#cells[slot]?.setAttribute('tabindex', '0');
    this.#cells[slot]?.focus();
    this.#events.onLook(slot);
  }

  #row(row: number): HTMLElement {
    const element = document.createElement('div');
    setAttributes(element, { role: 'row', class: 'slot-row' });
    for (let column = 0; column < SIDE; column++) {
      const slot = row * SIDE + column;
      const cell = document.createElement('div');
      const tabindex = slot === 0 ? '0' : '-1';
      setAttributes(cell, { role: 'gridcell', tabindex, 'data-slot': String(slot), 'aria-selected': 'false' });
      this.#cells.push(cell);
      element.append(cell);
    }
    return element;
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.metaKey) return;
    const next = steps(event, this.#focused);
    if (next !== null) {
      event.preventDefault();
      if (event.shiftKey) this.#change(rangeOf(this.#anchor, next));
      else this.#anchor = next;
      this.#focus(next);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#events.onOpen(this.#focused);
    } else if (event.key === ' ') {
      event.preventDefault();
      this.#anchor = this.#focused;
      this.#change(toggled(this.#selection, this.#focused));
    } else if (event.key === 'Escape' && this.#selection.size > 0) {
      event.stopPropagation();
      this.#change(new Set());
    }
  }

  #onDown(event: PointerEvent): void {
    const slot = slotAt(event);
    if (slot === null || event.button !== 0) return;
    if (event.shiftKey) {
      event.preventDefault();
      this.#change(rangeOf(this.#anchor, slot));
      this.#focus(slot);
      return;
    }
    const keeps = event.ctrlKey || event.metaKey;
    this.#anchor = slot;
    this.#drag = { from: slot, base: keeps ? this.#selection : new Set(), moved: keeps };
    if (keeps) this.#change(toggled(this.#selection, slot));
  }

  #onOver(event: PointerEvent): void {
    const slot = slotAt(event);
    if (slot === null) return;
    this.#events.onLook(slot);
    if (this.#drag === null || (event.buttons & 1) === 0 || slot === this.#drag.from) return;
    this.#drag.moved = true;
    this.#change(new Set([...this.#drag.base, ...rangeOf(this.#drag.from, slot)]));
  }

  #onUp(event: PointerEvent): void {
    const slot = slotAt(event);
    const drag = this.#drag;
    this.#drag = null;
    if (slot === null || drag === null) return;
    this.#focus(slot);
    if (!drag.moved && slot === drag.from) this.#events.onOpen(slot);
  }

  #change(selection: ReadonlySet<number>): void {
    this.select(selection);
    this.#events.onSelect(selection);
  }
}

/** Where a key leads from a slot; null for other keys. */
function steps({ key, ctrlKey }: KeyboardEvent, from: number): number | null {
  const column = from % SIDE;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, from - 1);
    case 'ArrowRight':
      return Math.min(SLOT_COUNT - 1, from + 1);
    case 'ArrowUp':
      return from >= SIDE ? from - SIDE : from;
    case 'ArrowDown':
      return from + SIDE < SLOT_COUNT ? from + SIDE : from;
    case 'Home':
      return ctrlKey ? 0 : from - column;
    case 'End':
      return ctrlKey ? SLOT_COUNT - 1 : from - column + SIDE - 1;
    case 'PageUp':
      return Math.max(column, from - PAGE_ROWS * SIDE);
    case 'PageDown':
      return Math.min(SLOT_COUNT - SIDE + column, from + PAGE_ROWS * SIDE);
    default:
      return null;
  }
}

function rangeOf(a: number, b: number): Set<number> {
  const [first, last] = a < b ? [a, b] : [b, a];
  return new Set(Array.from({ length: last - first + 1 }, (_, index) => first + index));
}

function toggled(selection: ReadonlySet<number>, slot: number): Set<number> {
  const next = new Set(selection);
  if (!next.delete(slot)) next.add(slot);
  return next;
}

function slotAt({ target }: Event): number | null {
  const cell = target instanceof HTMLElement ? target.closest<HTMLElement>('[data-slot]') : null;
  return cell === null ? null : Number(cell.dataset['slot']);
}

function setAttributes(element: HTMLElement, attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}
