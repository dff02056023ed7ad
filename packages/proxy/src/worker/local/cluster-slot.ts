// Which of Redis Cluster's 16384 slots a key is in, as cluster clients compute it. These have nothing to do with our slots (config/model/slot-hash.ts): they
// only decide which proxy a cluster client sends a key to, and any proxy serves any key.

export const CLUSTER_SLOT_COUNT = 16_384;

const OPEN = 0x7b;
const CLOSE = 0x7d;

/** CRC-16/XMODEM (polynomial 0x1021, not reflected). */
const CRC_TABLE = new Uint16Array(256).map((_, index) => {
  let crc = index << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** An empty tag is no tag here: `a{}b` is hashed whole. Source: Redis 7.0 cluster.c, keyHashSlot(). */
export function clusterSlotOf(key: Uint8Array): number {
  const open = key.indexOf(OPEN);
  const close = open < 0 ? -1 : key.indexOf(CLOSE, open + 1);
  return close > open + 1 ? crc16(key, open + 1, close) % CLUSTER_SLOT_COUNT : crc16(key, 0, key.length) % CLUSTER_SLOT_COUNT;
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0;
  for (let at = start; at < end; at++) {
    crc = ((crc << 8) & 0xffff) ^ (CRC_TABLE[(crc >>> 8) ^ (bytes[at] as number)] as number);
  }
  return crc;
}
