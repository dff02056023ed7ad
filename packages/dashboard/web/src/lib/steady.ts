// Rows that stay where they are while somebody points at them. Pure.

export interface Steady<Row> {
  /** In the order in which they were shown, each as it is now. Who is gone is gone. */
  readonly rows: readonly Row[];
  /** How many are not shown yet. */
  readonly newCount: number;
  /** Whether those that are shown would stand in another order now. */
  readonly isReordered: boolean;
}

/** `shown`: keys, in the order in which they stand on the page. */
export function steady<Row>(shown: readonly string[], rows: readonly Row[], keyOf: (row: Row) => string): Steady<Row> {
  const now = new Map(rows.map((row) => [keyOf(row), row]));
  const kept = shown.flatMap((key) => now.get(key) ?? []);
  const known = new Set(shown);
  const old = rows.filter((row) => known.has(keyOf(row)));
  return { rows: kept, newCount: rows.length - old.length, isReordered: old.some((row, index) => row !== kept[index]) };
}
