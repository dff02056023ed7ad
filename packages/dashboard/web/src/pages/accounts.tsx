// Who may do what: users, tokens, and one's own password.

import type {
  AddTokenRequest,
  AddUserRequest,
  ChangePasswordRequest,
  ChangeUserRequest,
  SessionView,
  TokenAddedView,
  TokensView,
  TokenView,
  UserRoleName,
  UsersView,
  UserView,
} from '@codis/config/api';
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type Action, ActionButton, openAction } from '../components/action.tsx';
import { Button } from '../components/button.tsx';
import { Copy } from '../components/copy.tsx';
import { Field, Select, wholeNumber } from '../components/field.tsx';
import { Empty, ProblemBox } from '../components/problem.tsx';
import { type Column, Table } from '../components/table.tsx';
import { Time } from '../components/value.tsx';
import { apiWord } from '../lib/api-words.ts';
import { msg, t } from '../lib/words.ts';
import { call } from '../state/api.ts';
import { useResource } from '../state/resource.ts';
import { adminBlock, remember } from '../state/session.ts';

const ROLES: readonly { value: UserRoleName; label: string }[] = [
  { value: 'viewer', label: msg('viewer: looks') },
  { value: 'operator', label: msg('operator: changes the cluster') },
  { value: 'admin', label: msg('admin: also users and tokens') },
];
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/;
const checkName = (text: string) =>
  NAME.test(text) ? null : t('A name is 1 to 32 letters, digits, dashes or underscores, and begins with no dash.');
const checkPassword = (text: string) => (text.length >= 10 ? null : t('A password has at least 10 characters.'));

const form = { name: signal(''), password: signal(''), current: signal(''), role: signal<UserRoleName>('viewer'), days: signal('') };
const newToken = signal<TokenAddedView | null>(null);

/** What was typed for somebody else stays in no dialog. */
function clearForm(role: UserRoleName): void {
  for (const field of [form.name, form.password, form.current, form.days]) field.value = '';
  form.role.value = role;
}

function RoleField() {
  return (
    <Select
      label={t('Role')}
      value={form.role.value}
      options={ROLES}
      onChange={(role) => {
        form.role.value = role;
      }}
    />
  );
}

export function Users() {
  const [changes, setChanges] = useState(0);
  const { view, problem } = useResource<UsersView>('/users', [changes]);
  const changed = () => setChanges((count) => count + 1);
  const add: Action = {
    title: t('Add a user'),
    effect: [t('Whoever has name and password can log in, with the role that is given here.')],
    cli: () => (NAME.test(form.name.value) ? `codis-config auth add-user ${form.name.value} ${form.role.value}` : null),
    details: (
      <>
        <Field label={t('Name')} value={form.name} check={checkName} />
        <Field label={t('Password')} value={form.password} secret autocomplete="new-password" check={checkPassword} />
        <RoleField />
      </>
    ),
    block: () => checkName(form.name.value) ?? checkPassword(form.password.value),
    run: async () => {
      const body: AddUserRequest = { name: form.name.value, role: form.role.value, password: form.password.value };
      await call<UsersView>('POST', '/users', { body });
      form.password.value = '';
      changed();
      return { said: t('{name} can log in as {role}', { name: body.name, role: apiWord(body.role) }) };
    },
  };
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Users')}</h2>
        <span class="spring" />
        <ActionButton action={add} label={t('Add a user …')} onOpen={() => clearForm('viewer')} block={adminBlock.value} />
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Table
        caption={t('Users')}
        columns={userColumns(changed)}
        rows={view?.users ?? []}
        rowKey={({ name }) => name}
        empty={<Empty text={t('No user is known.')} />}
      />
    </section>
  );
}

function userColumns(changed: () => void): readonly Column<UserView>[] {
  const promotion = (name: string): Action => ({
    title: t('Change the role of {name}', { name }),
    effect: [t('{name} may do from now on what the new role allows.', { name })],
    cli: () => `codis-config auth change-user ${name} --role ${form.role.value}`,
    details: <RoleField />,
    run: async () => {
      const body: ChangeUserRequest = { role: form.role.value };
      await call<UsersView>('PUT', `/users/${encodeURIComponent(name)}`, { body });
      changed();
      return { said: t('{name} is {role} now', { name, role: apiWord(form.role.value) }) };
    },
  });
  const removal = (name: string): Action => ({
    title: t('Remove user {name}', { name }),
    effect: [t('{name} can’t log in any more, and is logged out where it is.', { name })],
    cli: `codis-config auth remove-user ${name}`,
    danger: true,
    run: async () => {
      await call<UsersView>('DELETE', `/users/${encodeURIComponent(name)}`);
      changed();
      return { said: t('User {name} is gone', { name }) };
    },
  });
  return [
    { title: 'Name', cell: ({ name }) => name },
    { title: 'Role', cell: ({ role }) => apiWord(role) },
    { title: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: 'Change',
      cell: ({ name, role }) => (
        <span class="actions">
          <ActionButton action={promotion(name)} label={t('Role …')} onOpen={() => clearForm(role)} block={adminBlock.value} />
          <ActionButton action={removal(name)} label={t('Remove …')} block={adminBlock.value} />
        </span>
      ),
    },
  ];
}

export function Tokens() {
  const [changes, setChanges] = useState(0);
  const { view, problem } = useResource<TokensView>('/tokens', [changes]);
  const changed = () => setChanges((count) => count + 1);
  const checkDays = wholeNumber(msg('The days'), { min: 1, max: 3650, optional: true });
  const add: Action = {
    title: t('Add a token'),
    effect: [t('A program that sends it can do what the role allows. It is shown once, after it was made.')],
    cli: () =>
      NAME.test(form.name.value)
        ? `codis-config auth add-token ${form.name.value} ${form.role.value}${form.days.value.trim() === '' ? '' : ` --days ${form.days.value.trim()}`}`
        : null,
    details: (
      <>
        <Field label={t('Name')} value={form.name} check={checkName} />
        <RoleField />
        <Field label={t('Expires after')} unit={t('days')} numeric value={form.days} check={checkDays} placeholder={t('never')} />
      </>
    ),
    block: () => checkName(form.name.value) ?? checkDays(form.days.value),
    run: async () => {
      const days = form.days.value.trim();
      const body: AddTokenRequest = { name: form.name.value, role: form.role.value, expiresInDays: days === '' ? null : Number(days) };
      newToken.value = await call<TokenAddedView>('POST', '/tokens', { body });
      changed();
      return { said: t('Token {name} was made', { name: body.name }) };
    },
  };
  return (
    <section>
      <div class="toolbar">
        <h2>{t('Tokens')}</h2>
        <span class="spring" />
        <ActionButton action={add} label={t('Add a token …')} onOpen={() => clearForm('viewer')} block={adminBlock.value} />
      </div>
      {newToken.value === null ? null : (
        <p class="note" role="status">
          {t('Token {name}, shown this once: ', { name: newToken.value.name })}
          <Copy text={newToken.value.token} label={t('Copy')} />
        </p>
      )}
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Table
        caption={t('Tokens')}
        columns={tokenColumns(changed)}
        rows={view?.tokens ?? []}
        rowKey={({ name }) => name}
        empty={<Empty text={t('No token. A program needs one to use the API.')} />}
      />
    </section>
  );
}

function tokenColumns(changed: () => void): readonly Column<TokenView>[] {
  const removal = (name: string): Action => ({
    title: t('Remove token {name}', { name }),
    effect: [t('Programs that send it are refused from now on.')],
    cli: `codis-config auth remove-token ${name}`,
    danger: true,
    run: async () => {
      await call<TokensView>('DELETE', `/tokens/${encodeURIComponent(name)}`);
      changed();
      return { said: t('Token {name} is gone', { name }) };
    },
  });
  return [
    { title: 'Name', cell: ({ name }) => name },
    { title: 'Role', cell: ({ role }) => apiWord(role) },
    { title: 'Made', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: 'Expires', cell: ({ expiresAt }) => (expiresAt === null ? t('never') : <Time at={expiresAt} />) },
    { title: 'Change', cell: ({ name }) => <ActionButton action={removal(name)} label={t('Remove …')} block={adminBlock.value} /> },
  ];
}

/** One's own. */
export function Password() {
  const action: Action = {
    title: t('Change my password'),
    effect: [t('Every login of before is over, this one too: log in again with the new one.')],
    own: true,
    cli: 'codis-config auth password',
    details: (
      <>
        <Field label={t('Password of now')} value={form.current} secret autocomplete="current-password" />
        <Field label={t('New password')} value={form.password} secret autocomplete="new-password" check={checkPassword} />
      </>
    ),
    block: () => (form.current.value === '' ? t('Write the password of now.') : checkPassword(form.password.value)),
    run: async () => {
      const body: ChangePasswordRequest = { current: form.current.value, next: form.password.value };
      remember(await call<SessionView>('PUT', '/session/password', { body }));
      form.current.value = '';
      form.password.value = '';
      return { said: t('Your password is changed') };
    },
  };
  return (
    <p class="actions">
      <Button onClick={() => openAction(action)}>{t('Change my password …')}</Button>
    </p>
  );
}
