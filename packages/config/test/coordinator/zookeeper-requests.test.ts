// What is refused before ZooKeeper is asked, and how its answers are told. The numbers are the duties of a wrapper in DEPENDENCIES.

import { describe, expect, it } from 'vitest';
import type { Op } from '../../src/coordinator/coordinator.ts';
import { connectionString } from '../../src/coordinator/zookeeper/addresses.ts';
import { asSessionId, sameNode } from '../../src/coordinator/zookeeper/node.ts';
import { explain, ZookeeperFailure } from '../../src/coordinator/zookeeper/replies.ts';
import { checkPacket } from '../../src/coordinator/zookeeper/transaction.ts';
import { openZookeeperCoordinator } from '../../src/coordinator/zookeeper/zookeeper.ts';

describe('servers and products', () => {
  it('several servers are named in one string', () => {
    expect(connectionString(['ZK1:2181', '127.0.0.1:2182'])).toBe('zk1:2181,127.0.0.1:2182');
  });

  it.each(['[::1]:2181', '[fe80::1]:2181'])('22: an IPv6 server %s is refused at once, and told what to do instead', (server) => {
    expect(() => connectionString(['zk1:2181', server])).toThrow(expect.objectContaining({ code: 'CODIS_E_BAD_ADDRESS' }));
    expect(() => connectionString([server])).toThrow('host name');
  });

  it.each([[], ['zk1'], ['zk1:0'], ['zk1:65536'], ['zk1:2181,zk2:2181'], ['zk1:2181/chroot'], ['']])(
    '%j is no list of servers',
    (...servers) => {
      expect(() => openZookeeperCoordinator({ servers, product: 'demo', sessionTimeoutMs: 1000 })).toThrow(
        expect.objectContaining({ code: 'CODIS_E_BAD_ADDRESS' }),
      );
    },
  );

  it.each(['', '.', '..', 'a/b', 'a b', 'ü'])('%j is no product', (product) => {
    expect(() => openZookeeperCoordinator({ servers: ['zk1:2181'], product, sessionTimeoutMs: 1000 })).toThrow(
      expect.objectContaining({ code: 'CODIS_E_BAD_CONFIG' }),
    );
  });
});

describe('packets', () => {
  const steps = (count: number, nameLength: number): Op[] =>
    Array.from({ length: count }, (_, index) => ({ op: 'check', path: String(index).padStart(nameLength, '0'), version: 0 }));

  it('15: many small steps are refused when their packet is one ZooKeeper drops the connection for', () => {
    expect(() => checkPacket(steps(10_000, 27), '/codis/x')).not.toThrow();
    expect(() => checkPacket(steps(10_000, 28), '/codis/x')).toThrow(expect.objectContaining({ code: 'CODIS_E_VALUE_TOO_LARGE' }));
  });

  it('15: paths count in bytes, not in characters', () => {
    const ops: Op[] = [{ op: 'check', path: '数'.repeat(340_000), version: 0 }];
    expect(() => checkPacket(ops, '/codis/x')).toThrow(expect.objectContaining({ code: 'CODIS_E_VALUE_TOO_LARGE' }));
  });
});

describe('failures', () => {
  const told = (code: number, write: boolean) => explain(new ZookeeperFailure(code), { what: 'set topology', write });

  it.each([
    ['10: a write without an answer is unknown', -4, true, 'CODIS_E_COORDINATOR_UNKNOWN'],
    ['a read without an answer is lost', -4, false, 'CODIS_E_COORDINATOR_LOST'],
    ['7: a write that was never sent is lost, not unknown', 1, true, 'CODIS_E_COORDINATOR_LOST'],
    ['a write refused because the session is over is lost', -112, true, 'CODIS_E_COORDINATOR_LOST'],
    ['12: a write refused because the session has moved is lost', -118, true, 'CODIS_E_COORDINATOR_LOST'],
    ['12: a quota is a refusal', -125, true, 'CODIS_E_COORDINATOR_REFUSED'],
    ['12: throttling is a refusal', -127, false, 'CODIS_E_COORDINATOR_REFUSED'],
  ])('%s', (_, code, write, expected) => {
    expect(told(code, write)).toMatchObject({ code: expected, message: expect.stringContaining('set topology'), cause: { code } });
  });

  it('a bug stays a bug', () => {
    const bug = new TypeError('x is not a function');
    expect(explain(bug, { what: 'read topology', write: false })).toBe(bug);
  });
});

describe('longs', () => {
  it('24: a session id is shown as ZooKeeper shows it, with all 64 bits', () => {
    expect(asSessionId(Buffer.from('1000a2b3c4d50001', 'hex'))).toBe('0x1000a2b3c4d50001');
    expect(asSessionId(Buffer.from('ff00a2b3c4d5ffff', 'hex'))).toBe('0xff00a2b3c4d5ffff');
  });
});

describe('two reads of a node', () => {
  const node = { data: Buffer.from('v0'), version: 0, owner: null, createdBy: 7n };

  it('are the same when nothing has happened to it', () => {
    expect(sameNode(node, { ...node, data: Buffer.from('v0') })).toBe(true);
    expect(sameNode(null, null)).toBe(true);
  });

  it.each([
    ['it was set, to the same bytes even', { ...node, version: 1 }],
    ['it was deleted and created again', { ...node, createdBy: 9n }],
    ['it is gone', null],
    ['6: a server that came back empty has counted to the same numbers with other bytes', { ...node, data: Buffer.from('other') }],
  ])('differ when %s', (_, other) => {
    expect(sameNode(node, other)).toBe(false);
    expect(sameNode(other, node)).toBe(false);
  });
});
