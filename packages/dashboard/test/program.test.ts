// codis-dashboard as a program: how it starts, refuses to start, and ends.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Child, eventually, freePort, REPO, scratchDir, start, stopAll } from '../../../test/harness/process.ts';

afterAll(stopAll);

async function configure(settings: Record<string, string | number> = {}): Promise<{ file: string; port: number }> {
  const port = await freePort();
  const file = join(scratchDir('dashboard'), 'config.ini');
  const all = {
    product_name: 'test',
    coordinator_dir: 'coordinator',
    dashboard_addr: `127.0.0.1:${port}`,
    zk_session_timeout: 2000,
    ...settings,
  };
  writeFileSync(
    file,
    Object.entries(all)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  return { file, port };
}

const run = (...args: string[]): Child =>
  start('node', [join(REPO, 'packages/dashboard/bin/codis-dashboard.js'), ...args], { name: 'dashboard' });
const untilReady = (port: number, child: Child) =>
  eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok, { what: `the dashboard: ${child.output()}` });
const elected = async (port: number) =>
  ((await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).json()) as { elected: boolean }).elected;

describe('codis-dashboard', () => {
  test('serves, is elected, and ends cleanly on SIGTERM, leaving its office to the next one', async () => {
    const { file, port } = await configure();
    const first = run('-c', file);
    await untilReady(port, first);
    await eventually(() => elected(port), { what: 'the election' });
    const otherPort = await freePort();
    const second = run('-c', file, '--dashboard-addr', `127.0.0.1:${otherPort}`);
    await untilReady(otherPort, second);
    expect(await elected(otherPort)).toBe(false);
    expect(await first.stop('SIGTERM')).toBe(0);
    await eventually(() => elected(otherPort), { what: 'the second one’s election' });
    expect(await second.stop('SIGINT')).toBe(0);
  });

  test('says what is wrong when its port is taken', async () => {
    const { file, port } = await configure();
    const server = createServer();
    await once(server.listen(port, '127.0.0.1'), 'listening');
    const child = run('-c', file);
    expect(await child.exited()).toBe(1);
    expect(child.output()).toContain(`can't listen on dashboard_addr 127.0.0.1:${port}: something listens there already`);
    expect(child.output()).toContain('try: stop what listens there');
    expect(child.output()).not.toContain('    at ');
    server.close();
  });

  test('listens where other machines can reach it only if one has to log in, and says the first password once', async () => {
    const port = await freePort();
    const { file } = await configure({ dashboard_addr: `0.0.0.0:${port}` });
    const refused = run('-c', file);
    expect(await refused.exited()).toBe(6);
    expect(refused.output()).toContain('dashboard_auth = on');
    const first = run('-c', file, '--dashboard-auth', 'on');
    await untilReady(port, first);
    const said = /made the user admin; its password is \S{16} and/;
    await eventually(() => said.test(first.output()), { what: 'the first password' });
    expect(await first.stop('SIGTERM')).toBe(0);
    const second = run('-c', file, '--dashboard-auth', 'on');
    await untilReady(port, second);
    expect(second.output()).not.toContain('password');
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  test('lists every problem of its configuration and exits 2', async () => {
    const { file } = await configure({ migration_batch_slots: 0, log_level: 'loud' });
    const child = run('-c', file);
    expect(await child.exited()).toBe(2);
    expect(child.output()).toContain('migration_batch_slots');
    expect(child.output()).toContain('log_level');
  });

  test('shows its options with --help', async () => {
    const child = run('--help');
    expect(await child.exited()).toBe(0);
    expect(child.output()).toContain('--dashboard-auth');
  });
});
