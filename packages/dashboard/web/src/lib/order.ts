// Rows that are live keep their place: nothing moves under the pointer until the order is asked for anew. Pure.

/** `rows` in the order of `order`; those that are not in it come last, as they stand in `rows`. */
export function keepOrder<Row>(rows: readonly Row[], key: (row: Row) => string, order: readonly string[]): Row[] {
  const places = new Map(order.map((name, place) => [name, place]));
  const placeOf = (row: Row) => places.get(key(row)) ?? order.length;
  return rows.toSorted((a, b) => placeOf(a) - placeOf(b));
}
