// Scripts by their keys.

import { createHash } from 'node:crypto';
import type { Family } from '../family.ts';

const READ = "return(redis.call('GET',KEYS[1]))";
const READ_SHA = createHash('sha1').update(READ).digest('hex');

export const SCRIPTS: Family = {
  type: 'script',
  // EVALSHA names the script below: a server knows it once it has run it.
  setup: ['SET A hello', 'SET B 10', `EVAL ${READ} 1 A`],
  lines: [
    `EVAL ${READ} 1 A`,
    'EVAL "return {KEYS[1], KEYS[2], ARGV[1], 1, {2, false}}" 2 A B x',
    `EVAL "return redis.call('SET', KEYS[1], ARGV[1])" 1 C "by script"`,
    `EVAL "return redis.error_reply('MINE a text')" 1 A`,
    'EVAL "return nonsense(" 1 A',
    `EVAL "return redis.pcall('LPUSH', KEYS[1], 1)" 1 A`,
    `EVAL "return redis.call('LPUSH', KEYS[1], 1)" 1 A`,
    `EVAL "redis.setresp(3); return redis.call('HGETALL', KEYS[1])" 1 A`,
    'EVAL "return {double=3.5}" 1 A',
    'EVAL "return {map={a=1}}" 1 A',
    `EVAL_RO "return redis.call('SET', KEYS[1], 'x')" 1 A`,
    `EVAL_RO "return redis.call('EXISTS', KEYS[1])" 1 A`,
    `EVALSHA ${READ_SHA} 1 A`,
    'EVALSHA short 1 A',
    'EVALSHA ffffffffffffffffffffffffffffffffffffffff 1 A',
    `EVALSHA_RO ${READ_SHA} 1 A`,
    'FCALL none 1 A',
    'FCALL_RO none 1 A',
  ],
};
