// What somebody should know of without looking.

import type { AlertStateName, AlertsView, AlertView } from '@codis/config/api';
import { type Signal, useSignal } from '@preact/signals';
import { ActionButton } from '../components/action.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { explainable, TryButton, TryList, WhyButton } from '../components/explain.tsx';
import { Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { Steady } from '../components/steady.tsx';
import { Ago, Time } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { printable, sentence } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { msg, rich, t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { alerts, live } from '../state/live.ts';
import { query, route, setQuery, to } from '../state/router.ts';

const STATES: readonly AlertStateName[] = ['firing', 'acknowledged', 'silenced', 'pending', 'resolved'];

export function AlertsPage() {
  const one = route.value.kind === 'page' ? route.value.object : null;
  return one === null ? <AllAlerts /> : <OneAlert id={one} />;
}

/** Where who was told of it by alert_webhook comes in. */
function OneAlert({ id }: { id: string }) {
  const alert = alerts.value.find((known) => known.id === id);
  return (
    <>
      <PageHead title={t('Alert')}>
        <a href={to('alerts')}>{t('all alerts')}</a>
      </PageHead>
      {alert === undefined ? (
        <Empty
          text={t('There is no alert {id} now. One that is over stays for an hour.', { id: printable(id) })}
          cli="codis-config alerts"
        />
      ) : (
        <AlertList alerts={[alert]} />
      )}
    </>
  );
}

function AllAlerts() {
  const wanted = query.value.get('state') ?? 'all';
  const known = STATES.find((state) => state === wanted);
  const shown = alerts.value.filter(({ state }) => wanted === 'all' || state === wanted);
  return (
    <>
      <PageHead title={t('Alerts')}>
        <span class="hint">{rich('Rules last looked at {ago}', { ago: <Ago at={live.value?.alerts.evaluatedAt ?? null} /> })}</span>
      </PageHead>
      <div class="toolbar">
        <Select
          label={t('State')}
          value={wanted}
          options={[{ value: 'all', label: t('all') }, ...STATES.map((state) => ({ value: state as string, label: apiWord(state) }))]}
          onChange={(state) => setQuery({ state: state === 'all' ? null : state })}
        />
      </div>
      {shown.length === 0 ? (
        <Empty
          text={
            wanted === 'all'
              ? t('Nothing is wrong that a rule looks for. Alerts come here by themselves, and stay for an hour after they are resolved.')
              : t('No alert is {wanted}.', { wanted: known === undefined ? wanted : apiWord(known) })
          }
          cli="codis-config alerts"
        />
      ) : (
        <AlertList alerts={shown} />
      )}
    </>
  );
}

function levelOf({ state, severity }: AlertView): Level {
  if (state === 'resolved') return 'ok';
  if (state === 'pending') return 'idle';
  return severity === 'critical' ? 'error' : 'warn';
}

export function AlertList({ alerts: shown }: { alerts: readonly AlertView[] }) {
  return (
    <Steady rows={shown} rowKey={({ id }) => id}>
      {(rows) => (
        <ul class="alerts">
          {rows.map((alert) => (
            <AlertItem key={alert.id} alert={alert} />
          ))}
        </ul>
      )}
    </Steady>
  );
}

function AlertItem({ alert }: { alert: AlertView }) {
  const { text, why, state, severity, object, since, resolvedAt, acknowledgedBy, silencedUntil } = alert;
  const of = explainable(object);
  return (
    <li class={`alert ${levelOf(alert)}`}>
      <p class="alert-text">
        <Chip level={levelOf(alert)} word={apiWord(state === 'firing' ? severity : state)} />{' '}
        <strong>
          <a href={to('alerts', alert.id)}>
            <Said text={sentence(text)} />
          </a>
        </strong>
      </p>
      <p class="hint">
        <Said text={why} /> {rich('Since {at}', { at: <Time at={since} /> })}
        {resolvedAt === null ? '' : rich(', resolved {at}', { at: <Time at={resolvedAt} /> })}
        {acknowledgedBy === null ? '' : t(', acknowledged by {who}', { who: acknowledgedBy })}
        {silencedUntil === null ? '' : rich(', silenced until {at}', { at: <Time at={silencedUntil} /> })}
        {t('.')}
      </p>
      <div class="actions">
        {of === null ? null : <WhyButton of={of} about={text} />}
        {state === 'resolved' ? null : <Steering alert={alert} />}
      </div>
      {state === 'resolved' ? null : <Mending alert={alert} />}
    </li>
  );
}

function Mending({ alert: { try: tries } }: { alert: AlertView }) {
  const [best, ...rest] = tries;
  if (best === undefined) return null;
  return (
    <div class="tries">
      <TryButton entry={best} />
      {best.cli === null ? null : <Copy text={best.cli} />}
      <TryList tries={rest} />
    </div>
  );
}

type Minutes = '15' | '60' | '240' | '1440';
const MINUTES: readonly Minutes[] = ['15', '60', '240', '1440'];
const MINUTE_WORDS: Record<Minutes, string> = {
  '15': msg('15 minutes'),
  '60': msg('an hour'),
  '240': msg('4 hours'),
  '1440': msg('a day'),
};

function Steering({ alert: { id, text: english, state } }: { alert: AlertView }) {
  const minutes = useSignal<Minutes>('60');
  const text = told(english) ?? english;
  const path = `/alerts/${encodeURIComponent(id)}`;
  const acknowledge = {
    title: t('Acknowledge'),
    effect: [t('“{text}” stays in the list as acknowledged by you until it is resolved.', { text })],
    cli: `codis-config alerts acknowledge ${id}`,
    run: async () => {
      await call<AlertsView>('POST', `${path}/acknowledge`, { body: {} });
      return { said: t('Acknowledged') };
    },
  };
  const silence = {
    title: t('Silence'),
    effect: [t('“{text}” does not fire for this long.', { text })],
    cli: () => `codis-config alerts silence ${id} --minutes ${minutes.value}`,
    details: <SilenceFor minutes={minutes} />,
    run: async () => {
      await call<AlertsView>('POST', `${path}/silence`, { body: { minutes: Number(minutes.value) } });
      return { said: t('Silenced for {time}', { time: t(MINUTE_WORDS[minutes.value]) }) };
    },
  };
  const hear = {
    title: t('End the silence'),
    effect: [t('“{text}” fires again, if it still holds.', { text })],
    cli: `codis-config alerts silence ${id} --minutes 0`,
    run: async () => {
      await call<AlertsView>('POST', `${path}/silence`, { body: { minutes: 0 } });
      return { said: t('The silence is over') };
    },
  };
  return (
    <>
      {state === 'firing' ? <ActionButton action={acknowledge} label={t('Acknowledge')} /> : null}
      {state === 'silenced' ? <ActionButton action={hear} label={hear.title} /> : <ActionButton action={silence} label={t('Silence …')} />}
    </>
  );
}

function SilenceFor({ minutes }: { minutes: Signal<Minutes> }) {
  return (
    <Select
      label={t('For')}
      value={minutes.value}
      options={MINUTES.map((value) => ({ value, label: MINUTE_WORDS[value] }))}
      onChange={(value) => {
        minutes.value = value;
      }}
    />
  );
}
