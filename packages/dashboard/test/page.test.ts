// The console as files: what is served where, and under which rules. Its workings are in test/console.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../../../test/harness/process.ts';
import { readAssets } from '../src/web-assets.ts';
import { startDashboard, type TestDashboard } from './support.ts';

let dashboard: TestDashboard;
beforeAll(async () => {
  dashboard = await startDashboard();
});

const get = (url: string, headers: Record<string, string> = {}) =>
  dashboard.app.inject({ url, headers: { host: 'localhost', ...headers } });

describe('the page', () => {
  test.each(['/', '/login', '/c/test/', '/c/test/slots/512?mode=keys', '/c/test/migrations/plan/3'])('is at %s', async (url) => {
    const { statusCode, headers, body } = await get(url);
    expect({ statusCode, type: headers['content-type'] }).toEqual({ statusCode: 200, type: 'text/html; charset=utf-8' });
    expect(body).toContain('<div id="app">');
  });

  test('runs no script and loads nothing that is not a file of ours', async () => {
    const { headers, body } = await get('/');
    const csp = String(headers['content-security-policy']);
    expect(csp).toContain("default-src 'none'");
    expect(csp).toContain("script-src 'self';");
    expect(csp).not.toContain('unsafe');
    expect(body).not.toMatch(/<script(?![^>]* src="\/)|<style|https?:\/\//);
  });

  test('is asked for anew each time, its parts once', async () => {
    const page = await get('/');
    const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.body)?.[1] ?? '';
    expect(page.headers['cache-control']).toBe('no-cache');
    expect((await get('/', { 'if-none-match': String(page.headers['etag']) })).statusCode).toBe(304);
    const plain = await get(script);
    const packed = await get(script, { 'accept-encoding': 'gzip, br' });
    expect(plain.headers['cache-control']).toContain('immutable');
    expect(packed.headers['content-encoding']).toBe('gzip');
    expect(packed.rawPayload.length).toBeLessThan(plain.rawPayload.length / 2);
  });

  test.each(['/assets/../../package.json', '/assets/%2e%2e/%2e%2e/package.json', '/assets/none.js', '/favicon.ico'])(
    'leads nowhere else: %s',
    async (url) => {
      expect((await get(url)).statusCode).toBe(404);
    },
  );
});

test('what was not built is not there, and says so', () => {
  const dir = scratchDir('web');
  expect(readAssets(dir).size).toBe(0);
  mkdirSync(join(dir, 'assets'));
  writeFileSync(join(dir, 'index.html'), '<!doctype html>');
  writeFileSync(join(dir, 'assets/a.js'), '1');
  const assets = readAssets(dir);
  expect([...assets.keys()].sort()).toEqual(['/assets/a.js', '/index.html']);
  expect(assets.get('/assets/a.js')).toMatchObject({ immutable: true, type: 'text/javascript; charset=utf-8' });
});
