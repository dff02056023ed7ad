// Ephemerals: nodes that live as long as the session that created them.

import { describe, expect, it } from 'vitest';
import { eventually } from '../../../../../test/harness/process.ts';
import { type Bench, committed, create, createEphemeral, refused, remove, seen, sessionOf, set } from './environment.ts';

export function ephemeralContract(bench: Bench): void {
  describe('ephemerals', () => {
    it('an ephemeral names the session that owns it; two sessions never share an id', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, createEphemeral('of-a'));
      await committed(b!, createEphemeral('of-b'));
      expect((await b!.read('of-a'))?.owner).toBe(sessionOf(a));
      expect((await a.read('of-b'))?.owner).toBe(sessionOf(b!));
      expect(sessionOf(a)).not.toBe(sessionOf(b!));
    });

    it('another session may set it, and it keeps its owner', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, createEphemeral('controller', 'a'));
      await committed(b!, set('controller', 'b', 0));
      expect(await a.read('controller')).toMatchObject({ version: 1, owner: sessionOf(a) });
    });

    it('they are gone once close has resolved, and nothing else is', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, create('proxies'), create('proxies/p1'), createEphemeral('proxies/p1/live'), createEphemeral('controller'));
      await committed(b!, createEphemeral('of-b'));
      await a.close();
      expect(await b!.list('')).toEqual(['of-b', 'proxies']);
      expect(await b!.list('proxies/p1')).toEqual([]);
    });

    it('they are gone after a killed session, and only one of those who wait takes its place', async () => {
      const [a, b, c] = await bench.sessions(3);
      await committed(a, createEphemeral('controller', 'a'));
      expect(await refused(b!, createEphemeral('controller', 'b'))).toMatchObject({ reason: 'exists' });
      await bench.environment.killSession(a);
      await eventually(async () => (await b!.read('controller')) === null, {
        what: 'the controller node to go with its session',
        timeoutMs: bench.environment.sessionTimeoutMs * 4 + 5000,
      });
      const results = await Promise.all([b!, c!].map((session) => session.commit([createEphemeral('controller')])));
      expect(results.filter((result) => result.ok)).toHaveLength(1);
    });

    it('one that was deleted and created by another session does not go with the first', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, createEphemeral('controller', 'a'));
      await committed(b!, remove('controller'), createEphemeral('controller', 'b'));
      await a.close();
      expect(seen(await b!.read('controller'))).toBe('b@0');
      expect((await b!.read('controller'))?.owner).toBe(sessionOf(b!));
    });

    it('one that its owner deleted and made persistent stays', async () => {
      const [a, b] = await bench.sessions(2);
      await committed(a, createEphemeral('node', 'brief'));
      await committed(a, remove('node'), create('node', 'lasting'));
      await a.close();
      expect(await b!.read('node')).toMatchObject({ owner: null });
    });
  });
}
