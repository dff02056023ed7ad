// Goal: a worker runs wherever Node does. Method: the memory that sockets are read into, in processes that may not have it of WebAssembly.

import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { wasmMemory } from '../../src/worker/wasm-memory.ts';

const BUILT = pathToFileURL(resolve(import.meta.dirname, '../../dist/worker/wasm-memory.js')).href;
const SCRIPT = `
  const { wasmMemory } = await import('${BUILT}');
  const { bytes, copy } = wasmMemory(65536 * 200);
  bytes.write('moved', 1000);
  copy(2000, 1000, 5);
  copy(2001, 2000, 5);
  console.log(bytes.length / 65536, bytes.toString('latin1', 2000, 2006), typeof WebAssembly);
`;

const said = (program: string, args: readonly string[]): string =>
  execFileSync(program, [...args, '--input-type=module', '-e', SCRIPT], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

test('memory is copied within', () => {
  const { bytes, copy } = wasmMemory(64 * 1024);
  bytes.write('abc');
  copy(1, 0, 3);
  expect(bytes.toString('latin1', 0, 4)).toBe('aabc');
});

test('where a process may not have many addresses it is copied within all the same', () => {
  expect(said('prlimit', ['--as=4000000000', process.execPath])).toBe('200 mmoved object');
});

test('where there is no WebAssembly it is copied within all the same', () => {
  expect(said(process.execPath, ['--jitless'])).toBe('200 mmoved undefined');
});
