// What a dashboard really sends: it looks at a cluster whose master is down, and somebody listens at alert_webhook.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PATHS } from '@codis/config/coordinator';
import { addGroup, addServer, asGroupId, asServerAddr, asSlot, assignSlots, emptyTopology, encodeTopology } from '@codis/config/model';
import { afterAll, expect, test } from 'vitest';
import { eventually, freePort } from '../../../../test/harness/process.ts';
import { startDashboard } from '../support.ts';

interface Heard {
  readonly status: string;
  readonly alerts: readonly { readonly labels: { readonly alertname: string }; readonly status: string }[];
}

const heard: Heard[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    heard.push(JSON.parse(body) as Heard);
    response.end();
  });
});
afterAll(() => server.close());

const names = () => heard.flatMap(({ alerts }) => alerts.map(({ labels, status }) => `${labels.alertname} ${status}`));

test('what is silenced before it fires is told when its silence ends, and once', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const dashboard = await startDashboard({ flags: { alert_webhook: `http://127.0.0.1:${port}/` } });
  const group = asGroupId(1);
  const master = { group, addr: asServerAddr(`127.0.0.1:${await freePort()}`), role: 'master' } as const;
  const topology = assignSlots(addServer(addGroup(emptyTopology(), group), master), { first: asSlot(0), last: asSlot(1023), owner: group });
  await dashboard.ok('POST', '/slots/init', {});
  await dashboard.coordinator.commit([{ op: 'set', path: PATHS.topology, data: encodeTopology(topology) }]);
  const alert = '/alerts/slots-unserved:1';
  const state = async () => {
    await dashboard.observe();
    const { alerts } = (await dashboard.ok('GET', '/alerts')).json as { alerts: { id: string; state: string }[] };
    return alerts.find(({ id }) => id === 'slots-unserved:1')?.state;
  };
  expect(await state()).toBe('pending');
  await dashboard.ok('POST', `${alert}/silence`, { minutes: 5 });
  await eventually(async () => (await state()) === 'silenced', { what: 'it to fire in silence', everyMs: 200 });
  expect(names()).not.toContain('slots-unserved firing');
  await dashboard.ok('POST', `${alert}/silence`, { minutes: 0 });
  expect(await state()).toBe('firing');
  await eventually(() => names().includes('slots-unserved firing'), { what: 'it to be told' });
  await dashboard.ok('POST', `${alert}/acknowledge`);
  expect(await state()).toBe('acknowledged');
  expect(names().filter((name) => name === 'slots-unserved firing')).toHaveLength(1);
});
