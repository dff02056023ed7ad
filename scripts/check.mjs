// Every check of the house, one after another: types and build, format and lint, type-aware lint, tests. All run whatever the ones before
// found; the last line printed is `N passed, N failed`, where a check that is not made of tests counts as one.
//
// Plain JavaScript, because it must run when the build does not. It owns node_modules/.cache/codis-test, the tests' scratch directory: emptied
// before, removed afterwards; and a temporary directory for each run. What failed is said again, by name, just before the last line. Invariant: no process
// of a run outlives it, and no temporary file; one that would is killed or removed, and fails the run.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CONSOLE_BUILD, onPath, TOP } from './bootstrap.mjs';
import { endLeftovers, RUN_MARK } from './leftovers.mjs';

const SCRATCH = join(TOP, 'node_modules/.cache/codis-test');
const RESULTS = join(SCRATCH, 'results.json');
const bin = (path) => join(TOP, 'node_modules', path);

/** `tests`: its verdict is counted by test, not by its exit code alone. */
const STEPS = [
  { name: 'types and build', script: bin('typescript/bin/tsc'), args: ['-b'] },
  { name: 'web console', script: bin(CONSOLE_BUILD.script), args: CONSOLE_BUILD.args },
  {
    name: 'format and lint',
    script: bin('@biomejs/biome/bin/biome'),
    args: ['ci', '--error-on-warnings', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`, '.'],
  },
  { name: 'type-aware lint', script: bin('oxlint/bin/oxlint'), args: ['--type-aware', '--deny-warnings'] },
  {
    name: 'tests',
    script: bin('vitest/vitest.mjs'),
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`],
    tests: true,
  },
];

/** Gives the exit code: 0 when everything passed. */
export async function check() {
  // A short name: sockets are made in it, whose paths may have 107 bytes.
  const temporary = mkdtempSync(join(tmpdir(), 'codis-'));
  /** @type {{ mark: string, temporary: string, group: number | null, interrupted: string | null, failures: string[] }} */
  const run = { mark: `${process.pid}-${Date.now()}`, temporary, group: null, interrupted: null, failures: [] };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => interrupt(run, signal));
  emptyScratch();
  const total = { passed: 0, failed: 0 };
  for (const step of STEPS) {
    if (run.interrupted === null) add(total, await runStep(step, run));
  }
  add(total, await noProcesses(run));
  add(total, noTemporaryFiles(run));
  for (const dir of [SCRATCH, temporary]) rmSync(dir, { recursive: true, force: true });
  if (run.interrupted !== null) {
    console.log(`Stopped by ${run.interrupted}; nothing is left running.`);
    return 130;
  }
  for (const line of run.failures) console.log(`✗ ${line}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

async function runStep(step, run) {
  console.log(`\n— ${step.name}`);
  const code = await runProgram(step, run);
  if (run.interrupted !== null) return { passed: 0, failed: 0 };
  if (step.tests) return countTests(code, run);
  if (code === 0) return { passed: 1, failed: 0 };
  run.failures.push(`${step.name} failed (exit code ${code})`);
  return { passed: 0, failed: 1 };
}

/** In a process group of its own, which is told to end when this process dies. */
function runProgram({ script, args }, run) {
  const guard = onPath('setpriv') ? ['setpriv', '--pdeathsig', 'TERM', '--'] : [];
  const [command, ...rest] = [...guard, process.execPath, script, ...args];
  const env = { ...process.env, [RUN_MARK]: run.mark, TMPDIR: run.temporary };
  const child = spawn(command, rest, { cwd: TOP, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true });
  run.group = child.pid ?? null;
  return new Promise((done) => {
    child.once('error', (error) => {
      console.log(`${command}: ${error.message}`);
      done(127);
    });
    child.once('exit', (code, signal) => done(code ?? signal));
  }).finally(() => {
    run.group = null;
  });
}

/** A file that could not be run at all, an error outside of every test, and a run without tests are failures too. */
function countTests(code, run) {
  let results;
  try {
    results = JSON.parse(readFileSync(RESULTS, 'utf8'));
  } catch (error) {
    run.failures.push(`the tests gave no results (exit code ${code}): ${error.message}`);
    return { passed: 0, failed: 1 };
  }
  const unrun = results.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  let failed = results.numFailedTests + unrun.length;
  for (const file of unrun) run.failures.push(`${relative(TOP, file.name)} could not be run`);
  for (const file of results.testResults) {
    for (const test of file.assertionResults.filter((one) => one.status === 'failed')) {
      run.failures.push(`${relative(TOP, file.name)}: ${test.fullName}`);
    }
  }
  if (failed === 0 && (code !== 0 || results.numPassedTests === 0)) {
    run.failures.push(`the test run failed as a whole (exit code ${code}, ${results.numPassedTests} tests passed)`);
    failed = 1;
  }
  return { passed: results.numPassedTests, failed };
}

async function noProcesses(run) {
  const left = await endLeftovers({ mark: run.mark, directory: SCRATCH, graceMs: run.interrupted === null ? 5000 : 0 });
  if (left.length === 0 || run.interrupted !== null) return { passed: 0, failed: 0 };
  for (const { pid, command } of left) run.failures.push(`process ${pid} was left running (it is killed now): ${command}`);
  return { passed: 0, failed: 1 };
}

function noTemporaryFiles(run) {
  const left = readdirSync(run.temporary);
  if (left.length === 0 || run.interrupted !== null) return { passed: 0, failed: 0 };
  for (const name of left) run.failures.push(`${name} was left in the temporary directory (it is removed now)`);
  return { passed: 0, failed: 1 };
}

/** The first signal asks what runs to end, another one kills it. */
function interrupt(run, signal) {
  const again = run.interrupted !== null;
  run.interrupted = signal;
  if (run.group === null) return;
  try {
    process.kill(-run.group, again ? 'SIGKILL' : 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function emptyScratch() {
  rmSync(SCRATCH, { recursive: true, force: true });
  mkdirSync(SCRATCH, { recursive: true });
}

function add(total, { passed, failed }) {
  total.passed += passed;
  total.failed += failed;
}
