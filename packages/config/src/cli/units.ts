// Numbers as people read them.

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const COUNT_UNITS = ['', 'k', 'M', 'G', 'T'];
/** Shorter ones are written out. */
const COUNT_PLAIN_MAX = 9999;

/** `1.2 MiB`. */
export function bytesText(bytes: number): string {
  const power = bytePower(bytes);
  return `${byteNumber(bytes, power)} ${BYTE_UNITS[power]}`;
}

/** `1.9/4.6 GiB`, in the unit of the whole. */
export function bytesOfText(part: number, whole: number): string {
  const power = bytePower(Math.max(part, whole));
  return `${byteNumber(part, power)}/${byteNumber(whole, power)} ${BYTE_UNITS[power]}`;
}

function bytePower(bytes: number): number {
  return bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
}

function byteNumber(bytes: number, power: number): string {
  return power === 0 ? String(Math.round(bytes)) : (bytes / 1024 ** power).toFixed(1);
}

/** `3.1M`; up to four digits as it is. */
export function countText(count: number): string {
  if (count <= COUNT_PLAIN_MAX) return String(count);
  const power = Math.min(COUNT_UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(1)}${COUNT_UNITS[power]}`;
}

/** `hh:mm:ss`. */
export function clockText(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(seconds / 3600)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** `about 5 s`. */
export function durationText(durationMs: number): string {
  if (durationMs < 1000) return 'less than a second';
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 120) return `about ${seconds} s`;
  return seconds < 7200 ? `about ${Math.round(seconds / 60)} min` : `about ${(seconds / 3600).toFixed(1)} h`;
}
