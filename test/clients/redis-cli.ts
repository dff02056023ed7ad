// redis-cli, in both versions of the protocol, and redis-benchmark with everything it runs when nobody says what.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '../harness/process.ts';
import { type Checks, type Library, numbered, runChecks, same } from './library.ts';
import { runProgram } from './programs.ts';

export function redisCli(version: 2 | 3): Library {
  return {
    name: `redis-cli 7.0 -${version}`,
    language: 'command line',
    run: async (port, prefix) => {
      const cli = async (input: string, ...args: string[]) => {
        const { output } = await runProgram(['redis-cli', `-${version}`, '-p', String(port), ...args], process.env, input);
        return output.trimEnd();
      };
      const cliProcess = (...args: string[]) => startCli(['redis-cli', `-${version}`, '-p', String(port), ...args]);
      return await runChecks(checks(cli, cliProcess, prefix));
    },
  };
}

interface CliProcess {
  /** What it has printed so far. */
  output(): string;
  send(input: string): void;
  stop(): Promise<void>;
}

/** One that goes on until it is stopped, which happens at the latest when this process ends. */
function startCli(command: readonly string[]): CliProcess {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['pipe', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString();
  });
  return {
    output: () => output,
    send: (input) => void child.stdin.write(input),
    stop: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function checks(
  cli: (input: string, ...args: string[]) => Promise<string>,
  cliProcess: (...args: string[]) => CliProcess,
  prefix: string,
): Checks {
  const k = (rest: string) => `${prefix}:${rest}`;
  const t = (rest: string) => `{${prefix}}:${rest}`;
  const lines = (...commands: string[]) => cli(commands.map((command) => `${command}\n`).join(''));
  return {
    connect: async () => same(await cli('', 'PING'), 'PONG'),
    types: async () => {
      same(await lines(`SET ${k('s')} v EX 100`, `GET ${k('s')}`), 'OK\nv');
      same(await lines(`MSET ${k('a')} 1 ${k('b')} 2`, `MGET ${k('a')} ${k('b')} ${k('none')}`), 'OK\n1\n2');
      same(await lines(`HSET ${k('h')} f 1`, `HGET ${k('h')} f`), '1\n1');
      same(await lines(`RPUSH ${k('l')} a b`, `LRANGE ${k('l')} 0 -1`), '2\na\nb');
      same(await lines(`SADD ${k('set')} x`, `SMEMBERS ${k('set')}`), '1\nx');
      same(await lines(`ZADD ${k('z')} 1.5 m`, `ZSCORE ${k('z')} m`), '1\n1.5');
      same(await lines(`XADD ${k('x')} 1-1 f v`, `XLEN ${k('x')}`), '1-1\n1');
      same(await lines(`PFADD ${k('hll')} a b`, `PFCOUNT ${k('hll')}`), '1\n2');
      same(await lines(`GEOADD ${k('geo')} 13.361389 38.115556 Palermo`, `SETBIT ${k('bits')} 7 1`), '1\n0');
      same(await lines(`DEL ${k('a')} ${k('b')} ${k('s')}`), '3');
    },
    pipeline: async () => {
      const commands = Array.from({ length: 100 }, (_, at) => `SET ${k(`p${at}`)} ${at}\r\n`).join('');
      same((await cli(commands, '--pipe')).includes('errors: 0, replies: 100'), true);
    },
    transaction: async () => {
      same(await lines('MULTI', `SET ${t('tx')} 1`, `INCR ${t('tx')}`, 'EXEC'), 'OK\nQUEUED\nQUEUED\nOK\n2');
      same(
        await lines(`WATCH ${t('tx')}`, `INCR ${t('tx')}`, 'MULTI', `SET ${t('tx')} lost`, 'EXEC', `GET ${t('tx')}`),
        'OK\n3\nOK\nQUEUED\n\n3',
      );
    },
    pubsub: async () => {
      const subscriber = cliProcess('SUBSCRIBE', k('channel'));
      await eventually(() => subscriber.output().includes('subscribe\n'), { what: 'redis-cli to have subscribed' });
      await cli('', 'PUBLISH', k('channel'), 'hello');
      await eventually(() => subscriber.output().includes('message\n'), { what: 'redis-cli to get the message' });
      await subscriber.stop();
      same(subscriber.output().trimEnd(), `subscribe\n${k('channel')}\n1\nmessage\n${k('channel')}\nhello`);
    },
    blocking: async () => {
      const popped = lines(`BLPOP ${k('queue')} 20`);
      same(await lines(`RPUSH ${k('queue')} job`), '1');
      same(await popped, `${k('queue')}\njob`);
    },
    script: async () => {
      same(await cli('', 'EVAL', "return redis.call('incrby', KEYS[1], ARGV[1])", '1', k('n'), '10'), '10');
      const sha = await cli('', 'SCRIPT', 'LOAD', 'return ARGV[1]');
      same(await cli('', 'EVALSHA', sha, '1', k('n'), 'x'), 'x');
    },
    scan: async () => {
      await lines(...Array.from({ length: 50 }, (_, at) => `SET ${k(`scan:${at}`)} ${at}`));
      const seen = await cli('', '--scan', '--pattern', k('scan:*'));
      same(
        [...new Set(seen.split('\n'))].sort(),
        numbered(50, (at) => k(`scan:${at}`)),
      );
    },
    reconnect: async () => {
      const user = cliProcess();
      user.send('CLIENT ID\n');
      await eventually(() => user.output().endsWith('\n'), { what: 'redis-cli to tell its id' });
      same(await cli('', 'CLIENT', 'KILL', 'ID', user.output().trim()), '1');
      // The first command meets the broken connection, the second a new one.
      user.send(`PING\nSET ${k('after')} 1\nGET ${k('after')}\n`);
      await eventually(() => user.output().trimEnd().endsWith('OK\n1'), { what: 'redis-cli to be connected again' });
      await user.stop();
    },
  };
}

/** redis-benchmark with all its default tests, a few requests each: why it failed, '' when it did not. */
export async function redisBenchmark(port: number): Promise<string> {
  const { code, output } = await runProgram(['redis-benchmark', '-p', String(port), '-n', '500', '-c', '10', '-r', '1000', '-q']);
  const rates = output.match(/[\d.]+ requests per second/g)?.length ?? 0;
  if (code !== 0 || /error/i.test(output)) return output.slice(-500);
  return rates >= BENCHMARKS ? '' : `it ran ${rates} of its ${BENCHMARKS} tests: ${output.slice(-500)}`;
}

/** How many there are in 7.0 when no -t is given. */
const BENCHMARKS = 20;
