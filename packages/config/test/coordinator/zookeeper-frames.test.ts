// The stream of ZooKeeper's frames, in whatever pieces it arrives (duty 2 of the wrapper, and linear time).

import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../src/coordinator/zookeeper/frames.ts';
import { framed } from './scripted-zookeeper.ts';

const FRAMES = [framed(Buffer.from('first')), framed(), framed(Buffer.alloc(300, 'x')), framed(Buffer.from('last'))];
const STREAM = Buffer.concat(FRAMES);

describe('frames', () => {
  it('come out whole, with their length, when all arrive at once', () => {
    expect(new FrameReader().push(STREAM)).toEqual(FRAMES);
  });

  it('come out whole when the stream arrives byte by byte', () => {
    const reader = new FrameReader();
    expect([...STREAM].flatMap((byte) => reader.push(Buffer.from([byte])))).toEqual(FRAMES);
  });

  it('come out whole at every split in two', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      const reader = new FrameReader();
      expect([...reader.push(STREAM.subarray(0, at)), ...reader.push(STREAM.subarray(at))]).toEqual(FRAMES);
    }
  });

  it('a large frame in small pieces is put together once, not once per piece', () => {
    const body = Buffer.alloc(16 * 1024 * 1024, 'x');
    const stream = framed(body);
    const reader = new FrameReader();
    const concat = Buffer.concat;
    let copiedBytes = 0;
    Buffer.concat = (list: readonly Uint8Array[]) => {
      const joined = concat(list);
      copiedBytes += joined.length;
      return joined;
    };
    try {
      let frames: Buffer[] = [];
      for (let at = 0; at < stream.length; at += 4096) frames = reader.push(stream.subarray(at, at + 4096));
      expect(frames).toHaveLength(1);
    } finally {
      Buffer.concat = concat;
    }
    expect(copiedBytes).toBeLessThan(stream.length * 2);
  });

  it.each([-1, -2_147_483_648, 64 * 1024 * 1024 + 1, 0x2d455252])('a length of %i is refused: that is not ZooKeeper', (length) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    expect(() => new FrameReader().push(bytes)).toThrow('not ZooKeeper');
    const reader = new FrameReader();
    reader.push(framed(Buffer.from('fine')));
    expect(() => reader.push(bytes)).toThrow(`a frame of ${length} bytes`);
  });
});
