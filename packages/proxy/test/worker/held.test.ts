import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRequest } from '../../src/resp/replies.ts';
import { FRAME, type Frame, RequestScanner } from '../../src/resp/request-scanner.ts';
import { copyFrame, reframe } from '../../src/worker/held.ts';
import { bytes } from '../resp/scan.ts';

const argsOf = (frame: Frame): string[] =>
  Array.from({ length: frame.argc }, (_, at) => frame.buf.toString('latin1', frame.args[at * 2], frame.args[at * 2 + 1]));

test('a request that was held is the same request afterwards', () => {
  const arg = fc.string({ unit: fc.constantFrom(...'ab\r\n$*1\xff'), maxLength: 20 });
  fc.assert(
    fc.property(fc.array(fc.array(arg, { minLength: 1, maxLength: 10 }), { minLength: 1, maxLength: 5 }), (requests) => {
      const scanner = new RequestScanner(1 << 20);
      scanner.feed(Buffer.concat(requests.map((args) => encodeRequest(args.map(bytes)))));
      const held = requests.map(() => {
        expect(scanner.next()).toBe(FRAME);
        return copyFrame(scanner.frame);
      });
      expect(held.map((copy) => argsOf(reframe(copy)))).toEqual(requests);
    }),
  );
});

test('a held request does not keep the bytes it came in', () => {
  const input = encodeRequest(['SET', 'key', 'value']);
  const scanner = new RequestScanner(1 << 20);
  scanner.feed(input);
  scanner.next();
  const held = copyFrame(scanner.frame);
  input.fill(0);
  expect(argsOf(reframe(held))).toEqual(['SET', 'key', 'value']);
});

test('an inline command is held as the array it stands for', () => {
  const scanner = new RequestScanner(1 << 20);
  scanner.feed(bytes('SET "a key" 1\r\n'));
  scanner.next();
  expect(copyFrame(scanner.frame)).toEqual(encodeRequest(['SET', 'a key', '1']));
});

test('a request of thousands of arguments is the same afterwards', () => {
  const args = Array.from({ length: 5000 }, (_, at) => String(at));
  expect(argsOf(reframe(encodeRequest(args)))).toEqual(args);
});

test('what never was a request is a bug that shows', () => {
  expect(() => reframe(bytes('*1\r\n$4\r\nPIN'))).toThrow('what was a request once is one still');
});
