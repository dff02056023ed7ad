// Logging in, roles and tokens from the command line, against a dashboard that wants a login. The home directory is a scratch one.

import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Child, eventually, REPO, scratchDir, start, stopAll } from '../../../../test/harness/process.ts';
import { runHere } from './here.ts';
import { writeConfig } from './support.ts';

const dir = scratchDir('auth');
const HOME = join(dir, 'home');

let addr: string;
let configFile: string;
let dashboard: Child;

beforeAll(async () => {
  vi.stubEnv('HOME', HOME);
  const config = await writeConfig({ dashboard_auth: 'on' });
  ({ addr, configFile } = config);
  dashboard = start('node', [join(REPO, 'packages/dashboard/bin/codis-dashboard.js'), '-c', configFile], { name: 'dashboard' });
  await eventually(async () => (await fetch(`http://${config.addr}/readyz`)).ok, { what: `the dashboard: ${dashboard.output()}` });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await stopAll();
});

const cli = (...args: string[]) => runHere('-c', configFile, ...args);

function secretFile(name: string, secret: string): string {
  const file = join(dir, name);
  writeFileSync(file, `${secret}\n`, { mode: 0o600 });
  return file;
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

test('without a login everything is denied, with the command that logs in', async () => {
  const refused = await cli('slot', 'list');
  expect(refused).toMatchObject({ code: 6, stdout: '', stderr: expect.stringMatching(/^error: this dashboard wants a login/) });
  expect(refused.stderr).toContain('codis-config auth login');
  expect(await cli('auth', 'whoami', '-o', 'json')).toMatchObject({ code: 0, stdout: expect.stringContaining('"role": null') });
});

test('the first password is printed once, logs in, and is kept for the owner only', async () => {
  const password = await eventually(() => /password[^\n]*?[: ]([A-Za-z0-9_-]{16,})/.exec(dashboard.output())?.[1], {
    what: dashboard.output(),
  });
  const wrong = await cli('auth', 'login', 'admin', '--password-file', secretFile('wrong', 'not the password'));
  expect(wrong).toMatchObject({ code: 6, stderr: expect.stringContaining('no user with this name and password') });
  expect(await ok('auth', 'login', 'admin', '--password-file', secretFile('admin', password))).toBe('logged in as admin (admin)\n');
  const kept = join(HOME, '.config/codis');
  expect(readdirSync(kept)).toHaveLength(1);
  expect(statSync(join(kept, readdirSync(kept)[0]!)).mode & 0o777).toBe(0o600);
  expect(await ok('auth', 'whoami', '-o', 'name')).toBe('admin\n');
  await ok('slot', 'init');
  await ok('server', 'add-group', '1');
});

test('a viewer looks and changes nothing, and is told why', async () => {
  const password = secretFile('anna', 'correct horse battery');
  await ok('auth', 'add-user', 'anna', 'viewer', '--password-file', password);
  expect(await ok('auth', 'users', '-o', 'name')).toBe('admin\nanna\n');
  const token = (await ok('auth', 'add-token', 'backup', 'viewer', '--days', '1')).trim();
  expect(await ok('auth', 'tokens', '-o', 'csv')).toMatch(/^token,role,created,expires\nbackup,viewer,/);
  const tokenFile = secretFile('token', token);
  await ok('auth', 'login', 'anna', '--password-file', password);
  for (const as of [[], ['--token-file', tokenFile]]) {
    await ok(...as, 'server', 'list');
    const refused = await cli(...as, 'server', 'add-group', '2');
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('is viewer, and this is for operators') });
  }
  const scraped = (authorization: string) => fetch(`http://${addr}/metrics`, { headers: { authorization } });
  expect([(await scraped(`Bearer ${token}`)).status, (await scraped('Bearer none')).status]).toEqual([200, 401]);
  expect(await ok('server', 'list', '-o', 'csv')).toBe('group,slots,server,role,zone,replica_reads\n1,0,,,,\n');
  const next = secretFile('next', 'another horse battery');
  await ok('auth', 'password', '--password-file', password, '--new-password-file', next);
  expect(await cli('server', 'list')).toMatchObject({ code: 6 });
  await ok('auth', 'login', 'anna', '--password-file', next);
  await ok('auth', 'logout');
  expect(await cli('server', 'list')).toMatchObject({ code: 6 });
});

test('a password is not asked for where nobody can type it', async () => {
  const refused = await cli('auth', 'login', 'admin');
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('--password-file') });
  expect(await cli('auth', 'login', 'admin', '--password-file', '/nonexistent')).toMatchObject({ code: 2 });
});
