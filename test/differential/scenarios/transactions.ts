// MULTI, EXEC, DISCARD, WATCH, UNWATCH.

import type { Scenario } from '../scenario.ts';

const NOT_QUEUED = /^-ERR '[a-z ]+' can't be part of a transaction through the proxy/;
const ABORTED = /^-EXECABORT Transaction discarded because of previous errors\.\r\n$/;
const OTHER_DATABASE = /^-ERR keys are watched in another database or version of the protocol/;

export const TRANSACTIONS: readonly Scenario[] = [
  {
    title: 'a transaction is queued and carried out',
    steps: [
      'MULTI',
      'SET A 1',
      'INCR A',
      'GET A',
      'MGET A B',
      'HSET B f v',
      'HGETALL B',
      'ZADD D 1.5 m',
      'ZSCORE D m',
      'EXEC',
      'GET A',
      'DUMP B',
    ],
  },
  { title: 'an empty transaction', steps: ['MULTI', 'EXEC', 'MULTI', 'DISCARD'] },
  {
    title: 'EXEC and DISCARD without MULTI',
    steps: ['EXEC', 'DISCARD', 'UNWATCH', 'EXEC x', 'MULTI x', 'DISCARD x', 'WATCH', 'UNWATCH x'],
  },
  { title: 'MULTI in MULTI', steps: ['MULTI', 'MULTI', 'SET A 1', 'EXEC', 'GET A'] },
  { title: 'WATCH in MULTI', steps: ['MULTI', 'WATCH A', 'SET A 1', 'EXEC', 'GET A'] },
  { title: 'UNWATCH in MULTI is queued', steps: ['MULTI', 'UNWATCH', 'SET A 1', 'EXEC'] },
  { title: 'DISCARD forgets what was queued', steps: ['SET A 1', 'MULTI', 'SET A 2', 'DISCARD', 'GET A', 'EXEC'] },
  { title: 'DISCARD ends the watch too', steps: ['WATCH A', 'b: SET A x', 'MULTI', 'DISCARD', 'MULTI', 'GET A', 'EXEC'] },
  {
    title: 'an unknown command makes EXEC fail',
    steps: ['MULTI', 'SET A 1', 'NOSUCH a b', 'SET A 2', 'EXEC', 'GET A', 'EXEC'],
  },
  { title: 'a wrong number of arguments makes EXEC fail', steps: ['MULTI', 'SET A', 'GET A', 'EXEC', 'GET A'] },
  { title: 'an unknown subcommand makes EXEC fail', steps: ['MULTI', 'OBJECT NOSUCH A', 'EXEC', 'MULTI', 'OBJECT ENCODING', 'EXEC'] },
  { title: 'DISCARD after an error at queueing', steps: ['MULTI', 'NOSUCH', 'DISCARD', 'EXEC'] },
  { title: 'a watched key that nobody touched', steps: ['SET A 1', 'WATCH A', 'MULTI', 'INCR A', 'EXEC', 'GET A'] },
  { title: 'a watched key that another client touched', steps: ['WATCH A', 'b: SET A theirs', 'MULTI', 'SET A mine', 'EXEC', 'GET A'] },
  { title: 'a watched key that the client itself touched', steps: ['WATCH A', 'SET A own', 'MULTI', 'GET A', 'EXEC'] },
  {
    title: 'a watched key that is touched while commands are queued',
    steps: ['WATCH A', 'MULTI', 'GET A', 'b: SET A theirs', 'EXEC', 'GET A'],
  },
  { title: 'a watch on a key that is not there, which then appears', steps: ['WATCH C', 'b: RPUSH C x', 'MULTI', 'PING', 'EXEC'] },
  { title: 'a watched key that is deleted', steps: ['SET A 1', 'WATCH A', 'b: DEL A', 'MULTI', 'PING', 'EXEC'] },
  { title: 'a watched key that expires', steps: ['SET A 1 PX 30', 'WATCH A', 'BLPOP D 0.1', 'MULTI', 'PING', 'EXEC'] },
  { title: 'reading a watched key is no touch', steps: ['SET A 1', 'WATCH A', 'b: GET A', 'b: TOUCH A', 'MULTI', 'PING', 'EXEC'] },
  { title: 'UNWATCH forgets', steps: ['WATCH A', 'b: SET A x', 'UNWATCH', 'MULTI', 'GET A', 'EXEC'] },
  {
    title: 'several watches add up',
    steps: ['WATCH A', 'WATCH B D', 'WATCH A', 'b: SET D x', 'MULTI', 'PING', 'EXEC', 'MULTI', 'PING', 'EXEC'],
  },
  { title: 'EXEC ends the watch', steps: ['WATCH A', 'MULTI', 'PING', 'EXEC', 'b: SET A x', 'MULTI', 'PING', 'EXEC'] },
  { title: 'EXEC after an error ends the watch', steps: ['WATCH A', 'MULTI', 'NOSUCH', 'EXEC', 'b: SET A x', 'MULTI', 'PING', 'EXEC'] },
  { title: 'a broken watch and an error at queueing', steps: ['WATCH A', 'b: SET A x', 'MULTI', 'NOSUCH', 'EXEC'] },
  { title: 'commands without keys in a transaction', steps: ['MULTI', 'PING', 'PING x', 'ECHO hello', 'TIME', '#EXEC'] },
  { title: 'RESET ends a transaction', steps: ['MULTI', 'SET A 1', 'RESET', 'EXEC', 'GET A'] },
  { title: 'RESET ends a watch', steps: ['WATCH A', 'b: SET A x', 'RESET', 'MULTI', 'PING', 'EXEC'] },
  { title: 'QUIT in a transaction', steps: ['MULTI', 'SET A 1', 'QUIT', 'a$', 'b: GET A'] },
  {
    title: 'commands that block do not, in a transaction',
    steps: ['RPUSH A x', 'MULTI', 'BLPOP A 0', 'BLPOP A 0', 'BRPOPLPUSH A B 0', 'BZPOPMIN D 0', 'XREAD BLOCK 0 STREAMS C $', 'EXEC'],
  },
  {
    title: 'scripts in a transaction',
    steps: ['MULTI', `EVAL "return redis.call('INCR', KEYS[1])" 1 A`, 'EVAL "return ARGV[1]" 0 x', 'EXEC', 'GET A'],
  },
  { title: 'a transaction that makes another client’s wait end', steps: ['b&: BLPOP A 0', 'MULTI', 'RPUSH A 1 2', 'LPOP A', 'EXEC', 'b<'] },
  { title: 'a transaction that is written in any case', steps: ['multi', 'SeT A 1', 'exec', 'Multi', 'discard'] },
  {
    title: 'keys of several groups do not fit into one transaction',
    steps: [
      'MULTI',
      'SET X 1',
      ['SET Y 1', /^-CROSSSLOT /],
      ['EXEC', /^-EXECABORT Transaction discarded because of previous errors\.\r\n$/],
      ['GET X', /^(?:\$-1|_)\r\n$/],
    ],
  },
  { title: 'keys of several groups can’t be watched', steps: [['WATCH X Y', /^-CROSSSLOT /]] },

  {
    title: 'an error while it is carried out stops nothing',
    steps: ['SET A text', 'MULTI', 'INCR A', 'LPUSH A x', 'SET B done', 'EXPIRE A words', 'EXEC', 'GET B', 'GET A'],
  },
  {
    title: 'SELECT before and after a transaction',
    steps: ['SELECT 1', 'SET A one', 'SELECT 2', 'MULTI', 'SET A two', 'GET A', 'EXEC', 'SELECT 1', 'MULTI', 'GET A', 'EXEC'],
  },
  ...['SELECT 1', 'SELECT words', 'HELLO 3', 'AUTH default x', 'CLIENT SETNAME in', 'DBSIZE'].map((line) => ({
    title: `${line} can’t be queued`,
    steps: ['MULTI', [line, NOT_QUEUED], ['EXEC', ABORTED], 'MULTI', [line, NOT_QUEUED], 'DISCARD', 'PING'] as const,
  })),
  {
    title: 'a watch holds in the database it was said in',
    steps: [
      'WATCH A',
      'SELECT 1',
      ['WATCH B', OTHER_DATABASE],
      'MULTI',
      ['EXEC', OTHER_DATABASE],
      'UNWATCH',
      'WATCH B',
      'MULTI',
      'PING',
      'EXEC',
    ],
  },
  { title: 'SUBSCRIBE in a transaction', protocols: [3], steps: ['MULTI', ['SUBSCRIBE A', NOT_QUEUED], ['EXEC', ABORTED], 'PING'] },
];
