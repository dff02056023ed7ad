// Goal: what README.md tells people to type works.
// Method: every line of its `sh` blocks is run against a cluster, in order, with the ports of that cluster; `npm start` and `npm test` have
// tests of their own (start.test.ts, and this very run).

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import { REPO, stopAll } from './harness/process.ts';

const RUN_ELSEWHERE = ['npm start', 'npm test'];
const readme = readFileSync(join(REPO, 'README.md'), 'utf8');
const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap((block) => (block[1] ?? '').trim().split('\n'));

describe('the README', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
  });

  afterAll(async () => {
    await cluster.stop();
    await stopAll();
  });

  test('has the two commands, and others to try', () => {
    expect(lines).toEqual(expect.arrayContaining(RUN_ELSEWHERE));
    expect(lines.length).toBeGreaterThan(8);
  });

  for (const line of lines.filter((command) => !RUN_ELSEWHERE.includes(command))) {
    test(`\`${line}\` works`, async () => {
      const [program, ...args] = line.split(' ');
      if (program === 'redis-cli') {
        const ports: Record<string, string> = { '19000': String(cluster.proxies[0]?.port), '19001': String(cluster.proxies[1]?.port) };
        const { stdout } = await promisify(execFile)(
          'redis-cli',
          args.map((arg) => ports[arg] ?? arg),
        );
        expect(stdout).not.toMatch(/ERR|Could not connect/);
        return;
      }
      expect([program, args[0]]).toEqual(['npx', 'codis-config']);
      expect(await cluster.cliOk(...args.slice(1))).not.toBe('');
    });
  }
});
