import { describe, expect, test } from 'vitest';
import { StallWatch, type Watched } from '../../src/primary/stall-watch.ts';

class Member implements Watched {
  askedCount = 0;
  up = true;
  readonly ask = () => {
    this.askedCount++;
  };
  readonly isUp = () => this.up;
}

function watch(
  timeoutSeconds: number,
  members: readonly Member[],
): { watch: StallWatch<Member>; stalled: Member[]; pass(seconds: number): void } {
  const stalled: Member[] = [];
  const watching = new StallWatch({ members: () => members, timeoutSeconds, onStalled: (member) => stalled.push(member) });
  const pass = (seconds: number) => {
    for (let second = 0; second < seconds; second++) watching.tick();
  };
  return { watch: watching, stalled, pass };
}

describe('a worker', () => {
  test('that answers is asked every second and never counts as stalled', () => {
    const member = new Member();
    const { watch: watching, stalled, pass } = watch(3, [member]);
    for (let second = 0; second < 20; second++) {
      pass(1);
      watching.forget(member);
    }
    expect([stalled, member.askedCount]).toEqual([[], 20]);
  });

  test('that is silent is asked once, and stalled when its time is over; others are not', () => {
    const [silent, other] = [new Member(), new Member()];
    const { watch: watching, stalled, pass } = watch(3, [silent, other]);
    for (let second = 0; second < 4; second++) {
      pass(1);
      watching.forget(other);
    }
    expect([stalled, silent.askedCount]).toEqual([[], 1]);
    pass(1);
    expect(stalled).toEqual([silent]);
  });

  test('that says something at the last moment has all its time again', () => {
    const member = new Member();
    const { watch: watching, stalled, pass } = watch(3, [member]);
    pass(4);
    watching.forget(member);
    pass(4);
    expect(stalled).toEqual([]);
    pass(1);
    expect(stalled).toEqual([member]);
  });

  test('that has not come up yet gets half a minute', () => {
    const member = new Member();
    member.up = false;
    const { stalled, pass } = watch(3, [member]);
    pass(31);
    expect(stalled).toEqual([]);
    pass(1);
    expect(stalled).toEqual([member]);
  });
});
