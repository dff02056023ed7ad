// Which slot a key lives in. Runs once per key of every command, so: bytes only, a table, no copies.
//
//   slot = crc32(tag) % 1024, CRC-32/IEEE (reflected, polynomial 0xEDB88320), where the tag is what stands between the
//   first `{` and the first `}` after it, and the whole key when there is no such pair.

import { SLOT_COUNT, type Slot } from './ids.ts';

const OPEN = 0x7b;
const CLOSE = 0x7d;

const CRC_TABLE = new Int32Array(256).map((_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** What a byte becomes with one, two and three bytes behind it: so four bytes are taken in a step, instead of each waiting for the one before. */
const CRC_TABLE_1 = CRC_TABLE.map(behindZero);
const CRC_TABLE_2 = CRC_TABLE_1.map(behindZero);
const CRC_TABLE_3 = CRC_TABLE_2.map(behindZero);

function behindZero(crc: number): number {
  return (CRC_TABLE[crc & 0xff] as number) ^ (crc >>> 8);
}

/** CRC-32/IEEE of the bytes [start, end) of `bytes`, as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    crc =
      (CRC_TABLE_3[(crc ^ (bytes[at] as number)) & 0xff] as number) ^
      (CRC_TABLE_2[((crc >>> 8) ^ (bytes[at + 1] as number)) & 0xff] as number) ^
      (CRC_TABLE_1[((crc >>> 16) ^ (bytes[at + 2] as number)) & 0xff] as number) ^
      (CRC_TABLE[(crc >>> 24) ^ (bytes[at + 3] as number)] as number);
  }
  for (; at < end; at++) {
    crc = (CRC_TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return (crc ^ -1) >>> 0;
}

/** Slot of the key that stands at [start, end) of `bytes`; nothing is copied.
 *  An empty tag hashes the empty string: `a{}b` is slot 0, where Redis Cluster would hash the whole key.
 *  Source: Codis 3.2 pkg/proxy/mapper.go, Hash() and Codis 2.0 pkg/proxy/router/mapper.go. */
export function slotOf(bytes: Uint8Array, start = 0, end = bytes.length): Slot {
  // As crc32, of the whole key, as long as no byte of it may begin a tag.
  let crc = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const byte = bytes[at] as number;
    const byte1 = bytes[at + 1] as number;
    const byte2 = bytes[at + 2] as number;
    const byte3 = bytes[at + 3] as number;
    if (byte === OPEN || byte1 === OPEN || byte2 === OPEN || byte3 === OPEN) return slotOfTagged(bytes, start, end);
    crc =
      (CRC_TABLE_3[(crc ^ byte) & 0xff] as number) ^
      (CRC_TABLE_2[((crc >>> 8) ^ byte1) & 0xff] as number) ^
      (CRC_TABLE_1[((crc >>> 16) ^ byte2) & 0xff] as number) ^
      (CRC_TABLE[(crc >>> 24) ^ byte3] as number);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte === OPEN) return slotOfTagged(bytes, start, end);
    crc = (CRC_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
  }
  return (~crc & (SLOT_COUNT - 1)) as Slot;
}

/** The same of a key in which a tag may begin. */
function slotOfTagged(bytes: Uint8Array, start: number, end: number): Slot {
  let open = start;
  while (bytes[open] !== OPEN) open++;
  for (let close = open + 1; close < end; close++) {
    if (bytes[close] === CLOSE) return (crc32(bytes, open + 1, close) & (SLOT_COUNT - 1)) as Slot;
  }
  return (crc32(bytes, start, end) & (SLOT_COUNT - 1)) as Slot;
}
