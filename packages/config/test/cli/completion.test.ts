// What a shell is offered: commands, options, words and live ids; without a dashboard all but the ids, and never an error.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, REPO, scratchDir } from '../../../../test/harness/process.ts';
import { candidates } from '../../src/cli/commands/completion.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { runHere } from './here.ts';

const ANSWERS: Readonly<Record<string, object>> = {
  '/api/v1/groups': { groups: [1, 2, 12].map((id) => ({ id, servers: [{ addr: `127.0.0.1:637${id}` }] })) },
  '/api/v1/proxies': { proxies: [{ id: 'proxy_1' }, { id: 'proxy_2' }] },
  '/api/v1/migrations': {
    migrations: [
      { id: 1, endedAt: 'then' },
      { id: 2, endedAt: null },
    ],
  },
  '/api/v1/plans': {
    plans: [
      { id: 4, state: 'pending' },
      { id: 5, state: 'stale' },
    ],
  },
  '/api/v1/alerts': { alerts: [{ id: 'no-replica:1' }] },
};

let server: Server;
let addr: string;

beforeAll(async () => {
  server = createServer((request, response) => response.end(JSON.stringify(ANSWERS[request.url ?? ''] ?? {})));
  const port = await freePort();
  addr = `127.0.0.1:${port}`;
  await once(server.listen(port, '127.0.0.1'), 'listening');
});
afterAll(() => server.close());

const offered = (line: string) => candidates(buildProgram(), line.split(' '), () => addr);

describe('offered are', () => {
  test.each([
    ['sl', ['slot', 'slowlog']],
    ['slot r', ['range-set', 'rebalance']],
    ['-o w', ['wide']],
    ['slot list -o ', ['csv', 'json', 'name', 'table', 'wide', 'yaml']],
    ['slot migrate --du', ['--durable']],
    ['slot migrate --dr', ['--dry-run']],
    ['slot migrate 0 511 ', ['1', '12', '2']],
    ['slot set 5 1 o', ['offline', 'online']],
    ['slot migrate --timeout 5 0 511 1', ['1', '12']],
    ['server add 1 127.0.0.1:6379 ', ['master', 'replica', 'slave']],
    ['server promote 1 ', ['127.0.0.1:6371', '127.0.0.1:63712', '127.0.0.1:6372']],
    ['proxy offline ', ['proxy_1', 'proxy_2']],
    ['migration pause ', ['2']],
    ['plan apply ', ['4']],
    ['alerts ', ['acknowledge', 'silence']],
    ['alerts silence n', ['no-replica:1']],
    ['key mend --group 1', ['1', '12']],
    ['auth add-user anna ', ['admin', 'operator', 'viewer']],
    ['completion ', ['bash', 'fish', 'zsh']],
    ['nonsense ', []],
  ])('for “codis-config %s” %j', async (line, words) => {
    expect(await offered(line)).toEqual(words);
  });
});

test('without a dashboard there are no ids, and no error', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  expect(await candidates(buildProgram(), ['slot', 'migrate', '0', '1', ''], () => nowhere)).toEqual([]);
  expect(await runHere('-c', '/nonexistent', '__complete', '--', 'proxy', 'online', '')).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('a dashboard that hangs costs a moment, and the rest is offered all the same', async () => {
  const hanging = createServer(() => undefined);
  await once(hanging.listen(0, '127.0.0.1'), 'listening');
  const { port } = hanging.address() as AddressInfo;
  const found = await candidates(buildProgram(), ['server', 'add', '1', '127.0.0.1:6379', ''], () => `127.0.0.1:${port}`);
  expect(found).toEqual(['master', 'replica', 'slave']);
  expect(await candidates(buildProgram(), ['proxy', 'online', ''], () => `127.0.0.1:${port}`)).toEqual([]);
  hanging.closeAllConnections();
  hanging.close();
});

test('it is quick: with live ids it takes less than 200 ms of a processor', async () => {
  const config = join(scratchDir('completion'), 'config.ini');
  writeFileSync(config, `product_name = test\ncoordinator_dir = c\ndashboard_addr = ${addr}\n`);
  const program = join(REPO, 'packages/config/bin/codis-config.js');
  const line = `TIMEFORMAT='%U %S'; time node ${program} -c ${config} __complete -- proxy online ''`;
  const seconds: number[] = [];
  // The best of a few: what else a busy machine has a process pay for is not its own.
  for (let run = 0; run < 5; run++) {
    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line]);
    expect(stdout).toBe('proxy_1\nproxy_2\n');
    seconds.push(
      stderr
        .trim()
        .split(' ')
        .map(Number)
        .reduce((sum, value) => sum + value),
    );
  }
  expect(Math.min(...seconds)).toBeLessThan(0.2);
});

test('bash asks it, and shows what it says', async () => {
  const script = (await runHere('completion', 'bash')).stdout;
  const lines = [script, 'COMP_WORDS=(codis-config slot mi)', 'COMP_CWORD=2', '_codis_config', `printf '%s\\n' "\${COMPREPLY[@]}"`];
  const env = { ...process.env, PATH: `${join(REPO, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` };
  const { stdout } = await promisify(execFile)('bash', ['-c', lines.join('\n')], { env });
  expect(stdout).toBe('migrate\n');
});

test.each(['bash', 'zsh', 'fish'])('%s gets a script that names the program', async (shell) => {
  expect((await runHere('completion', shell)).stdout).toContain('codis-config __complete --');
});
