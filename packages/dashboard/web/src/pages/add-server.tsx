// Adding a server to a group: it is asked first, and what it says of itself is shown before anything changes.

import type { AddServerRequest, ChangeView, ProbedServerView, ProbeView, RoleName } from '@codis/config/api';
import { signal } from '@preact/signals';
import { type Action, openAction } from '../components/action.tsx';
import { WriteButton } from '../components/button.tsx';
import { Chip } from '../components/chip.tsx';
import { address, Field } from '../components/field.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { bytes, count } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { msg, t } from '../lib/words.ts';
import { asProblem, call, type Problem } from '../state/api.ts';
import { epoch, status } from '../state/live.ts';
import { checkZone } from './server-settings.tsx';

const addr = signal('');
const role = signal<RoleName>('replica');
const force = signal(false);
const zone = signal('');
const probed = signal<ProbedServerView | null>(null);
const problem = signal<Problem | null>(null);
const busy = signal(false);

export function AddServerButton({ group, label, primary = false }: { group: number; label: string; primary?: boolean }) {
  return (
    <WriteButton primary={primary} label={t('{label} (group {group})', { label, group })} onClick={() => openAction(adding(group))}>
      {label}
    </WriteButton>
  );
}

function hasMaster(group: number): boolean {
  return status.value?.groups.find(({ id }) => id === group)?.servers.some((server) => server.role === 'master') ?? false;
}

/** A group that has a master gets a replica unless one says otherwise. */
function adding(group: number): Action {
  role.value = hasMaster(group) ? 'replica' : 'master';
  force.value = false;
  zone.value = '';
  probed.value = null;
  problem.value = null;
  return {
    title: t('Add a server to group {group}', { group }),
    effect: [
      hasMaster(group)
        ? t(
            'Group {group} has a master, so the server is attached as its replica: it takes over the master’s keys, and its own are lost.',
            { group },
          )
        : t('The server becomes the master of group {group}. Its keys stay.', { group }),
    ],
    cli: () =>
      address(addr.value) === null && checkZone(zone.value) === null
        ? `codis-config server add ${group} ${addr.value.trim()} ${role.value}${force.value ? ' --force' : ''}${zoneTyped() === '' ? '' : ` --zone ${zoneTyped()}`}`
        : null,
    details: <AddServerFields />,
    block: () =>
      address(addr.value) ??
      checkZone(zone.value) ??
      (probed.value?.addr === addr.value.trim() ? whyNot(probed.value) : t('Look at the server first.')),
    run: async () => {
      const body: AddServerRequest = {
        addr: addr.value.trim(),
        role: role.value,
        ...(force.value ? { force: true } : {}),
        ...(zoneTyped() === '' ? {} : { zone: zoneTyped() }),
      };
      const { notes } = await call<ChangeView>('POST', `/groups/${group}/servers`, { body, epoch: epoch.value });
      const said = t('{addr} is a {role} of group {group} now', { addr: addr.value.trim(), role: apiWord(role.value), group });
      addr.value = '';
      return { said, notes };
    },
  };
}

const zoneTyped = () => zone.value.trim();

function AddServerFields() {
  const look = async () => {
    busy.value = true;
    problem.value = null;
    try {
      const { servers } = await call<ProbeView>('POST', '/servers/probe', { body: { addrs: [addr.value.trim()] } });
      probed.value = servers[0] ?? null;
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
        }}
      >
        <Field label={t('Address')} value={addr} check={address} placeholder="127.0.0.1:6379" autofocus />
        <WriteButton submit block={busy.value ? t('It is being asked.') : address(addr.value)} onClick={() => void look()}>
          {t('Look at it')}
        </WriteButton>
      </form>
      <Field
        label={t('Zone')}
        value={zone}
        check={checkZone}
        placeholder="az1"
        hint={t('Where it stands, a label for people. Empty: not said.')}
      />
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
      {probed.value === null || probed.value.addr !== addr.value.trim() ? null : <Probed server={probed.value} />}
    </>
  );
}

/** Why it can’t be added; null when it can. */
function whyNot({ problem: wrong, group }: ProbedServerView): string | null {
  if (wrong !== null) return told(wrong) ?? wrong;
  return group === null ? null : t('It is in group {group} already.', { group });
}

const SILENT = msg('it did not say');

function Probed({ server }: { server: ProbedServerView }) {
  const why = whyNot(server);
  return (
    <>
      <dl class="facts">
        <dt>{t('State')}</dt>
        <dd>{why === null ? <Chip level="ok" word="can be used" /> : <Chip level="error" word={why} />}</dd>
        <dt>{t('Its own role')}</dt>
        <dd>
          {server.role === null ? (
            <Value text="—" why={SILENT} />
          ) : server.master === null ? (
            apiWord(server.role)
          ) : (
            t('{role} of {master}', { role: apiWord(server.role), master: server.master })
          )}
        </dd>
        <dt>Redis</dt>
        <dd>{server.version ?? <Value text="—" why={SILENT} />}</dd>
        <dt>{t('Keys')}</dt>
        <dd>
          <Value text={count(server.keysCount)} why={SILENT} />
        </dd>
        <dt>{t('Memory')}</dt>
        <dd>
          <Value text={bytes(server.usedMemoryBytes)} why={SILENT} />
        </dd>
        <dt>{t('Password')}</dt>
        <dd>{server.role === null ? <Value text="—" why={SILENT} /> : t('product_auth is right for it')}</dd>
        <dt>{t('Persistence')}</dt>
        <dd>{server.persistence ?? <Value text="—" why={SILENT} />}</dd>
      </dl>
      {(server.keysCount ?? 0) > 0 ? (
        <label class="choice">
          <input
            type="checkbox"
            checked={force.value}
            onChange={(event) => {
              force.value = event.currentTarget.checked;
            }}
          />
          <span>
            {role.value === 'replica'
              ? t('Although it holds keys: they are lost')
              : t('Although it holds keys: they stay, and are served where their slots are this group’s')}
          </span>
        </label>
      ) : null}
    </>
  );
}
