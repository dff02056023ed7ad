// What Redis takes as a whole number in an argument: string2ll() of util.c.

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** The number that `text` is: no plus, no zeros in front, within 64 bits; undefined for anything else. */
export function wholeNumber(text: string): bigint | undefined {
  if (!/^(?:0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > INT64_MAX || value < INT64_MIN ? undefined : value;
}
