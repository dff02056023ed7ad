import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { REPO, scratchDir } from '../../../../test/harness/process.ts';
import { isCodisError } from '../../src/model/index.ts';
import { type LoadOptions, loadSettings } from '../../src/settings/index.ts';

function folder(files: Record<string, string | Buffer>): string {
  const dir = scratchDir('settings');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

function messageOf(options: LoadOptions): string {
  try {
    loadSettings(options);
  } catch (error) {
    if (isCodisError(error, 'CODIS_E_BAD_CONFIG')) return error.message;
    throw error;
  }
  throw new Error('it loaded');
}

describe('the config file', () => {
  test('is ./config.ini when there is one', () => {
    const cwd = folder({ 'config.ini': 'product_name = here' });
    expect(loadSettings({ cwd })).toMatchObject({ file: join(cwd, 'config.ini'), settings: { product_name: 'here' } });
  });

  test("is the one at the project's top otherwise", () => {
    expect(loadSettings({ cwd: folder({}) }).file).toBe(join(REPO, 'config.ini'));
  });

  test('is the one that -c names, and no other', () => {
    const cwd = folder({ 'config.ini': 'product_name = here', 'b.ini': 'product_name = there' });
    expect(loadSettings({ cwd, file: 'b.ini' })).toMatchObject({ file: join(cwd, 'b.ini'), settings: { product_name: 'there' } });
    expect(messageOf({ cwd, file: 'c.ini' })).toMatch(/^c\.ini can't be read: ENOENT/);
  });

  test.each<[string, (cwd: string) => void, RegExp]>([
    ['a directory', (cwd) => mkdirSync(join(cwd, 'x.ini')), /^x\.ini can't be read: it is not a file/],
    ['not UTF-8', (cwd) => writeFileSync(join(cwd, 'x.ini'), Buffer.from([0x61, 0xff, 0xfe])), /^x\.ini is not UTF-8 text/],
    ['huge', (cwd) => writeFileSync(join(cwd, 'x.ini'), Buffer.alloc(1_048_577, '#')), /^x\.ini has 1048577 bytes/],
  ])('that is %s is refused', (_what, make, message) => {
    const cwd = folder({});
    make(cwd);
    expect(messageOf({ cwd, file: 'x.ini' })).toMatch(message);
  });
});

describe('problems', () => {
  test('are listed one per line with file and line number', () => {
    const cwd = folder({ 'config.ini': 'workers = 0\n\nmax_client = 3' });
    expect(messageOf({ cwd, flags: { log_level: 'x' } }).split('\n')).toEqual([
      'the configuration has 3 problems:',
      '  config.ini:1: workers: 0 is out of range: write auto or a whole number of processes from 1 to 256',
      '  config.ini:3: max_client: there is no such key; did you mean max_clients?',
      '  --log-level: "x" is not one of debug, info, warn, error, silent',
    ]);
  });

  test('of a file elsewhere name it in full', () => {
    const elsewhere = folder({ 'x.ini': 'workers = 0' });
    expect(messageOf({ cwd: folder({}), file: join(elsewhere, 'x.ini') })).toMatch(`${elsewhere}/x.ini:1: workers: 0 is out of range`);
  });
});

describe('coordinator_dir', () => {
  test("starts at the file's folder when the file names it", () => {
    const elsewhere = folder({ 'x.ini': 'coordinator_dir = state' });
    expect(loadSettings({ cwd: folder({}), file: join(elsewhere, 'x.ini') }).settings.coordinator_dir).toBe(join(elsewhere, 'state'));
  });

  test("starts at the file's folder when it is the default", () => {
    const cwd = folder({ 'config.ini': '' });
    expect(loadSettings({ cwd: REPO, file: join(cwd, 'config.ini') }).settings.coordinator_dir).toBe(join(cwd, 'data/coordinator'));
  });

  test('starts at the current directory when a flag names it', () => {
    const cwd = folder({});
    const { settings } = loadSettings({ cwd, file: join(REPO, 'config.ini'), flags: { coordinator_dir: 'state' } });
    expect(settings.coordinator_dir).toBe(join(cwd, 'state'));
  });

  test('stays as it is when it is absolute', () => {
    expect(loadSettings({ cwd: REPO, flags: { coordinator_dir: '/var/lib/codis' } }).settings.coordinator_dir).toBe('/var/lib/codis');
  });
});
