// Tables: headers that stay, numbers to the right, and what belongs there when nothing is there. Of long ones the rest is shown on request: rows keep their place.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

const ROWS_FIRST = 200;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  readonly numeric?: boolean;
}

interface TableProps<Row> {
  /** What is in it, for who can't see that. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  readonly empty: ComponentChildren;
}

export function Table<Row>({ caption, columns, rows, rowKey, empty }: TableProps<Row>) {
  const limit = useSignal(ROWS_FIRST);
  if (rows.length === 0) return <>{empty}</>;
  const left = rows.length - limit.value;
  return (
    <div class="table-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard. */}
      <section class="table-scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption class="visually-hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map(({ title, numeric }) => (
                <th key={title} scope="col" class={numeric ? 'number' : undefined}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, limit.value).map((row) => (
              <tr key={rowKey(row)}>
                {columns.map(({ title, cell, numeric }) => (
                  <td key={title} class={numeric ? 'number' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {left <= 0 ? null : (
        <button
          type="button"
          onClick={() => {
            limit.value += ROWS_FIRST;
          }}
        >
          Show {Math.min(left, ROWS_FIRST)} more of {left}
        </button>
      )}
    </div>
  );
}
