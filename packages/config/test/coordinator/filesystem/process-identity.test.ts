import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { eventually, start } from '../../../../../test/harness/process.ts';
import { asProcessIdentity, isGone, ownIdentity } from '../../../src/coordinator/filesystem/process-identity.ts';

const own = ownIdentity();
const PID_OF_NOBODY = 2 ** 22 + 1;

describe('whether a process is gone', () => {
  it('this one is not', () => {
    expect(own.started).toMatch(/^\d+$/);
    expect(isGone(ownIdentity(), own)).toBe(false);
  });

  it('one that was killed is, and so is one whose pid now belongs to another', async () => {
    const child = start('sleep', ['60']);
    expect(isGone({ ...own, pid: child.pid }, own)).toBe(true);
    await child.stop();
    expect(isGone({ ...own, pid: child.pid }, own)).toBe(true);
    expect(isGone({ ...own, started: '1' }, own)).toBe(true);
  });

  it('one that has ended but was not waited for is', async () => {
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60']);
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const zombie = { ...own, pid: Number(printed.toString()) };
    await eventually(() => isGone(zombie, own), { what: 'the child to end' });
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it('one from before the machine was started again is', () => {
    expect(isGone({ ...own, boot: 'another boot' }, own)).toBe(true);
  });

  it('one in another pid namespace can’t be seen from here, so it is not', () => {
    expect(isGone({ ...own, pid: PID_OF_NOBODY, pidNamespace: 'pid:[1]' }, own)).toBe(false);
  });

  it('without /proc the pid alone decides', () => {
    const bare = { started: null, boot: null, pidNamespace: null };
    expect(isGone({ pid: process.pid, ...bare }, own)).toBe(false);
    expect(isGone({ pid: PID_OF_NOBODY, ...bare }, own)).toBe(true);
  });

  it('is not asked of what is no identity', () => {
    expect(() => asProcessIdentity({ ...own, pid: -1 })).toThrow('pid is -1');
    expect(() => asProcessIdentity({ ...own, started: 5 })).toThrow('started of a process is 5');
  });
});
