// Goal: `npm test` fails when anything is wrong, runs everything nevertheless, and leaves neither files nor processes.
// Method: the real runner in a scratch checkout whose compiler, linters and vitest are stand-ins that end as a test wants them to.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Child, eventually, REPO, scratchDir, start, stopAll } from '../harness/process.ts';

const BINARIES = {
  tsc: 'typescript/bin/tsc',
  vite: 'vite/bin/vite.js',
  biome: '@biomejs/biome/bin/biome',
  oxlint: 'oxlint/bin/oxlint',
  vitest: 'vitest/vitest.mjs',
} as const;
type Step = keyof typeof BINARIES;

const testFile = (status: 'passed' | 'failed', ...assertions: ('passed' | 'failed')[]) => ({
  status,
  name: join(REPO, 'test/some.test.ts'),
  assertionResults: assertions.map((of, index) => ({ status: of, fullName: `does thing ${index}` })),
});

/** A vitest that reports so many tests, then ends with `code`. */
function vitestWith(results: { passed: number; failed: number; files?: unknown[]; code?: number; before?: string }): string {
  const report = {
    numPassedTests: results.passed,
    numFailedTests: results.failed,
    testResults: results.files ?? [testFile('passed', 'passed')],
  };
  return `import { writeFileSync } from 'node:fs';
${results.before ?? ''}
const file = process.argv.find((arg) => arg.startsWith('--outputFile.json=')).slice('--outputFile.json='.length);
writeFileSync(file, ${JSON.stringify(JSON.stringify(report))});
process.exit(${results.code ?? 0});`;
}

function checkout(steps: Partial<Record<Step, string>> = {}) {
  const top = scratchDir('check');
  const temporary = scratchDir('temporary');
  mkdirSync(join(top, 'scripts'));
  for (const name of ['bootstrap', 'install-stamp', 'check', 'leftovers'])
    cpSync(join(REPO, `scripts/${name}.mjs`), join(top, `scripts/${name}.mjs`));
  writeFileSync(join(top, 'scripts/run.mjs'), "import { check } from './check.mjs'; process.exit(await check());");
  for (const [step, path] of Object.entries(BINARIES)) {
    const file = join(top, 'node_modules', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(join(file, '../package.json'), '{"type":"module"}');
    const fallback = step === 'vitest' ? vitestWith({ passed: 5, failed: 0 }) : 'process.exit(0);';
    writeFileSync(file, `console.log('ran ${step}');\n${steps[step as Step] ?? fallback}`);
  }
  const scratch = join(top, 'node_modules/.cache/codis-test');
  const run = () => start(process.execPath, [join(top, 'scripts/run.mjs')], { cwd: top, env: { TMPDIR: temporary } });
  return { top, scratch, temporary, run };
}

async function verdict(child: Child): Promise<{ code: number | null; last: string | undefined; output: string }> {
  const code = await child.exited();
  const output = child.output();
  return { code, last: output.trimEnd().split('\n').at(-1), output };
}

afterEach(stopAll);

describe('the last line', () => {
  test('counts the tests, and each other check as one', async () => {
    expect(await verdict(checkout().run())).toMatchObject({ code: 0, last: '9 passed, 0 failed' });
  });

  test.each<Step>(['tsc', 'vite', 'biome', 'oxlint'])('counts a failure of %s, after which all the others ran', async (step) => {
    const { code, last, output } = await verdict(checkout({ [step]: 'process.exit(3);' }).run());
    expect({ code, last }).toEqual({ code: 1, last: '8 passed, 1 failed' });
    for (const name of Object.keys(BINARIES)) expect(output).toContain(`ran ${name}`);
  });

  test('comes after the names of all that failed, for a log is often read from its end', async () => {
    const files = [testFile('failed', 'passed', 'failed'), testFile('failed')];
    const { output } = await verdict(
      checkout({ biome: 'process.exit(3);', vitest: vitestWith({ passed: 4, failed: 1, files, code: 1 }) }).run(),
    );
    expect(output.trimEnd().split('\n').slice(-4)).toEqual([
      '✗ format and lint failed (exit code 3)',
      expect.stringMatching(/^✗ .*test\/some\.test\.ts could not be run$/),
      expect.stringMatching(/^✗ .*test\/some\.test\.ts: does thing 1$/),
      '7 passed, 3 failed',
    ]);
  });

  test.each([
    ['failed tests', vitestWith({ passed: 4, failed: 2, files: [testFile('failed', 'failed', 'failed')], code: 1 }), '8 passed, 2 failed'],
    ['a file that could not be loaded', vitestWith({ passed: 4, failed: 0, files: [testFile('failed')], code: 1 }), '8 passed, 1 failed'],
    ['an error outside of all tests', vitestWith({ passed: 4, failed: 0, code: 1 }), '8 passed, 1 failed'],
    ['a run without tests', vitestWith({ passed: 0, failed: 0, files: [] }), '4 passed, 1 failed'],
    ['a vitest that dies', "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);", '4 passed, 1 failed'],
  ])('counts %s', async (_what, vitest, last) => {
    expect(await verdict(checkout({ vitest }).run())).toMatchObject({ code: 1, last });
  });
});

describe('what a run leaves', () => {
  const lostChild = (dir: string) => `
import { spawn } from 'node:child_process';
const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
child.unref();
writeFileSync('${dir}/lost.pid', String(child.pid));`;

  test('is no process: one that is left fails the run and is killed', async () => {
    const pids = scratchDir('pids');
    const { code, last, output } = await verdict(checkout({ vitest: vitestWith({ passed: 5, failed: 0, before: lostChild(pids) }) }).run());
    expect({ code, last }).toEqual({ code: 1, last: '9 passed, 1 failed' });
    const pid = readFileSync(join(pids, 'lost.pid'), 'utf8');
    expect(output).toContain(`process ${pid} was left running (it is killed now): sleep 600`);
    expect(commandOf(pid)).toBe('');
  });

  test('is no temporary file: one that is left fails the run and is removed', async () => {
    const left = "import { tmpdir } from 'node:os';\nwriteFileSync(tmpdir() + '/lost.sock', '');";
    const { temporary, run } = checkout({ vitest: vitestWith({ passed: 5, failed: 0, before: left }) });
    const { code, last, output } = await verdict(run());
    expect({ code, last }).toEqual({ code: 1, last: '9 passed, 1 failed' });
    expect(output).toContain('✗ lost.sock was left in the temporary directory (it is removed now)\n');
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('is no scratch directory, and nothing of an earlier run is found in it', async () => {
    const { scratch, run } = checkout({
      biome: "import { readdirSync } from 'node:fs'; process.exit(readdirSync('node_modules/.cache/codis-test').length);",
    });
    mkdirSync(scratch, { recursive: true });
    writeFileSync(join(scratch, 'old'), '');
    expect(await verdict(run())).toMatchObject({ code: 0 });
    expect(existsSync(scratch)).toBe(false);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('is nothing after %s in the middle', async (signal) => {
    const pids = scratchDir('pids');
    const hanging = vitestWith({
      passed: 0,
      failed: 0,
      before: `${lostChild(pids)}\nawait new Promise(() => setInterval(() => {}, 1000));`,
    });
    const { scratch, temporary, run } = checkout({ vitest: hanging });
    const child = run();
    await eventually(() => existsSync(join(pids, 'lost.pid')) && readFileSync(join(pids, 'lost.pid'), 'utf8') !== '', {
      what: 'the tests to run',
    });
    expect(await child.stop(signal)).toBe(130);
    expect(commandOf(readFileSync(join(pids, 'lost.pid'), 'utf8'))).toBe('');
    expect(existsSync(scratch)).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

/** Empty for a process that is gone or a zombie. */
function commandOf(pid: string): string {
  return existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
}
