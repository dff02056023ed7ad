// Which keys clients ask for most. Asked for when somebody wants it, so rows stay where they are while one looks at them.

import type { HotKeysView, HotKeyView } from '@codis/config/api';
import { Button } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Ago, Value } from '../components/value.tsx';
import { printable, rate, UNKNOWN } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import { useResource } from '../state/resource.ts';
import { to } from '../state/router.ts';

const LIMIT = 20;

const COLUMNS: readonly Column<HotKeyView>[] = [
  { title: 'Key', cell: ({ key }) => <code>{printable(key)}</code> },
  { title: 'Requests, about', numeric: true, cell: ({ opsPerSecond }) => rate(opsPerSecond) },
  { title: 'Too high by up to', numeric: true, cell: ({ overPerSecond }) => rate(overPerSecond) },
  { title: 'Slot', numeric: true, cell: ({ slot }) => <a href={to('slots', slot)}>{slot}</a> },
  {
    title: 'Group',
    cell: ({ group }) =>
      group === null ? (
        <Value text={UNKNOWN} why={t('its slot belongs to no group')} />
      ) : (
        <a href={to('groups', group)}>
          <GroupMark group={group} />
        </a>
      ),
  },
  { title: 'Database', numeric: true, cell: ({ db }) => db },
];

export function HotKeys() {
  const { view, problem, busy, reload } = useResource<HotKeysView>(`/keys/hot?limit=${LIMIT}`);
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Hot keys')}</h2>
        <span class="hint">{view === null ? '' : rich('as of {ago}', { ago: <Ago at={view.at} /> })}</span>
        <span class="spring" />
        <Button block={busy ? t('The proxies are being asked.') : null} onClick={reload}>
          {t('Refresh hot keys')}
        </Button>
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Table
        caption={t('Hot keys')}
        columns={COLUMNS}
        rows={view?.keys ?? []}
        rowKey={({ key, db, slot }) => `${db} ${slot} ${key}`}
        empty={
          view === null ? null : (
            <Empty
              text={t('None stands out: no key was met more than now and then by the proxies. To see the same:')}
              cli="codis-config key hot"
            />
          )
        }
      />
      {(view?.basis ?? []).map((sentence) => (
        <p key={sentence} class="hint">
          <Said text={sentence} />
        </p>
      ))}
      {view === null || view.keys.length === 0 ? null : <Copy text={`codis-config key hot --limit ${LIMIT}`} />}
    </section>
  );
}
