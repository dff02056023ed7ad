// Goal: whatever state a checkout is in, `npm start` gets it going or says in a sentence what to do.
// Method: the real bootstrap in a scratch checkout, with stand-ins for npm, tsc and apt-get on a PATH of its own, which write down how they were called.

import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { leftovers } from '../../scripts/leftovers.mjs';
import { type Child, eventually, REPO, scratchDir, start, stopAll } from '../harness/process.ts';

const TOOLS = ['sh', 'cat', 'mkdir', 'rm', 'touch', 'chmod', 'grep', 'sleep', 'printf', 'setpriv'];

/** A checkout with a lock file, and a PATH with the tools of a shell, node, npm and redis-server. */
function checkout() {
  const top = scratchDir('checkout');
  const path = join(top, 'path');
  for (const dir of ['scripts/dist', 'path']) mkdirSync(join(top, dir), { recursive: true });
  for (const name of ['bootstrap.mjs', 'install-stamp.mjs', 'start.mjs']) cpSync(join(REPO, 'scripts', name), join(top, 'scripts', name));
  writeFileSync(join(top, 'package-lock.json'), '{"lockfileVersion":3}');
  writeFileSync(join(top, 'package.json'), '{"type":"module"}');
  writeFileSync(join(top, 'scripts/dist/start.js'), "export const start = (argv) => { console.log('STARTED', ...argv); return 0; };");
  symlinkSync(process.execPath, join(path, 'node'));
  for (const tool of TOOLS) {
    const found = ['/usr/bin', '/bin'].map((dir) => join(dir, tool)).find((file) => existsSync(file));
    if (found !== undefined) symlinkSync(found, join(path, tool));
  }
  const program = (name: string, script: string) => {
    writeFileSync(join(path, name), `#!/bin/sh\necho "$0 $*" >> ${top}/calls\n${script}\n`);
    chmodSync(join(path, name), 0o755);
  };
  program('npm', INSTALL);
  program('redis-server', '');
  return {
    top,
    program,
    calls: () =>
      existsSync(join(top, 'calls')) ? readFileSync(join(top, 'calls'), 'utf8').replaceAll(`${path}/`, '').trim().split('\n') : [],
    remove: (name: string) => rmSync(join(path, name)),
    run: (...args: string[]): Child =>
      start(process.execPath, [...args, join(top, 'scripts/start.mjs'), '--fresh'], { cwd: top, env: { PATH: path } }),
  };
}

/** What `npm install` does as far as it matters: a compiler and a bundler in node_modules. */
const INSTALL = ['typescript/bin/tsc', 'vite/bin/vite.js']
  .map((tool) => `mkdir -p node_modules/${dirname(tool)}; echo "process.exit(0)" > node_modules/${tool}`)
  .join('; ');

async function end(child: Child): Promise<{ code: number | null; output: string }> {
  const code = await child.exited();
  return { code, output: child.output() };
}

afterEach(stopAll);

describe('npm packages', () => {
  test('are installed once, and the program gets its arguments', async () => {
    const { run, calls } = checkout();
    const first = await end(run());
    expect(first).toEqual({ code: 0, output: expect.stringMatching(/Installing npm packages …\nSTARTED --fresh\n$/) as string });
    expect((await end(run())).output).toBe('STARTED --fresh\n');
    expect(calls()).toEqual([expect.stringMatching(/^npm install --no-save /)]);
  });

  test('are installed again when the lock file has changed', async () => {
    const { run, calls, top } = checkout();
    await end(run());
    writeFileSync(join(top, 'package-lock.json'), '{"lockfileVersion":3,"packages":{}}');
    await end(run());
    expect(calls()).toHaveLength(2);
  });

  test('that could not be installed are a sentence, and are tried again', async () => {
    const { run, program } = checkout();
    program('npm', 'echo no network >&2; exit 7');
    const failed = await end(run());
    expect(failed.code).toBe(1);
    expect(failed.output).toContain('no network');
    expect(failed.output).toContain('npm could not install the packages (exit code 7)');
    program('npm', INSTALL);
    expect((await end(run())).code).toBe(0);
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('half installed, when %s came in between, are installed again', async (signal) => {
    const { run, program, calls, top } = checkout();
    program('npm', `${INSTALL}; touch node_modules/half; exec sleep 600`);
    const child = run();
    await eventually(() => existsSync(join(top, 'node_modules/half')), { what: 'the install to be half done' });
    await child.stop(signal);
    await eventually(() => leftovers({ mark: 'none', directory: top }).length === 0, { what: 'the end of npm' });
    program('npm', INSTALL);
    expect((await end(run())).code).toBe(0);
    expect(calls()).toHaveLength(2);
    expect(existsSync(join(top, 'node_modules/half'))).toBe(false);
  });

  test('installed by hand count too, since npm runs the stamp last', async () => {
    const { run, calls, top } = checkout();
    for (const tool of ['typescript/bin/tsc', 'vite/bin/vite.js']) {
      mkdirSync(join(top, 'node_modules', dirname(tool)), { recursive: true });
      writeFileSync(join(top, 'node_modules', tool), 'process.exit(0)');
    }
    await start(process.execPath, [join(top, 'scripts/install-stamp.mjs')], { cwd: top }).exited();
    expect((await end(run())).code).toBe(0);
    expect(calls()).toEqual([]);
  });
});

describe('redis-server', () => {
  test('that is missing where it can not be installed is a sentence with what to type', async () => {
    const { run, remove } = checkout();
    remove('redis-server');
    const { code, output } = await end(run());
    expect(code).toBe(1);
    expect(output).toContain("redis-server can't be found. Install it and run the same command again:");
    expect(output).toMatch(/sudo apt-get install --no-install-recommends redis-server redis-tools|with your system's package manager/);
  });

  test("is installed from Debian's packages by root, without asking and without recommends", async () => {
    const { run, remove, program, calls, top } = checkout();
    remove('redis-server');
    program('apt-get', `case "$*" in *install*) touch ${top}/path/redis-server; chmod 755 ${top}/path/redis-server;; esac`);
    const { code, output } = await end(run());
    if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
      expect(output).toContain("redis-server can't be found");
      return;
    }
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('STARTED') as string });
    expect(calls().slice(-2)).toEqual([
      expect.stringMatching(/^apt-get .*update/),
      expect.stringMatching(/^apt-get .*install .*-y --no-install-recommends redis-server redis-tools$/),
    ]);
  });

  test('that apt-get could not install is a sentence', async () => {
    const { run, remove, program } = checkout();
    remove('redis-server');
    program('apt-get', 'echo "E: no such package" >&2; exit 100');
    const { code, output } = await end(run());
    expect(code).toBe(1);
    expect(output).toMatch(/apt-get could not install redis-server|redis-server can't be found/);
    expect(output).not.toContain('    at ');
  });
});

test('a Node that is too old is a sentence', async () => {
  const { run, top } = checkout();
  writeFileSync(join(top, 'old.mjs'), "Object.defineProperty(process.versions, 'node', { value: '20.18.3' });");
  const { code, output } = await end(run('--import', join(top, 'old.mjs')));
  expect(code).toBe(1);
  expect(output).toContain('This is Node 20.18.3; Node 20.19 or newer is needed');
});

test('the console is built again only when something of it has changed', async () => {
  const { run, top, program } = checkout();
  program('npm', `${INSTALL}; echo "console.log('BUILT')" > node_modules/vite/bin/vite.js`);
  const web = join(top, 'packages/dashboard/web');
  for (const dir of ['src/pages', 'public', 'dist']) mkdirSync(join(web, dir), { recursive: true });
  for (const file of ['src/pages/a.tsx', 'public/b.js', 'index.html', 'vite.config.ts']) writeFileSync(join(web, file), '');
  expect((await end(run())).output).toContain('BUILT');
  writeFileSync(join(web, 'dist/index.html'), '');
  expect((await end(run())).output).not.toContain('BUILT');
  const later = new Date(Date.now() + 5000);
  utimesSync(join(web, 'src/pages/a.tsx'), later, later);
  expect((await end(run())).output).toContain('BUILT');
});

test('a console that can not be built is a sentence, and nothing is started', async () => {
  const { run, program } = checkout();
  program('npm', `${INSTALL}; echo "process.exit(2)" > node_modules/vite/bin/vite.js`);
  const { code, output } = await end(run());
  expect(code).toBe(1);
  expect(output).toContain('The web console could not be built');
  expect(output).not.toContain('STARTED');
});

test('a build that fails is a sentence, and nothing is started', async () => {
  const { run, program } = checkout();
  program('npm', `${INSTALL}; echo "process.exit(2)" > node_modules/typescript/bin/tsc`);
  const { code, output } = await end(run());
  expect(code).toBe(1);
  expect(output).toContain('The build failed');
  expect(output).not.toContain('STARTED');
});
