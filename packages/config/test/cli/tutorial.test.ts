// The tutorial of Codis 2.0, word for word but for the ports: every line is typed as it stands there, in a directory with a config.ini.

import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../../test/harness/cluster.ts';
import { type Child, eventually, freePort, REPO, start, stopAll } from '../../../../test/harness/process.ts';
import { type RedisServer, startRedis } from '../../../../test/harness/redis.ts';
import { CLI, writeConfig } from './support.ts';

let cwd: string;
let dashboard: Child;
let servers: [RedisServer, RedisServer, RedisServer];
let proxyPort: number;
let configFile: string;

beforeAll(async () => {
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  proxyPort = await freePort();
  const proxy = { proxy_addr: `127.0.0.1:${proxyPort}`, admin_addr: `127.0.0.1:${await freePort()}`, proxy_start: 'offline', workers: 1 };
  const config = await writeConfig(proxy);
  configFile = config.configFile;
  cwd = dirname(configFile);
  dashboard = start('node', [CLI, 'dashboard'], { cwd, name: 'codis-config-dashboard' });
  await eventually(async () => (await fetch(`http://${config.addr}/readyz`)).ok, { what: `the dashboard: ${dashboard.output()}` });
});
afterAll(stopAll);

const type = async (line: string) => {
  const { code, stdout, stderr } = await run([CLI, '-c', configFile, ...line.split(' ').slice(1)]);
  expect({ line, code, stderr }).toMatchObject({ line, code: 0 });
  return stdout;
};
const portOf = (index: 0 | 1 | 2) => servers[index].port;

describe('the tutorial of Codis 2.0', () => {
  test('works line by line', async () => {
    await type('codis-config slot init');
    await type(`codis-config server add 1 localhost:${portOf(0)} master`);
    await type(`codis-config server add 1 localhost:${portOf(1)} slave`);
    await type(`codis-config server add 2 localhost:${portOf(2)} master`);
    await type('codis-config slot range-set 0 511 1 online');
    await type('codis-config slot range-set 512 1023 2 online');
    const proxy = start('node', [join(REPO, 'packages/proxy/bin/codis-proxy.js'), '-c', configFile], { name: 'proxy' });
    await eventually(() => type('codis-config proxy list').then((text) => text.includes('proxy_1')), {
      what: `the proxy: ${proxy.output()}`,
    });
    await type('codis-config proxy online proxy_1');
    await servers[0].client().set('key:before', 'of no matter');
    await type('codis-config slot migrate 0 511 2 --delay=10');
    await type('codis-config migration watch 1 --timeout 60');
    expect(await type('codis-config slot list')).toContain('0-1023');
    await type('codis-config proxy offline proxy_1');
  });

  test('says it when a dashboard runs already', async () => {
    const second = await run([CLI, '-c', configFile, 'dashboard']);
    expect(second).toMatchObject({ code: 1, stderr: expect.stringContaining('something listens there already') });
  });

  test('ends with Ctrl-C, and nothing is left of the dashboard', async () => {
    const child = eventually(() => childPid(dashboard), { what: 'the dashboard process' });
    const pid = await child;
    expect(await dashboard.stop('SIGINT')).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('leaves no dashboard behind when codis-config is killed', async () => {
    const again = start('node', [CLI, 'dashboard'], { cwd, name: 'codis-config-dashboard' });
    const pid = await eventually(() => childPid(again), { what: `the dashboard process: ${again.output()}` });
    await eventually(() => again.output().includes('"ready"'), { what: `the dashboard: ${again.output()}` });
    await again.stop('SIGKILL');
    await eventually(() => !alive(pid), { what: 'the dashboard to follow' });
  });
});

/** The process that codis-config runs the dashboard in, as the log has it. */
function childPid(program: Child): number | undefined {
  const pid = /"pid":(\d+)/.exec(program.output())?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
