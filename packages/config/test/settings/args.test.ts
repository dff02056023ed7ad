import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratchDir } from '../../../../test/harness/process.ts';
import { isCodisError } from '../../src/model/index.ts';
import { flagsFor, type Program, type ProgramArgs, parseProgramArgs, SETTINGS, type Setting } from '../../src/settings/index.ts';

const USAGE = {
  command: 'codis-proxy',
  about: 'Serves Redis clients.',
  examples: ['codis-proxy --proxy-id proxy_2'],
  switches: [{ flag: '--dry-run', about: 'Only checks the configuration.' }],
};

function parse(argv: string[], program: Program = 'proxy'): ProgramArgs {
  const cwd = scratchDir('args');
  writeFileSync(join(cwd, 'config.ini'), 'product_name = from_file\nproxy_id = file_id');
  writeFileSync(join(cwd, 'other.ini'), 'product_name = other');
  return parseProgramArgs({ program, argv, usage: USAGE, cwd });
}

function run(argv: string[]): Extract<ProgramArgs, { kind: 'run' }> {
  const parsed = parse(argv);
  if (parsed.kind !== 'run') throw new Error(`it is ${parsed.kind}`);
  return parsed;
}

function problems(argv: string[]): string {
  try {
    parse(argv);
  } catch (error) {
    if (isCodisError(error, 'CODIS_E_BAD_CONFIG')) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a command line', () => {
  test('without anything takes the file', () => {
    expect(run([]).settings).toMatchObject({ product_name: 'from_file', proxy_id: 'file_id' });
    expect(run([]).switches.size).toBe(0);
  });

  test.each([['-c', 'other.ini'], ['-cother.ini'], ['--config', 'other.ini'], ['--config=other.ini']])(
    '%s names another file',
    (...argv) => {
      expect(run(argv).settings.product_name).toBe('other');
    },
  );

  test.each([
    [['--proxy-id', 'p2']],
    [['--proxy-id=p2']],
    [['--proxy-id', 'p1', '--proxy-id', 'p2']],
    [['-c', 'other.ini', '--proxy-id', 'p2']],
  ])('%j overrides the file, the last one holding', (argv) => {
    expect(run(argv).settings.proxy_id).toBe('p2');
  });

  test('gives the switches that were set', () => {
    expect([...run(['--dry-run']).switches]).toEqual(['--dry-run']);
  });

  test.each([
    [['--proxi-id', 'p2'], /^--proxi-id: there is no such flag; did you mean --proxy-id\?/m],
    [['--xyzzy'], /--xyzzy: there is no such flag\n/],
    [['-x'], /-x: there is no such flag/],
    [['--proxy-id'], /--proxy-id: needs a value/],
    [['--proxy-id', '--workers', '1'], /--proxy-id: needs a value/],
    [['-c'], /--config: needs a value/],
    [['--dry-run=1'], /--dry-run: takes no value/],
    [['start'], /"start": what is this\?/],
    [['--session-auth', 'x'], /--session-auth: is a secret and has no flag.*set session_auth in config.ini/],
    [['--dashboard-addr', 'h:1'], /--dashboard-addr: is not read by this program/],
    [['--workers', '0'], /^--workers: 0 is out of range/],
    [['--', 'x'], /"x": what is this/],
  ])('%j is refused with its reason', (argv, reason) => {
    expect(problems(argv).replace(/^ {2}/gm, '')).toMatch(reason);
  });

  test('has all its problems listed at once, and points at --help', () => {
    expect(problems(['--nope', '--proxy-id', '-c', 'x']).split('\n')).toHaveLength(5);
    expect(problems(['--nope'])).toContain('see codis-proxy --help');
  });
});

describe('--help', () => {
  const text = (program: Program) => {
    const parsed = parse(['--nonsense', '-h'], program);
    return parsed.kind === 'help' ? parsed.text : '';
  };

  test('begins with what the program is and examples', () => {
    expect(text('proxy').split('\n').slice(0, 4)).toEqual(['Serves Redis clients.', '', 'Examples:', '  codis-proxy --proxy-id proxy_2']);
  });

  test.each<Program>(['proxy', 'dashboard', 'config'])('of %s names every key that it reads, and no other', (program) => {
    for (const [name, entry] of Object.entries(SETTINGS)) {
      const setting: Setting = entry;
      const shown = new RegExp(`^ {2}--${name.replaceAll('_', '-')} `, 'm').test(text(program));
      expect([name, shown]).toEqual([name, setting.programs.includes(program) && setting.secret !== true]);
    }
  });

  test('fits a terminal of 100 columns', () => {
    expect(
      text('proxy')
        .split('\n')
        .filter((line) => line.length > 100),
    ).toEqual([]);
  });
});

test('--version tells name and version', () => {
  expect(parse(['--version'])).toEqual({ kind: 'version', text: expect.stringMatching(/^codis-proxy \d+\.\d+\.\d+$/) as string });
});

test('secrets have no flag, for command lines are public', () => {
  expect(flagsFor('proxy').map(({ name }) => name)).not.toContain('session_auth');
});
