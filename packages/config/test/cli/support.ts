// codis-config as a user runs it: the built program, against a real dashboard process.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, run } from '../../../../test/harness/cluster.ts';
import { type Child, eventually, freePort, REPO, scratchDir, start } from '../../../../test/harness/process.ts';

export const CLI = join(REPO, 'packages/config/bin/codis-config.js');

export interface CliUnderTest {
  readonly configFile: string;
  readonly addr: string;
  readonly dashboard: Child;
  cli(...args: string[]): Promise<CliResult>;
  /** As `cli`, and fails unless it exits 0; returns what it printed. */
  ok(...args: string[]): Promise<string>;
  /** As `ok`, with `-o json`. */
  json(...args: string[]): Promise<unknown>;
  /** Null before slot init. */
  epoch(): Promise<number | null>;
}

export async function writeConfig(settings: Record<string, string | number> = {}): Promise<{ configFile: string; addr: string }> {
  const addr = `127.0.0.1:${await freePort()}`;
  const configFile = join(scratchDir('cli'), 'config.ini');
  const all = { product_name: 'test', coordinator_dir: 'coordinator', dashboard_addr: addr, zk_session_timeout: 3000, ...settings };
  writeFileSync(
    configFile,
    Object.entries(all)
      .map(([key, value]) => `${key} = ${value}`)
      .join('\n'),
  );
  return { configFile, addr };
}

/** Starts a dashboard over an empty coordinator. The test file calls `stopAll`. */
export async function startCli(): Promise<CliUnderTest> {
  const { configFile, addr } = await writeConfig();
  const dashboard = start('node', [join(REPO, 'packages/dashboard/bin/codis-dashboard.js'), '-c', configFile], { name: 'dashboard' });
  await eventually(async () => (await fetch(`http://${addr}/readyz`)).ok, { what: `the dashboard: ${dashboard.output()}` });
  const cli = (...args: string[]) => run([CLI, '-c', configFile, ...args]);
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await cli(...args);
    if (code !== 0) throw new Error(`codis-config ${args.join(' ')} exited ${code}:\n${stderr}${stdout}`);
    return stdout;
  };
  return {
    configFile,
    addr,
    dashboard,
    cli,
    ok,
    json: async (...args) => JSON.parse(await ok(...args, '-o', 'json')) as unknown,
    epoch: async () => {
      const response = await fetch(`http://${addr}/api/v1/topology`);
      return response.ok ? ((await response.json()) as { epoch: number }).epoch : null;
    },
  };
}

/** Runs a command line of codis-config with a terminal, typing `input` when it asks. */
export function onTerminal({ configFile }: CliUnderTest, line: string, input: string): Promise<{ code: number | null; output: string }> {
  return new Promise((done) => {
    const child = execFile('script', ['-qec', `node ${CLI} -c ${configFile} ${line}`, '/dev/null'], (error, output) =>
      done({ code: error === null ? 0 : Number(error.code), output }),
    );
    let seen = '';
    child.stdout?.on('data', (chunk) => {
      seen += String(chunk);
      if (!seen.includes('[y/N]')) return;
      seen = '';
      child.stdin?.write(input);
    });
  });
}
