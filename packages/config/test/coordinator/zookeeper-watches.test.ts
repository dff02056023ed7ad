// Level-triggered watches, against a source whose reads end when the test says so: the moments that a real server hits by chance only.

import { describe, expect, it } from 'vitest';
import { Watches } from '../../src/coordinator/zookeeper/watches.ts';

/** Reads under way, oldest first, and what they armed. */
class Source {
  readonly reads: { readonly path: string; readonly fire: () => void; end(value: string): void; fail(error: Error): void }[] = [];
  readonly failures: unknown[] = [];
  readonly watches = new Watches<string>({
    read: (path, onChange) => new Promise((end, fail) => this.reads.push({ path, fire: onChange, end, fail })),
    same: (a, b) => a === b,
    failed: (_, error) => this.failures.push(error) < 0,
  });

  /** Ends the oldest read, and lets what follows from it happen. Returns what fires its watch. */
  async end(value: string): Promise<() => void> {
    const read = this.reads.shift()!;
    read.end(value);
    await settled();
    return read.fire;
  }
}

const settled = () => new Promise((done) => setImmediate(done));

function listen(source: Source, path = 'topology'): { told: string[]; stop: () => void } {
  const told: string[] = [];
  return { told, stop: source.watches.add(path, (value) => told.push(value)) };
}

describe('watches', () => {
  it('a change while the path is read makes it be read again, and the newer value is told last', async () => {
    const source = new Source();
    const { told } = listen(source);
    source.reads[0]!.fire();
    await source.end('old');
    expect(source.reads).toHaveLength(1);
    await source.end('new');
    expect(told).toEqual(['old', 'new']);
    expect(source.reads).toEqual([]);
  });

  it('one that begins while a newer value is on its way is not told the old one', async () => {
    const source = new Source();
    const first = listen(source);
    const fire = await source.end('old');
    fire();
    const second = listen(source);
    await settled();
    expect(second.told).toEqual([]);
    await source.end('new');
    expect([first.told, second.told]).toEqual([['old', 'new'], ['new']]);
  });

  it('several on one path share one read, and later ones are told what is known', async () => {
    const source = new Source();
    const all = [listen(source), listen(source)];
    expect(source.reads).toHaveLength(1);
    await source.end('v0');
    const late = listen(source);
    expect(late.told).toEqual([]);
    await settled();
    expect([...all, late].map(({ told }) => told)).toEqual([['v0'], ['v0'], ['v0']]);
    expect(source.reads).toEqual([]);
  });

  it('the same value read again is not told again', async () => {
    const source = new Source();
    const { told } = listen(source);
    await source.end('v0');
    source.watches.pause();
    source.watches.resume();
    await source.end('v0');
    expect(told).toEqual(['v0']);
  });

  it('a path that nobody listens to is forgotten when its watch fires, when its connection ends, or when it was not armed', async () => {
    const source = new Source();
    const fired = listen(source, 'fired');
    const fire = await source.end('v0');
    fired.stop();
    expect(source.watches.size).toBe(1);
    fire();
    expect(source.watches.size).toBe(0);

    const cutOff = listen(source, 'cut off');
    await source.end('v0');
    cutOff.stop();
    source.watches.pause();
    expect(source.watches.size).toBe(0);

    const waiting = listen(source, 'waiting');
    source.reads.shift()!.fail(new Error('cut off'));
    await settled();
    waiting.stop();
    expect(source.watches.size).toBe(0);
    expect(source.failures).toHaveLength(1);
  });

  it('a path that is watched again before its watch has fired is armed already', async () => {
    const source = new Source();
    listen(source).stop();
    await source.end('v0');
    const { told } = listen(source);
    await settled();
    expect(told).toEqual(['v0']);
    expect(source.reads).toEqual([]);
  });

  it('nothing is told after close, also of a read under way', async () => {
    const source = new Source();
    const { told } = listen(source);
    source.watches.close();
    await source.end('v0');
    expect(told).toEqual([]);
    expect(listen(source).told).toEqual([]);
    expect(source.watches.size).toBe(0);
  });
});
