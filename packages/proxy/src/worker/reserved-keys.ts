// The names that are no keys of the clients': the marker of a fence (DESIGN §3), which written by one of them would shut proxies out, and the copies of big keys. All are in
// one slot.

import { fenceKey, reservedNames, slotOf } from '@codis/config/model';
import type { Command } from '../commands/command.ts';
import { extractKeys, keyArgs } from '../commands/key-specs.ts';
import type { Frame } from '../resp/request-scanner.ts';

export class ReservedKeys {
  readonly slot: number;
  readonly #has: ReturnType<typeof reservedNames>;

  constructor(product: string) {
    this.slot = slotOf(Buffer.from(fenceKey(product)));
    this.#has = reservedNames(product);
  }

  /** Whether one of the keys of a request is one. */
  areNamed(command: Command, frame: Frame): boolean {
    extractKeys(command.keys, frame);
    for (let key = 0; key < keyArgs.count; key++) {
      const arg = (keyArgs.list[key] as number) * 2;
      if (this.#has(frame.buf, frame.args[arg] as number, frame.args[arg + 1] as number)) return true;
    }
    return false;
  }
}
