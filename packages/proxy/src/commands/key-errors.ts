// What is wrong with a request whose keys can't be found, in Redis's own words. Redis finds it out before it looks at any key, so no server has to be asked.
//
// Sources: t_zset.c, t_set.c, t_list.c, t_stream.c, eval.c and functions.c of Redis 7.0. One difference: FCALL of a function that is not there is found out
// by the server, and a number of keys that can't be right before that.

import { errorReply, NOT_AN_INTEGER, SYNTAX_ERROR } from '../resp/replies.ts';
import type { Frame } from '../resp/request-scanner.ts';
import { wholeNumber } from '../resp/whole-number.ts';
import type { Command } from './command.ts';
import { KEYS_BAD, KEYS_BLOCKING, KEYS_PATTERN, type KeysResult } from './key-specs.ts';
import { deniedOption } from './sort-patterns.ts';

const NUMKEYS_NOT_POSITIVE = errorReply('ERR numkeys should be greater than 0');
const NUMKEYS_TOO_LARGE = errorReply("ERR Number of keys can't be greater than number of args");
const NUMKEYS_NEGATIVE = errorReply("ERR Number of keys can't be negative");
const TIMEOUT_NOT_AN_INTEGER = errorReply('ERR timeout is not an integer or out of range');
const TIMEOUT_NEGATIVE = errorReply('ERR timeout is negative');
const NUMKEYS_NO_NUMBER = errorReply('ERR Bad number of keys provided');
const NO_SCRIPT = errorReply('NOSCRIPT No matching script. Please use EVAL.');
const UNBALANCED_STREAMS = errorReply("ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.");

/** The reply to a request for which `extractKeys` gave `result`, or gave no key. */
export function keysError(command: Command, frame: Frame, result: KeysResult): Buffer {
  const { name, keys } = command;
  if (result === KEYS_BLOCKING)
    return errorReply(`ERR '${name}' with BLOCK can't go through the proxy: blocking commands are not supported yet`);
  if (result === KEYS_PATTERN)
    return errorReply(
      `ERR ${deniedOption(frame)} option of SORT denied in cluster mode when keys formed by the pattern may be in different slots.`,
    );
  if (keys.kind === 'numkeys') {
    const error = numkeysError(name, frame, keys.at);
    if (error !== null) return error;
  }
  if (keys.kind === 'streams') return streamsError(name, frame);
  if (result === KEYS_BAD) return SYNTAX_ERROR;
  return errorReply(`ERR '${name}' without a key can't go through the proxy: a key says which group it runs in`);
}

/** What is wrong with the number of keys at argument `at`; null when only the proxy minds it. */
function numkeysError(name: string, frame: Frame, at: number): Buffer | null {
  const sign = signOf(argText(frame, at));
  switch (name) {
    case 'eval':
    case 'eval_ro':
    case 'evalsha':
    case 'evalsha_ro':
      if (name.startsWith('evalsha') && argText(frame, 1).length !== SHA1_LENGTH) return NO_SCRIPT;
      if (sign === 0) return null;
      return sign === undefined ? NOT_AN_INTEGER : sign < 0 ? NUMKEYS_NEGATIVE : NUMKEYS_TOO_LARGE;
    case 'fcall':
    case 'fcall_ro':
      if (sign === 0) return null;
      return sign === undefined ? NUMKEYS_NO_NUMBER : sign < 0 ? NUMKEYS_NEGATIVE : NUMKEYS_TOO_LARGE;
    case 'sintercard':
      return sign === 1 ? NUMKEYS_TOO_LARGE : NUMKEYS_NOT_POSITIVE;
    case 'blmpop':
    case 'bzmpop':
    case 'lmpop':
    case 'zmpop':
      return sign === 1 ? SYNTAX_ERROR : NUMKEYS_NOT_POSITIVE;
    default:
      if (!name.startsWith('z')) return null;
      if (sign === undefined) return NOT_AN_INTEGER;
      return sign === 1 ? SYNTAX_ERROR : errorReply(`ERR at least 1 input key is needed for '${name}' command`);
  }
}

/** The options of XREAD and XREADGROUP, as xreadCommand() goes through them. */
function streamsError(name: string, frame: Frame): Buffer {
  const isGroup = name === 'xreadgroup';
  for (let at = 1; at < frame.argc; at++) {
    const left = frame.argc - at - 1;
    const option = argText(frame, at).toUpperCase();
    if (option === 'BLOCK' && left > 0) {
      const sign = signOf(argText(frame, ++at));
      if (sign === undefined) return TIMEOUT_NOT_AN_INTEGER;
      if (sign < 0) return TIMEOUT_NEGATIVE;
    } else if (option === 'COUNT' && left > 0) {
      if (signOf(argText(frame, ++at)) === undefined) return NOT_AN_INTEGER;
    } else if (option === 'STREAMS' && left > 0) {
      return UNBALANCED_STREAMS;
    } else if ((option === 'GROUP' && left > 1) || option === 'NOACK') {
      if (!isGroup) return errorReply(`ERR The ${option} option is only supported by XREADGROUP. You called XREAD instead.`);
      if (option === 'GROUP') at += 2;
    } else return SYNTAX_ERROR;
  }
  return SYNTAX_ERROR;
}

const SHA1_LENGTH = 40;
/** -1, 0 or 1 for a whole number; undefined for anything else. */
function signOf(text: string): -1 | 0 | 1 | undefined {
  const value = wholeNumber(text);
  if (value === undefined) return undefined;
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** The beginning of an argument: enough to tell any number or option by. */
function argText(frame: Frame, at: number): string {
  const start = frame.args[at * 2] as number;
  return frame.buf.toString('latin1', start, Math.min(frame.args[at * 2 + 1] as number, start + 64));
}
