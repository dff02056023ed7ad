// Groups: who is master, who follows whom, as it was asked for and as it is.

import type { ChangeView, EventView, GroupStatusView, ServerStatusView } from '@codis/config/api';
import { type Action, ActionButton } from '../components/action.tsx';
import { WriteButton } from '../components/button.tsx';
import { Chip, GroupMark } from '../components/chip.tsx';
import { WhyButton } from '../components/explain.tsx';
import { PageHead } from '../components/layout.tsx';
import { Empty } from '../components/problem.tsx';
import { PromoteButton } from '../components/promote.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Meter, Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { bytes, count, duration, percent, plural, rate, UNKNOWN } from '../lib/format.ts';
import { type Placed, replicationTree } from '../lib/replication.ts';
import { SLOT_COUNT } from '../lib/slots.ts';
import { msg, t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { epoch, status } from '../state/live.ts';
import { navigate, route, to } from '../state/router.ts';
import { draftOfDrain } from '../state/wizard.ts';
import { AddServerButton } from './add-server.tsx';
import { LastFailure, useLastFailures } from './last-failures.tsx';
import { ReplicaReads, Zone } from './server-settings.tsx';

export function GroupsPage() {
  const groups = status.value?.groups ?? [];
  const wanted = route.value.kind === 'page' ? route.value.object : null;
  const shown = wanted === null ? groups : groups.filter(({ id }) => String(id) === wanted);
  const next = Math.max(0, ...groups.map(({ id }) => id)) + 1;
  const failures = useLastFailures();
  return (
    <>
      <PageHead title={wanted === null ? t('Groups') : t('Group {id}', { id: wanted })}>
        {wanted === null ? (
          <AddServerButton group={next} label={t('Add a group …')} primary />
        ) : (
          <a href={to('groups')}>{t('all groups')}</a>
        )}
      </PageHead>
      {shown.length === 0 ? (
        <Empty
          text={
            wanted === null
              ? t('No group yet. A group is a master and its replicas; “Add a group …” makes one; or type:')
              : t('There is no group {id}.', { id: wanted })
          }
          cli={wanted === null ? 'codis-config server add 1 127.0.0.1:6379 master' : 'codis-config server list'}
        />
      ) : (
        shown.map((group) => <GroupCard key={group.id} group={group} failure={failures.get(group.id)} />)
      )}
    </>
  );
}

function GroupCard({ group, failure }: { group: GroupStatusView; failure: EventView | undefined }) {
  const { id, slotsCount, servers } = group;
  const masterUp = servers.some(({ role, up }) => role === 'master' && up);
  const wrong = servers.filter(({ problem }) => problem !== null);
  return (
    <section class="card" aria-label={t('Group {id}', { id })}>
      <div class="card-head">
        <h2>
          <a href={to('groups', id)}>
            <GroupMark group={id} />
          </a>
        </h2>
        <a href={`${to('slots')}?group=${id}`}>
          {plural(slotsCount, 'slot')} ({percent((slotsCount / SLOT_COUNT) * 100)})
        </a>
        <span class="spring" />
        <AddServerButton group={id} label={t('Add a server …')} />
        {servers.length > 1 ? <PromoteButton group={id} addr={null} primary={!masterUp} /> : null}
        <DrainButton group={group} />
        {servers.length === 0 ? <RemoveGroup group={group} /> : null}
        <WhyButton of={{ group: id }} about={t('Group {id}', { id })} />
      </div>
      {wrong.map(({ addr, up, problem }) => (
        <p key={addr} class="note">
          {up ? <Chip level="warn" word="warning" /> : <Chip level="error" word="down" />} <Said text={problem ?? ''} />
        </p>
      ))}
      <LastFailure event={failure} />
      <Table
        caption={t('Servers of group {id}', { id })}
        columns={columnsOf(id, { masterUp })}
        rows={replicationTree(servers)}
        rowKey={({ server: { addr } }) => addr}
        empty={
          <Empty
            text={t('No server in this group, so it can have no slots.')}
            cli={`codis-config server add ${id} 127.0.0.1:6379 master`}
          />
        }
      />
    </section>
  );
}

const DOWN = msg('the server does not answer');

function columnsOf(group: number, { masterUp }: { masterUp: boolean }): readonly Column<Placed>[] {
  return [
    { title: 'Server', cell: ({ server: { addr }, depth }) => <span class={`server depth-${Math.min(depth, 3)}`}>{addr}</span> },
    { title: 'Role', cell: ({ server }) => <Role server={server} /> },
    { title: 'Zone', cell: ({ server }) => <Zone group={group} server={server} /> },
    { title: 'State', cell: ({ server: { up } }) => <Chip level={up ? 'ok' : 'error'} word={up ? 'up' : 'down'} /> },
    { title: 'Link', cell: ({ server, depth }) => <Link server={server} depth={depth} /> },
    { title: 'Clients’ READONLY reads', cell: ({ server }) => <ReplicaReads group={group} server={server} /> },
    { title: 'Keys', numeric: true, cell: ({ server }) => <Value text={count(server.keysCount)} why={DOWN} /> },
    { title: 'Requests', numeric: true, cell: ({ server }) => <Value text={rate(server.opsPerSecond)} why={DOWN} /> },
    { title: 'Memory', cell: ({ server }) => <Memory server={server} /> },
    { title: 'Redis', cell: ({ server: { version } }) => <Value text={version ?? '—'} why={DOWN} /> },
    {
      title: 'Up for',
      numeric: true,
      cell: ({ server: { uptimeSeconds: seconds } }) => <Value text={duration(seconds === null ? null : seconds * 1000)} why={DOWN} />,
    },
    {
      title: 'Change',
      cell: ({ server }) => (
        <span class="actions">
          {masterUp && strays(server) ? <Replicate group={group} server={server} /> : null}
          <RemoveServer group={group} server={server} />
        </span>
      ),
    },
  ];
}

function Role({ server: { role, observedRole } }: { server: ServerStatusView }) {
  if (observedRole === null || observedRole === role) return <>{apiWord(role)}</>;
  return (
    <>
      {apiWord(role)}{' '}
      <Chip level="warn" word={t('is a {role}', { role: apiWord(observedRole) })} title={t('as asked for, and as its Redis says')} />
    </>
  );
}

function Link({ server: { up, observedRole, linkUp, sync, lagBytes, lagSeconds, replicates }, depth }: Placed) {
  if (!up) return <Value text="—" why={DOWN} />;
  if (observedRole !== 'replica') return <Value text="—" why={t('a master follows nobody')} />;
  if (sync !== null) {
    const [read, all] = [bytes(sync.readBytes), bytes(sync.totalBytes)];
    const word =
      sync.totalBytes === null ? t('receives a full copy: {read}', { read }) : t('receives a full copy: {read} of {all}', { read, all });
    return <Chip level="busy" word={word} />;
  }
  return (
    <span title={replicates === null ? undefined : t('follows {addr}', { addr: replicates })}>
      <Chip level={linkUp ? 'ok' : 'error'} word={linkUp ? 'linked' : 'broken'} />{' '}
      <Value text={lagBytes === null ? UNKNOWN : t('{lag} behind', { lag: bytes(lagBytes) })} why={t('master or replica did not say')} />
      {lagSeconds === null ? '' : t(', heard {duration} ago', { duration: duration(lagSeconds * 1000) })}
      {depth > 1 ? <span class="hint"> {t('follows {addr}', { addr: replicates })}</span> : null}
    </span>
  );
}

function Memory({ server: { addr, usedMemoryBytes, maxMemoryBytes } }: { server: ServerStatusView }) {
  if (usedMemoryBytes === null) return <Value text="—" why={DOWN} />;
  if (maxMemoryBytes === null || maxMemoryBytes === 0) return <span title={t('no maxmemory is set')}>{bytes(usedMemoryBytes)}</span>;
  return (
    <Meter
      value={usedMemoryBytes}
      max={maxMemoryBytes}
      label={t('memory of {addr}', { addr })}
      text={t('{used} of {max}', { used: bytes(usedMemoryBytes), max: bytes(maxMemoryBytes) })}
    />
  );
}

/** It should follow the master, and does not. */
const strays = ({ role, up, observedRole, linkUp }: ServerStatusView) =>
  role === 'replica' && up && (observedRole === 'master' || linkUp === false);

function Replicate({ group, server: { addr, keysCount } }: { group: number; server: ServerStatusView }) {
  const holds = (keysCount ?? 0) > 0;
  const action: Action = {
    title: t('Have {addr} follow the master', { addr }),
    effect: [
      t('{addr} becomes a replica of the master of group {group}, and takes over its keys.', { addr, group }),
      ...(holds ? [t('It holds {keys} keys. Those that the master does not have are lost.', { keys: count(keysCount) })] : []),
    ],
    cli: `codis-config server replicate ${group} ${addr}${holds ? ' --force' : ''}`,
    danger: holds,
    ...(holds ? { typed: addr } : {}),
    run: async () => {
      const body = holds ? { force: true } : {};
      const path = `/groups/${group}/servers/${encodeURIComponent(addr)}/replicate`;
      const { notes } = await call<ChangeView>('POST', path, { body, epoch: epoch.value });
      return { said: t('{addr} follows the master of group {group}', { addr, group }), notes };
    },
  };
  return <ActionButton action={action} label={t('Follow the master …')} />;
}

function RemoveServer({ group, server: { addr } }: { group: number; server: ServerStatusView }) {
  const action: Action = {
    title: t('Remove {addr}', { addr }),
    effect: [t('{addr} leaves group {group}. The Redis itself, and its data, are left alone.', { addr, group })],
    cli: `codis-config server remove ${group} ${addr}`,
    rehearsal: { method: 'DELETE', path: `/groups/${group}/servers/${encodeURIComponent(addr)}` },
    danger: true,
    run: async () => {
      const { notes } = await call<ChangeView>('DELETE', `/groups/${group}/servers/${encodeURIComponent(addr)}`, { epoch: epoch.value });
      return { said: t('{addr} is in group {group} no more', { addr, group }), notes };
    },
  };
  return <ActionButton action={action} label={t('Remove …')} />;
}

function RemoveGroup({ group: { id, slotsCount } }: { group: GroupStatusView }) {
  const action: Action = {
    title: t('Remove group {id}', { id }),
    effect: [t('Group {id} is forgotten. It has no servers and no slots.', { id })],
    cli: `codis-config server remove-group ${id}`,
    rehearsal: { method: 'DELETE', path: `/groups/${id}` },
    danger: true,
    run: async () => {
      const { notes } = await call<ChangeView>('DELETE', `/groups/${id}`, { epoch: epoch.value });
      return { said: t('Group {id} is gone', { id }), notes };
    },
  };
  return (
    <ActionButton action={action} label={t('Remove …')} block={slotsCount > 0 ? t('It still has slots; move them away first.') : null} />
  );
}

function DrainButton({ group: { id, slotsCount } }: { group: GroupStatusView }) {
  return (
    <WriteButton
      label={t('Drain group {id}', { id })}
      block={slotsCount === 0 ? t('It has no slots.') : null}
      onClick={() => {
        draftOfDrain(id);
        navigate(to('migrations', 'new'));
      }}
    >
      {t('Drain …')}
    </WriteButton>
  );
}
