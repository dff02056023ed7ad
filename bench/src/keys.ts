// The keys that move: what DEBUG POPULATE makes, so that a million of them is there within seconds and their names need not be asked for.

import { type Slot, slotOf } from '@codis/config/model';
import type { Redis } from 'ioredis';

const VALUE_BYTES = 100;

/** Names of the first `count` keys. */
export function keyNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `key:${index}`);
}

/** Those of slots 0..`last`, in the order given. */
export function namesInSlots(names: readonly string[], last: Slot): string[] {
  return names.filter((name) => slotOf(Buffer.from(name)) <= last);
}

/** In another order, always the same for one `seed`: keys that lie one after the other in a server's memory leave it a third faster, and nobody who has to find
 *  them meets them so. */
export function shuffled(names: readonly string[], seed: number): string[] {
  const order = [...names];
  let state = seed;
  for (let left = order.length; left > 1; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const picked = Math.floor((state / 2 ** 32) * left--);
    [order[left], order[picked]] = [order[picked] as string, order[left] as string];
  }
  return order;
}

/** Empties the server and makes `count` keys of 100 bytes there. */
export async function populate(redis: Redis, count: number): Promise<void> {
  await redis.flushall();
  await redis.call('DEBUG', ['POPULATE', String(count), 'key', String(VALUE_BYTES)]);
}

/** A command as RESP, of words in ASCII. */
export function encodeCommand(words: readonly string[]): Buffer {
  return Buffer.from(commandText(words), 'latin1');
}

/** The same as text. */
export function commandText(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}
