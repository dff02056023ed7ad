// Alerts, and what people say to them.

import type { AlertsView, SilenceAlertRequest } from '@codis/config/api';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { answers, describes, nullable, ObjectOf, object, Time, Try, words } from '../schemas.ts';

const MINUTES_MAX = 43_200;
const AlertId = Type.String({ minLength: 1, maxLength: 300, description: 'an alert' });
const Alert = object({
  id: AlertId,
  rule: words(
    'slots-unserved',
    'slots-offline',
    'no-replica',
    'replica-broken',
    'replication-lag',
    'memory',
    'proxy-lost',
    'no-proxy',
    'proxy-behind',
    'error-rate',
    'latency',
    'migration-stalled',
    'mixed-versions',
    'coordinator-lost',
    'no-controller',
  ),
  severity: words('critical', 'warning'),
  state: words('pending', 'firing', 'acknowledged', 'silenced', 'resolved'),
  object: ObjectOf,
  text: Type.String(),
  why: Type.String(),
  try: Type.Array(Try),
  since: Time,
  firedAt: nullable(Time),
  resolvedAt: nullable(Time),
  acknowledgedBy: nullable(Type.String()),
  silencedUntil: nullable(Time),
});
const AlertsSchema = describes<AlertsView>()(object({ alerts: Type.Array(Alert), evaluatedAt: nullable(Time) }));
const SilenceBody = describes<SilenceAlertRequest>()(
  object({ minutes: Type.Integer({ minimum: 0, maximum: MINUTES_MAX, description: '0 ends the silence' }) }),
);
const params = Type.Object({ alert: AlertId });

export function alertRoutes(app: App, context: Context): void {
  const { alerts } = context;
  app.get(
    '/alerts',
    { schema: { summary: 'What somebody should know of, worst first', response: answers(AlertsSchema) } },
    async () => alerts.view,
  );
  app.post(
    '/alerts/:alert/acknowledge',
    { schema: { summary: 'Say that somebody looks after it', params, response: answers(AlertsSchema) } },
    (request) => alerts.acknowledge(callerOf(context, request), request.params.alert),
  );
  app.post(
    '/alerts/:alert/silence',
    { schema: { summary: 'Say nothing of it for a while', params, body: SilenceBody, response: answers(AlertsSchema) } },
    (request) => alerts.silence(callerOf(context, request), { id: request.params.alert, minutes: request.body.minutes }),
  );
}
