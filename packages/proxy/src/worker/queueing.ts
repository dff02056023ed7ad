// What may be queued after MULTI. A transaction runs on one server and moves with one slot, so its commands must be about keys of that slot, or about
// nothing that the proxy keeps to itself.

import type { Command } from '../commands/command.ts';
import { keysError } from '../commands/key-errors.ts';
import { extractKeys, KEYS_OK, keyArgs } from '../commands/key-specs.ts';
import { CROSSSLOT, errorReply } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import type { Router } from './router.ts';

/** Answered by the server of the transaction, as it would by the proxy. A message published at any server reaches all subscribers. WAIT does not wait there. */
const WITHOUT_KEYS: ReadonlySet<string> = new Set(['ping', 'echo', 'time', 'unwatch', 'publish', 'spublish', 'wait', 'waitaof']);
/** They may have no key at all: then they run where the transaction does. */
const SCRIPTS: ReadonlySet<string> = new Set(['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro']);
const NO_MULTI = errorReply('ERR Command not allowed inside a transaction');

/** The error for a command that can't be queued in a transaction about `slot` (-1: none yet); else the slot of its keys, -1 when it has none. */
export function whyNotQueued(router: Router, slot: number, command: Command, frame: Frame): Buffer | number {
  if (WITHOUT_KEYS.has(command.name)) return -1;
  if (command.flags.includes('no_multi')) return NO_MULTI;
  const kind = command.class;
  switch (kind.kind) {
    case 'slot':
    case 'split':
    case 'script':
    case 'blocking': {
      if (SCRIPTS.has(command.name) && !hasKeys(command, frame)) return withoutKeys(command, frame);
      const found = router.slotFor(command, frame);
      if (Buffer.isBuffer(found)) return found;
      return slot >= 0 && found !== slot ? CROSSSLOT : found;
    }
    case 'any':
      return -1;
    case 'later':
    case 'refused':
      return errorReply(`ERR '${command.name}' can't go through the proxy: ${kind.why}`);
    case 'local':
    case 'masters':
    case 'pubsub':
    case 'transaction':
      return errorReply(
        `ERR '${command.name.replace('|', ' ')}' can't be part of a transaction through the proxy, which has keys of one slot`,
      );
  }
}

function hasKeys(command: Command, frame: Frame): boolean {
  return extractKeys(command.keys, frame) === KEYS_OK && keyArgs.count > 0;
}

function withoutKeys(command: Command, frame: Frame): Buffer | number {
  const result = extractKeys(command.keys, frame);
  return result === KEYS_OK ? -1 : keysError(command, frame, result);
}
