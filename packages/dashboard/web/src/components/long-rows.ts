// Which rows of a long table are in the page: those in sight, some around them, and the one that has the focus. Once one has scrolled, what one looks at stays
// where it is when rows come before it, or turn out higher than was thought. Who must not lose a row at the top either is in a `Steady`.

import { useLayoutEffect, useMemo, useReducer, useRef } from 'preact/hooks';
import { RowHeights, type RowKey } from '../lib/row-heights.ts';

/** Kept in the page above and below what is in sight, in CSS pixels. */
const AROUND = 400;
const SIGHT_AT_FIRST = 800;
/** Of what is in sight, so much goes by with a page. */
const PAGE = 0.9;

/** What stays in place: a row, and how far the sight begins below its top, or ends above its end. Null: the top of the table. */
type Anchor = { readonly key: RowKey; readonly below: number } | { readonly key: RowKey; readonly end: true } | null;

/** Rows to make, in order, and how much room there is before each. */
export interface Shown {
  readonly index: number;
  readonly gap: number;
}

export interface LongRows {
  readonly shown: readonly Shown[];
  /** Room after the last one. */
  readonly rest: number;
  /** The first and the last in sight. */
  readonly sight: readonly [number, number];
  readonly box: { current: HTMLElement | null };
  readonly onScroll: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

export function useLongRows<Row>(rows: readonly Row[], rowKey: (row: Row) => RowKey): LongRows {
  const box = useRef<HTMLElement>(null);
  const anchor = useRef<Anchor>(null);
  /** As last heard or set. The browser may be further by now: in the middle of a movement of its own, which setting it would end. */
  const place = useRef(0);
  const [, again] = useReducer<number, undefined>((times) => times + 1, 0);
  const model = useMemo(() => new RowHeights(), []);
  const focused = focusedIn(box.current, model);
  const known = useRef<readonly Row[]>([]);
  if (!sameRows(known.current, rows)) {
    model.replace(rows.map(rowKey));
    known.current = rows;
  }
  const size = sightOf(box.current);
  const top = Math.min(topOf(anchor.current, model, size), Math.max(0, model.total - size));
  const first = model.at(top - AROUND);
  const last = model.at(top + size + AROUND);
  const shown = withGaps(model, { first, last: Math.min(last, rows.length - 1) }, focused === null ? undefined : model.indexOf(focused));
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (Math.abs(place.current - top) >= 1) {
      element.scrollTop = top;
      place.current = element.scrollTop;
    }
    keepWidths(element);
    if (model.measure(measured(element)) || sightOf(element) !== size) again(undefined);
  });
  const end = shown.at(-1)?.index ?? 0;
  return {
    shown,
    rest: model.total - model.top(end + 1),
    sight: [model.at(top), model.at(top + size - 1)],
    box,
    onScroll: () => {
      const now = box.current?.scrollTop ?? 0;
      if (Math.abs(now - place.current) < 1) return;
      place.current = now;
      anchor.current = now <= 0 ? null : anchorAt(model, now);
      again(undefined);
    },
    onKeyDown: (event) => {
      const to = event.target === box.current ? anchorOf(event, model, { top, size }) : undefined;
      if (to === undefined) return;
      event.preventDefault();
      anchor.current = to;
      again(undefined);
    },
  };
}

/** Pages filter anew at each change of anything, mostly to the same rows. */
function sameRows<Row>(a: readonly Row[], b: readonly Row[]): boolean {
  return a === b || (a.length === b.length && a.every((row, index) => row === b[index]));
}

/** Where a key leads; undefined for other keys. Not a distance, which would be off by what the rows on the way turn out to be. */
function anchorOf(event: KeyboardEvent, model: RowHeights, { top, size }: { top: number; size: number }): Anchor | undefined {
  if (event.altKey || event.metaKey || event.ctrlKey || event.shiftKey) return undefined;
  const lastKey = model.keyAt(model.at(model.total));
  switch (event.key) {
    case 'Home':
      return null;
    case 'End':
      return lastKey === undefined ? null : { key: lastKey, end: true };
    case 'PageUp':
      return top <= size ? null : anchorAt(model, top - size * PAGE);
    case 'PageDown':
      return anchorAt(model, Math.min(top + size * PAGE, model.total - size));
    default:
      return undefined;
  }
}

function topOf(anchor: Anchor, model: RowHeights, size: number): number {
  const index = anchor === null ? undefined : model.indexOf(anchor.key);
  if (anchor === null || index === undefined) return 0;
  return 'end' in anchor ? Math.max(0, model.top(index + 1) - size) : model.top(index) + anchor.below;
}

function anchorAt(model: RowHeights, y: number): Anchor {
  const index = model.at(y);
  const key = model.keyAt(index);
  return key === undefined ? null : { key, below: y - model.top(index) };
}

function withGaps(model: RowHeights, { first, last }: { first: number; last: number }, focused: number | undefined): Shown[] {
  const indexes = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
  if (focused !== undefined && focused < first) indexes.unshift(focused);
  if (focused !== undefined && focused > last) indexes.push(focused);
  return indexes.map((index, at) => ({ index, gap: model.top(index) - (at === 0 ? 0 : model.top((indexes[at - 1] ?? 0) + 1)) }));
}

/** The height in which rows can be seen. */
function sightOf(box: HTMLElement | null): number {
  if (box === null) return SIGHT_AT_FIRST;
  return box.clientHeight - (box.querySelector('thead')?.offsetHeight ?? 0);
}

/** The row that has the focus, or in which something has. */
function focusedIn(box: HTMLElement | null, model: RowHeights): RowKey | null {
  const row = box?.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>('tr[data-index]') : null;
  return (row && model.keyAt(Number(row.dataset['index']))) ?? null;
}

function measured(box: HTMLElement): { index: number; height: number }[] {
  return Array.from(box.querySelectorAll<HTMLElement>('tr[data-index]'), (row) => ({
    index: Number(row.dataset['index']),
    height: row.getBoundingClientRect().height,
  }));
}

/** Columns only grow: they must not jump about while rows pass. Until the table itself gets another width. */
function keepWidths(box: HTMLElement): void {
  const width = String(box.clientWidth);
  const heads = Array.from(box.querySelectorAll<HTMLElement>('thead th'));
  if (box.dataset['width'] !== width) {
    box.dataset['width'] = width;
    for (const head of heads) head.style.minWidth = '';
  }
  const found = heads.map((head) => head.getBoundingClientRect().width);
  for (const [index, head] of heads.entries()) {
    const wanted = Math.floor(found[index] ?? 0);
    if (wanted > Number.parseFloat(head.style.minWidth || '0')) head.style.minWidth = `${wanted}px`;
  }
}
