// Tables: headers that stay, numbers to the right, and what belongs there when nothing is there. Of long ones only the rows in sight are made.

import { type ComponentChildren, render } from 'preact';
import { count } from '../lib/format.ts';
import { t } from '../lib/words.ts';
import { CopyAll } from './copy.tsx';
import { useLongRows } from './long-rows.ts';

/** As many are all made, so that the browser's own search finds them. */
const ROWS_WHOLE = 200;

export interface Column<Row> {
  /** English, and translated here. */
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

export function Table<Row>(props: TableProps<Row>) {
  if (props.rows.length === 0) return <>{props.empty}</>;
  return props.rows.length > ROWS_WHOLE ? <LongTable {...props} /> : <ShortTable {...props} />;
}

function ShortTable<Row>({ caption, columns, rows, rowKey }: TableProps<Row>) {
  return (
    <div class="table-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard. */}
      <section class="table-scroll" tabIndex={0} aria-label={caption}>
        <table>
          <caption class="visually-hidden">{caption}</caption>
          <Head columns={columns} />
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)}>
                <Cells columns={columns} row={row} />
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function LongTable<Row>({ caption, columns, rows, rowKey }: TableProps<Row>) {
  const { shown, rest, sight, box, onScroll, onKeyDown } = useLongRows(rows, rowKey);
  return (
    <div class="table-box">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard. */}
      <section ref={box} class="table-scroll long" tabIndex={0} aria-label={caption} onScroll={onScroll} onKeyDown={onKeyDown}>
        <table aria-rowcount={rows.length + 1}>
          <caption class="visually-hidden">{caption}</caption>
          <Head columns={columns} rowIndex={1} />
          <tbody>
            {shown.flatMap(({ index, gap }) => {
              const row = rows[index] as Row;
              const key = rowKey(row);
              return [
                gap > 0 ? <Gap key={`before ${key}`} columns={columns.length} height={gap} /> : null,
                <tr key={key} data-index={index} aria-rowindex={index + 2}>
                  <Cells columns={columns} row={row} />
                </tr>,
              ];
            })}
            {rest > 0 ? <Gap key="rest" columns={columns.length} height={rest} /> : null}
          </tbody>
        </table>
      </section>
      <p class="table-foot">
        <span class="hint">
          {t('{first}–{last} of {total}', { first: count(sight[0] + 1), last: count(sight[1] + 1), total: count(rows.length) })}
        </span>
        <CopyAll name={caption} text={() => asText(columns, rows)} />
      </p>
    </div>
  );
}

function Head<Row>({ columns, rowIndex }: { columns: readonly Column<Row>[]; rowIndex?: number }) {
  return (
    <thead>
      <tr aria-rowindex={rowIndex}>
        {columns.map(({ title, numeric }) => (
          <th key={title} scope="col" class={numeric ? 'number' : undefined}>
            {t(title)}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Cells<Row>({ columns, row }: { columns: readonly Column<Row>[]; row: Row }) {
  return (
    <>
      {columns.map(({ title, cell, numeric }) => (
        <td key={title} class={numeric ? 'number' : undefined}>
          {cell(row)}
        </td>
      ))}
    </>
  );
}

/** Room for rows that are not made. */
function Gap({ columns, height }: { columns: number; height: number }) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row of a table, which has no focus.
    <tr class="gap" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

/** The whole table as a spreadsheet takes it: also the rows that can't be selected, for they are not in the page. */
function asText<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const place = document.createElement('div');
  const textOf = (content: ComponentChildren) => {
    render(content, place);
    const seen = place.cloneNode(true) as HTMLElement;
    for (const hidden of seen.querySelectorAll('.visually-hidden')) hidden.remove();
    return (seen.textContent ?? '').replace(/\s+/g, ' ').trim();
  };
  const lines = rows.map((row) => columns.map(({ cell }) => textOf(cell(row))));
  render(null, place);
  return [columns.map(({ title }) => t(title)), ...lines].map((cells) => `${cells.join('\t')}\n`).join('');
}
