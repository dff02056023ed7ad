// From nothing to a cluster: four steps, each of which says by itself when it is done.

import type { ProbedServerView, ProbeView, SetupView } from '@codis/config/api';
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Button, WriteButton } from '../components/button.tsx';
import { Chip, type Level } from '../components/chip.tsx';
import { Copy } from '../components/copy.tsx';
import { address, Field } from '../components/field.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { Said } from '../components/said.tsx';
import { type Column, Table } from '../components/table.tsx';
import { TryProxy } from '../components/try-proxy.tsx';
import { Value } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { bytes, count, plural } from '../lib/format.ts';
import { told } from '../lib/told.ts';
import { rich, t } from '../lib/words.ts';
import { asProblem, call, type Problem } from '../state/api.ts';
import { status } from '../state/live.ts';
import { toastDone } from '../state/toasts.ts';

/** Outside of the component: what was typed outlives a change of the page. */
const typed = signal('');
const probed = signal<ProbeView | null>(null);
const problem = signal<Problem | null>(null);
const busy = signal<string | null>(null);
const force = signal(false);

/** Once begun it stays until it is closed, so that its last step is seen. */
const begun = signal(false);
/** The cluster was made in this page: then its last step is looked at without another click. */
const madeHere = signal(false);

export function FirstRun() {
  const current = status.value;
  if (current === null) return null;
  const complete = current.groups.length > 0 && current.slots.offline < current.slots.total && current.proxies.length > 0;
  if (complete && !begun.value) return null;
  begun.value = true;
  const hasGroups = current.groups.length > 0;
  const hasSlots = hasGroups && current.slots.offline === 0;
  const proxy = current.proxies.find(({ state }) => state === 'online');
  return (
    <section class="first-run" aria-labelledby="first-run">
      <h2 id="first-run">{t('Four steps to a cluster')}</h2>
      <ol class="steps">
        <Step done title={t('The coordinator answers')} text={t('The dashboard can read and write where the slot table is kept.')} />
        <Step done={hasGroups} title={t('Name the Redis servers')}>
          {hasGroups ? null : <Addresses />}
        </Step>
        <Step done={hasSlots} title={t('Make groups of them and share out the 1024 slots')}>
          {hasSlots ? null : <Proposal />}
        </Step>
        <Step done={proxy !== undefined} title={t('Start a proxy')}>
          {proxy === undefined ? <StartProxy /> : null}
        </Step>
      </ol>
      {proxy === undefined || !hasSlots ? null : <TryIt id={proxy.id} addr={proxy.addr} />}
      {complete ? (
        <Button
          onClick={() => {
            begun.value = false;
          }}
        >
          {t('Close these steps')}
        </Button>
      ) : null}
    </section>
  );
}

function Step({ done, title, text, children }: { done: boolean; title: string; text?: string; children?: ComponentChildren }) {
  return (
    <li class={done ? 'done' : ''}>
      <h3>
        <Chip level={done ? 'ok' : 'idle'} word={done ? 'done' : 'to do'} /> {title}
      </h3>
      {text === undefined ? null : <p class="hint">{text}</p>}
      {children}
    </li>
  );
}

function addresses(): string[] {
  return [...new Set(typed.value.split(/[\s,;]+/).filter((part) => part !== ''))];
}

function checkAddresses(text: string): string | null {
  if (text.trim() === '') return t('Paste the addresses of the Redis servers.');
  const wrong = addresses().find((addr) => address(addr) !== null);
  return wrong === undefined ? null : address(wrong);
}

function Addresses() {
  const block = busy.value ?? checkAddresses(typed.value);
  const look = async () => {
    busy.value = t('The servers are being asked.');
    problem.value = null;
    try {
      probed.value = await call<ProbeView>('POST', '/servers/probe', { body: { addrs: addresses() } });
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = null;
    }
  };
  return (
    <>
      <Field
        label={t('Addresses of masters and replicas')}
        multiline
        value={typed}
        check={checkAddresses}
        placeholder={'127.0.0.1:6379\n127.0.0.1:6380'}
        hint={t('host:port of each, separated by spaces or lines. Who is a master and who replicates whom is found out.')}
      />
      <WriteButton primary={probed.value === null} block={block} onClick={() => void look()}>
        {t('Look at the servers')}
      </WriteButton>
      {problem.value === null ? null : <ProblemBox problem={problem.value} />}
    </>
  );
}

function stateOf({ problem: wrong, group }: ProbedServerView): { level: Level; word: string } {
  if (wrong !== null) return { level: 'error', word: told(wrong) ?? wrong };
  return group === null ? { level: 'ok', word: 'can be used' } : { level: 'ok', word: t('in group {group} already', { group }) };
}

const COLUMNS: readonly Column<ProbedServerView>[] = [
  { title: 'Server', cell: ({ addr }) => addr },
  {
    title: 'Role',
    cell: ({ role, master }) =>
      role === null ? (
        <Value text="—" why={t('it did not answer')} />
      ) : master === null ? (
        apiWord(role)
      ) : (
        t('{role} of {master}', { role: apiWord(role), master })
      ),
  },
  { title: 'Redis', cell: ({ version }) => version ?? <Value text="—" why={t('it did not answer')} /> },
  { title: 'Keys', numeric: true, cell: ({ keysCount }) => <Value text={count(keysCount)} why={t('it did not answer')} /> },
  { title: 'Memory', numeric: true, cell: ({ usedMemoryBytes }) => <Value text={bytes(usedMemoryBytes)} why={t('it did not answer')} /> },
  { title: 'State', cell: (server) => <Chip {...stateOf(server)} /> },
];

function Proposal() {
  const found = probed.value;
  if (found === null) return <p class="hint">{t('Comes when the servers have been looked at.')}</p>;
  const { servers, groups, warnings, cli } = found;
  const line = cli.map((one) => (force.value && one.includes(' server add ') ? `${one} --force` : one)).join(' && ');
  const share = groups.length === 0 ? 0 : Math.floor(1024 / groups.length);
  const make = async () => {
    busy.value = t('The cluster is being made.');
    problem.value = null;
    try {
      const { steps, notes } = await call<SetupView>('POST', '/setup', { body: { groups, ...(force.value ? { force: true } : {}) } });
      madeHere.value = true;
      toastDone(t('Done: {steps}', { steps: plural(steps.length, 'step') }), notes);
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = null;
    }
  };
  return (
    <>
      <Table caption={t('Servers that were found')} columns={COLUMNS} rows={servers} rowKey={({ addr }) => addr} empty={null} />
      {warnings.map((warning) => (
        <p key={warning} class="note">
          <Said text={warning} />
        </p>
      ))}
      <ul>
        {groups.map(({ group, servers: members }) => (
          <li key={group}>
            {rich('{group}: {members}, about {share} slots', {
              group: <strong>{t('group {id}', { id: group })}</strong>,
              members: members.map(({ addr, role }) => `${addr} (${apiWord(role)})`).join(', '),
              share,
            })}
          </li>
        ))}
      </ul>
      {servers.some(({ keysCount }) => (keysCount ?? 0) > 0) ? <Force /> : null}
      <WriteButton
        primary
        block={busy.value ?? (groups.length === 0 ? t('No master was found that could be used.') : null)}
        onClick={() => void make()}
      >
        {t('Make the cluster')}
      </WriteButton>
      {line === '' ? null : <Copy text={line} />}
    </>
  );
}

function Force() {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={force.value}
        onChange={(event) => {
          force.value = event.currentTarget.checked;
        }}
      />
      <span>{t('Also with the keys that are there: masters keep theirs, replicas take over their master’s')}</span>
    </label>
  );
}

function StartProxy() {
  return (
    <>
      <p>{t('On any machine that reaches the coordinator, with the same config.ini:')}</p>
      <Copy text="npx codis-proxy" label={t('Copy')} />
      <p class="hint">{t('It shows here as soon as it has registered.')}</p>
    </>
  );
}

function TryIt({ id, addr }: { id: string; addr: string }) {
  const port = addr.split(':').at(-1) ?? '';
  const host = addr.slice(0, -port.length - 1);
  return (
    <>
      <p>{t('It serves. Any Redis client can use it:')}</p>
      <Copy text={`redis-cli -h ${host} -p ${port} set hello world`} label={t('Copy')} />
      <TryProxy id={id} atOnce={madeHere.value} />
    </>
  );
}
