// Every benchmark that is a program of its own runs, from the build and at a tiny size. What is measured here is worth nothing. `npm run bench` is in bench.test.ts, by its sections.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratchDir } from './harness/process.ts';

const PROGRAM_MS = 120_000;

/** What it prints. Rejects when it fails. */
async function bench(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`bench/dist/${program}.js`, ...args], { timeout: PROGRAM_MS });
  return stdout.replaceAll(/ +/g, ' ');
}

/** The first cells of all rows of its tables, without their headers. */
const namesIn = (page: string): string[] => [...page.matchAll(/^\| ([^|]*?) \|.*\d/gm)].map(([, name = '']) => name);

test('bench:cost compares two builds', { timeout: PROGRAM_MS }, async () => {
  const out = join(scratchDir('bench'), 'cost.md');
  const page = await bench('cost', '--before', '.', '--quick', '--rounds', '1', '--out', out);
  const expected = ['SET', 'SET', 'SET', 'GET', 'GET', 'GET', 'MSET of 100 keys', 'MGET of 100 keys'];
  expect(namesIn(page)).toEqual(expected);
  expect(readFileSync(out, 'utf8').replaceAll(/ +/g, ' ')).toBe(page);
});

test('bench:profile says where the time goes under every load', { timeout: PROGRAM_MS }, async () => {
  const out = join(scratchDir('bench'), 'profile.md');
  const page = await bench('profile', '--quick', '--out', out);
  const loads = [...page.matchAll(/^## (.*)$/gm)].map(([, load]) => load);
  const pipelines = ['SET', 'GET'].flatMap((command) => [1, 16, 100].map((depth) => `${command}, pipeline ${depth}`));
  expect(loads).toEqual([...pipelines, 'MSET of 100 keys', 'MGET of 100 keys']);
  expect(namesIn(page).filter((name) => name === 'writing to sockets (system calls)')).toHaveLength(loads.length);
  expect(readFileSync(out, 'utf8').replaceAll(/ +/g, ' ')).toBe(page);
});

test('bench:micro measures single functions, and bench:compare takes what it wrote', { timeout: PROGRAM_MS }, async () => {
  const out = join(scratchDir('bench'), 'micro');
  const page = await bench('micro', '--rounds', '1', '--out', out);
  expect(namesIn(page)).toEqual(expect.arrayContaining(['slot of a key of 16 bytes', 'command: GET', 'request: GET', 'reply: +OK']));
  expect(await bench('compare', `${out}.json`, `${out}.json`)).toContain('| 1.000 | same |');
});

test('bench:move times a move beside the bare loop, and watches clients meanwhile', { timeout: PROGRAM_MS }, async () => {
  const out = join(scratchDir('bench'), 'move.md');
  const page = await bench('move', '--quick', '--keys', '2000', '--out', out);
  expect(namesIn(page).length).toBeGreaterThan(3);
  expect(readFileSync(out, 'utf8').replaceAll(/ +/g, ' ')).toBe(page);
});
