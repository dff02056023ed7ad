// Keys: where one lives, which are hot, and which are big.

import type { BigKeysView, FoundKeyView } from '@codis/config/api';
import { useState } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { GroupMark } from '../components/chip.tsx';
import { PageHead } from '../components/layout.tsx';
import { SearchAnswer, SearchBox } from '../components/locate.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Ago } from '../components/value.tsx';
import { bytes, printable } from '../lib/format.ts';
import { rich, t } from '../lib/words.ts';
import { useResource } from '../state/resource.ts';
import { to } from '../state/router.ts';
import { loadSlotStats, slotStatsBusy, slotStatsProblem } from '../state/slot-stats.ts';
import { HotKeys } from './hot-keys.tsx';

export function KeysPage() {
  return (
    <>
      <PageHead title={t('Keys')} />
      <section>
        <h2>{t('Where is a key?')}</h2>
        <SearchBox label={t('Key')} onFound={() => undefined} />
        <SearchAnswer />
        <p class="hint">{t('With a part in braces only that part decides, so keys that share it share a slot.')}</p>
      </section>
      <HotKeys />
      <BigKeys />
    </>
  );
}

const COLUMNS: readonly Column<FoundKeyView>[] = [
  { title: 'Key', cell: ({ key }) => <code>{printable(key)}</code> },
  { title: 'Memory', numeric: true, cell: (key) => bytes(key.bytes) },
  { title: 'Slot', numeric: true, cell: ({ slot }) => <a href={to('slots', slot)}>{slot}</a> },
  { title: 'Group', cell: ({ group }) => <GroupMark group={group} /> },
  { title: 'Database', numeric: true, cell: ({ db }) => db },
];

function BigKeys() {
  const [looks, setLooks] = useState(0);
  const { view, problem } = useResource<BigKeysView>('/keys/big', [looks]);
  const look = () => loadSlotStats({ refresh: true }).then(() => setLooks(looks + 1));
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Big keys')}</h2>
        <span class="hint">{view?.at == null ? '' : rich('as of {ago}', { ago: <Ago at={view.at} /> })}</span>
        <span class="spring" />
        <Button block={slotStatsBusy.value ? t('The servers are being looked through.') : null} onClick={() => void look()}>
          {slotStatsBusy.value ? t('Looking …') : t('Look through the servers now')}
        </Button>
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      {slotStatsProblem.value === null ? null : <ProblemBox problem={slotStatsProblem.value} />}
      <Table
        caption={t('Big keys')}
        columns={COLUMNS}
        rows={view?.keys ?? []}
        rowKey={({ key, db }) => `${db} ${key}`}
        empty={
          <Empty
            text={t(
              'None is known. Keys are met when the servers are looked through: the button above does it, at replicas where there are some; or type:',
            )}
            cli="codis-config key big"
          />
        }
      />
      {(view?.basis ?? []).map((sentence) => (
        <p key={sentence} class="hint">
          <Said text={sentence} />
        </p>
      ))}
    </section>
  );
}
