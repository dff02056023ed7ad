// `codis-config dashboard` runs the dashboard as its child: signals pass, and neither outlives the other.

import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../../../test/harness/cluster.ts';
import { type Child, eventually, start, stopAll } from '../../../../test/harness/process.ts';
import { CLI, writeConfig } from './support.ts';

let cwd: string;
let dashboard: Child;
let configFile: string;

beforeAll(async () => {
  const config = await writeConfig({});
  configFile = config.configFile;
  cwd = dirname(configFile);
  dashboard = start('node', [CLI, 'dashboard'], { cwd, name: 'codis-config-dashboard' });
  await eventually(async () => (await fetch(`http://${config.addr}/readyz`)).ok, { what: `the dashboard: ${dashboard.output()}` });
});
afterAll(stopAll);

describe('codis-config dashboard', () => {
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
