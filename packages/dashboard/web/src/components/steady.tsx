// A live list in which nothing moves under the pointer: while it is pointed at, or has the focus, rows keep their places and new ones wait, until somebody asks for the order of now.

import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { plural } from '../lib/format.ts';
import { steady } from '../lib/steady.ts';
import { t } from '../lib/words.ts';

interface SteadyProps<Row> {
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly children: (rows: readonly Row[]) => ComponentChildren;
}

export function Steady<Row>({ rows, rowKey, children }: SteadyProps<Row>) {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [, redraw] = useState(0);
  const shown = useRef<readonly string[]>([]);
  const isHeld = (isPointed || isFocused) && shown.current.length > 0;
  const view = isHeld ? steady(shown.current, rows, rowKey) : { rows, newCount: 0, isReordered: false };
  if (!isHeld) shown.current = rows.map(rowKey);
  const refresh = () => {
    shown.current = rows.map(rowKey);
    // The button goes away, and with it the focus.
    setFocused(false);
    redraw((count) => count + 1);
  };
  return (
    <div
      class="steady"
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocusIn={() => setFocused(true)}
      onFocusOut={() => setFocused(false)}
    >
      {view.newCount > 0 || view.isReordered ? (
        <button type="button" class="steady-note" onClick={refresh}>
          {view.newCount > 0 ? t('Show {lines}', { lines: plural(view.newCount, 'new line') }) : t('Refresh order')}
        </button>
      ) : null}
      {children(view.rows)}
    </div>
  );
}
