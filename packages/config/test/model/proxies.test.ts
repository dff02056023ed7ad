import { describe, expect, test } from 'vitest';
import {
  asEpoch,
  asProxyId,
  decodeProxyLive,
  decodeProxyRegistration,
  encodeProxyLive,
  encodeProxyRegistration,
  missingAcks,
  type ProxyView,
  whyUnconfirmed,
} from '../../src/model/index.ts';

const view = (id: string, epoch: number | null, wanted: ProxyView['wanted'] = 'online'): ProxyView => ({
  id: asProxyId(id),
  addr: '127.0.0.1:19000',
  adminAddr: '127.0.0.1:11080',
  wanted,
  live: epoch === null ? null : { epoch: asEpoch(epoch), pid: 1, startedAt: '2026-01-01T00:00:00.000Z' },
});

describe('missingAcks', () => {
  test('nobody is missing where nobody is, or all have acknowledged this epoch or a later one', () => {
    expect(missingAcks([], asEpoch(5))).toEqual({ behind: [], lost: [] });
    expect(missingAcks([view('a', 5), view('b', 9)], asEpoch(5))).toEqual({ behind: [], lost: [] });
  });

  test('an acknowledgement of an earlier epoch is none', () => {
    expect(missingAcks([view('a', 4), view('b', 5)], asEpoch(5))).toEqual({ behind: ['a'], lost: [] });
  });

  test('a proxy without a session is lost, which is no acknowledgement', () => {
    expect(missingAcks([view('a', null), view('b', 5)], asEpoch(5))).toEqual({ behind: [], lost: ['a'] });
  });

  test('one that should be offline counts like any other, for it may not have heard of it', () => {
    expect(missingAcks([view('a', null, 'offline'), view('b', 4, 'offline')], asEpoch(5))).toEqual({ behind: ['b'], lost: ['a'] });
  });
});

test('a proxy that gave up a connection is a reason not to lock what goes to that server, and no other', () => {
  const p1 = view('p1', 5);
  const proxies = [view('p0', null), view('p2', 5), { ...p1, live: { ...p1.live!, unconfirmed: ['a:1', 'b:1'] } }];
  expect(whyUnconfirmed(proxies, ['c:1', 'b:1'])).toMatch(/^proxy p1 gave up a connection to b:1 /);
  expect(whyUnconfirmed(proxies, ['c:1'])).toBe(null);
});

describe('what a proxy stores', () => {
  const { live: _, ...registration } = view('p1', null);
  const live = view('p1', 7).live!;

  test('is read back as it was written', () => {
    expect(decodeProxyRegistration(encodeProxyRegistration(registration))).toEqual(registration);
    for (const more of [{}, { goneWorkers: [1, 2] }, { unconfirmed: ['127.0.0.1:1'] }]) {
      expect(decodeProxyLive(encodeProxyLive({ ...live, ...more }))).toEqual({ ...live, ...more });
    }
  });

  test.each<[string, object, RegExp]>([
    ['an id that is none', { id: 'a b' }, /not a proxy id/],
    ['no address', { addr: undefined }, /an address is missing/],
    ['no admin address', { adminAddr: 5 }, /an address is missing/],
    ['an unknown wish', { wanted: 'asleep' }, /wanted is "asleep"/],
  ])('a registration with %s is refused', (_, damage, message) => {
    const act = () => decodeProxyRegistration(Buffer.from(JSON.stringify({ ...registration, ...damage })));
    expect(act).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
    expect(act).toThrow(message);
  });

  test.each<[string, object, RegExp]>([
    ['no epoch', { epoch: undefined }, /not an epoch/],
    ['an epoch that is none', { epoch: -1 }, /not an epoch/],
    ['no pid', { pid: '1' }, /pid or startedAt is missing/],
    ['dead workers that are no numbers', { goneWorkers: ['1'] }, /goneWorkers is \["1"\]/],
    ['one dead worker', { goneWorkers: 1 }, /goneWorkers is 1/],
    ['unconfirmed servers that are none', { unconfirmed: [1] }, /unconfirmed is \[1\]/],
    ['no beginning', { startedAt: undefined }, /pid or startedAt is missing/],
  ])('a session with %s is refused', (_, damage, message) => {
    const act = () => decodeProxyLive(Buffer.from(JSON.stringify({ ...live, ...damage })));
    expect(act).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
    expect(act).toThrow(message);
  });

  test.each(['', '{', 'null', '[]', '5'])('%j is refused', (text) => {
    for (const decode of [decodeProxyRegistration, decodeProxyLive]) {
      expect(() => decode(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'CODIS_E_COORDINATOR_CORRUPT' }));
    }
  });
});
