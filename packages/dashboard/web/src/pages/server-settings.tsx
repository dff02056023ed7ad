// What an operator says of a server: where it stands, and whether clients that said READONLY may read from it.

import type { ChangeView, ServerStatusView, SetServerRequest } from '@codis/config/api';
import { signal } from '@preact/signals';
import { type Action, openAction } from '../components/action.tsx';
import { WriteButton } from '../components/button.tsx';
import { Field } from '../components/field.tsx';
import { Value } from '../components/value.tsx';
import { t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { epoch } from '../state/live.ts';

interface Props {
  readonly group: number;
  readonly server: ServerStatusView;
}

const zoneText = signal('');

export function Zone({ group, server: { addr, zone } }: Props) {
  const open = () => {
    zoneText.value = zone ?? '';
    openAction(zoning(group, addr));
  };
  return (
    <span class="actions">
      <Value text={zone ?? '—'} why={t('nobody has said where it stands')} />
      <WriteButton label={t('Zone of {addr} …', { addr })} onClick={open}>
        {t('Zone …')}
      </WriteButton>
    </span>
  );
}

function zoning(group: number, addr: string): Action {
  const typed = () => zoneText.value.trim();
  return {
    title: t('Say where {addr} stands', { addr }),
    effect: [t('It is a label for people: nothing is routed by it. It stays with the address when another server becomes master.')],
    cli: () => (checkZone(zoneText.value) === null ? `codis-config server set ${addr} --zone ${typed() || 'none'}` : null),
    details: <Field label={t('Zone')} value={zoneText} check={checkZone} placeholder="az1" hint={t('Empty: not said.')} autofocus />,
    block: () => checkZone(zoneText.value),
    run: async () => {
      const notes = await set(group, addr, { zone: typed() || null });
      return {
        said: typed() === '' ? t('{addr} has no zone now', { addr }) : t('{addr} stands in {zone}', { addr, zone: typed() }),
        notes,
      };
    },
  };
}

/** What a zone may be called; empty: not said. */
export function checkZone(text: string): string | null {
  const zone = text.trim();
  if (zone === '' || (/^[A-Za-z0-9._-]{1,32}$/.test(zone) && zone !== 'none')) return null;
  return t('Write 1 to 32 letters, digits, dots, dashes or underscores, and not none.');
}

/** A switch, for a replica. */
export function ReplicaReads({ group, server: { addr, role, replicaReads } }: Props) {
  if (role === 'master') return <Value text="—" why={t('a master answers all clients')} />;
  return (
    <WriteButton
      label={t('Clients’ READONLY reads from {addr}', { addr })}
      checked={replicaReads}
      onClick={() => openAction(switching(group, addr, !replicaReads))}
    >
      {replicaReads ? t('on') : t('off')}
    </WriteButton>
  );
}

function switching(group: number, addr: string, on: boolean): Action {
  const body: SetServerRequest = { replicaReads: on };
  return {
    title: on
      ? t('Switch clients’ READONLY reads from {addr} on', { addr })
      : t('Switch clients’ READONLY reads from {addr} off', { addr }),
    effect: on
      ? [t('Clients that said READONLY may be answered by {addr}, with data that is older than what they wrote or read before.', { addr })]
      : [
          t(
            '{addr} answers no client any more. Those that said READONLY are answered by another replica of group {group} whose reads are on, else by its master, which has that much more to do.',
            { addr, group },
          ),
          t('It goes on following its master, and can be promoted as before.'),
        ],
    cli: `codis-config server set ${addr} --replica-reads ${on ? 'on' : 'off'}`,
    rehearsal: { method: 'PUT', path: pathOf(group, addr), body },
    run: async () => ({
      said: on ? t('READONLY reads from {addr} are on', { addr }) : t('READONLY reads from {addr} are off', { addr }),
      notes: await set(group, addr, body),
    }),
  };
}

async function set(group: number, addr: string, body: SetServerRequest): Promise<readonly string[]> {
  const { notes } = await call<ChangeView>('PUT', pathOf(group, addr), { body, epoch: epoch.value });
  return notes;
}

const pathOf = (group: number, addr: string) => `/groups/${group}/servers/${encodeURIComponent(addr)}`;
