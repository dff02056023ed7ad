// Goal: with all rules obeyed, no acknowledged write is ever lost, stale or brought back, whatever the order in which proxies, controllers and servers do
// things, stop, lose their sessions and come back. With any one rule broken, the simulation notices: so it can see, and each rule is needed.
// Method: random scripts against the model's own functions (script.ts). A failure prints its seed, path and the shrunk script; that becomes a test.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RULES, type Rule } from './rules.ts';
import { run, type Step, scripts } from './script.ts';
import { Violation } from './world.ts';

const RUNS = 5000;
/** With this seed the slowest to be noticed is ackIsChecked, after 1900 runs; the rest is for changes of the scripts. */
const SEED = 20_261_123;
const RUNS_TO_NOTICE_MAX = 10_000;

const without = (rule: Rule) => ({ ...RULES, [rule]: false });

test('no acknowledged write is lost, stale or brought back', () => {
  fc.assert(
    fc.property(scripts, (script) => run(RULES, script)),
    { numRuns: RUNS },
  );
}, 60_000);

describe('the simulation notices when a rule is broken:', () => {
  test.each(Object.keys(RULES) as Rule[])(
    '%s',
    (rule) => {
      const result = fc.check(
        fc.property(scripts, (script) => run(without(rule), script)),
        { numRuns: RUNS_TO_NOTICE_MAX, seed: SEED, endOnFailure: true },
      );
      expect(result.failed).toBe(true);
      expect(result.errorInstance).toBeInstanceOf(Violation);
    },
    60_000,
  );
});

describe('what it found', () => {
  test('a proxy that slept through a move there and back still believes in the first one, and would hand a live key over', () => {
    const script: Step[] = [
      // It loses its session, but hears of the move from A to B before it falls asleep, and has a connection to A that it may use.
      { do: 'lose', proxy: 0 },
      { do: 'begin-move-without', proxy: 0 },
      { do: 'settle', proxy: 0 },
      // The slot arrives at B, where it is written, and moves back to A.
      { do: 'move-without', proxy: 0 },
      { do: 'call', proxy: 1, operation: { kind: 'write', key: 'a' }, fate: 'done' },
      { do: 'move-without', proxy: 0 },
      // It wakes, and has A hand the key over to B, where nobody will look for it.
      { do: 'call', proxy: 0, operation: { kind: 'write', key: 'a' }, fate: 'done' },
      { do: 'call', proxy: 1, operation: { kind: 'read', key: 'a' }, fate: 'done' },
    ];
    expect(() => run(without('fenceAtBothSides'), script)).toThrow(Violation);
    run(RULES, script);
  });
});
