import { describe, expect, test } from 'vitest';
import { asEpoch, asGroupId, asMigrationId, asProxyId, asServerAddr, asSlot, type ErrorCode, parseAddr } from '../../src/model/index.ts';

const refused = (act: () => unknown, code: ErrorCode) => expect(act).toThrow(expect.objectContaining({ code }));

test('slots go from 0 to 1023', () => {
  expect([asSlot(0), asSlot(1023)]).toEqual([0, 1023]);
  for (const value of [-1, 1024, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) refused(() => asSlot(value), 'CODIS_E_BAD_SLOT');
});

test('group ids go from 1 to 9999', () => {
  expect([asGroupId(1), asGroupId(9999)]).toEqual([1, 9999]);
  for (const value of [0, -1, 10_000, 1.5, Number.NaN]) refused(() => asGroupId(value), 'CODIS_E_BAD_GROUP');
});

test('migration ids go from 1', () => {
  expect(asMigrationId(1)).toBe(1);
  for (const value of [0, -1, 1.5, 2 ** 53]) refused(() => asMigrationId(value), 'CODIS_E_BAD_MIGRATION');
});

test('an epoch is a whole number of 0 or more, and anything else a bug', () => {
  expect(asEpoch(0)).toBe(0);
  for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => asEpoch(value)).toThrow(RangeError);
});

test('proxy ids are 1 to 64 of A-Z a-z 0-9 _ . -', () => {
  for (const id of ['p', 'proxy_1', 'a.b-c', 'x'.repeat(64)]) expect(asProxyId(id)).toBe(id);
  for (const id of ['', '.', '..', 'x'.repeat(65), 'a b', 'a/b', 'a\n', 'ä']) refused(() => asProxyId(id), 'CODIS_E_BAD_PROXY_ID');
});

describe('addresses', () => {
  test.each([
    ['127.0.0.1:6379', '127.0.0.1', 6379],
    ['Redis-1.Example.com:1', 'redis-1.example.com', 1],
    ['localhost:65535', 'localhost', 65535],
    ['[::1]:6379', '::1', 6379],
    ['[FE80::1]:6379', 'fe80::1', 6379],
  ])('%s is host and port', (text, host, port) => {
    expect(parseAddr(text)).toEqual({ host, port });
    expect(asServerAddr(text)).toBe(text.toLowerCase());
  });

  test.each([
    '',
    'host',
    'host:',
    ':6379',
    'host:0',
    'host:65536',
    'host:999999',
    'host:-1',
    'host:6379x',
    '::1:6379',
    '[]:1',
    '[host]:1',
    'a b:1',
    'host:6379\n',
    '[::1]',
  ])('%j is none', (text) => {
    refused(() => parseAddr(text), 'CODIS_E_BAD_ADDRESS');
    refused(() => asServerAddr(text), 'CODIS_E_BAD_ADDRESS');
  });
});
