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
import { call } from '../state/api.ts';
import { useResource } from '../state/resource.ts';
import { adminBlock, remember } from '../state/session.ts';

const ROLES: readonly { value: UserRoleName; label: string }[] = [
  { value: 'viewer', label: 'viewer: looks' },
  { value: 'operator', label: 'operator: changes the cluster' },
  { value: 'admin', label: 'admin: also users and tokens' },
];
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$/;
const checkName = (text: string) =>
  NAME.test(text) ? null : 'A name is 1 to 32 letters, digits, dashes or underscores, and begins with no dash.';
const checkPassword = (text: string) => (text.length >= 10 ? null : 'A password has at least 10 characters.');

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
      label="Role"
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
    title: 'Add a user',
    effect: ['Whoever has name and password can log in, with the role that is given here.'],
    cli: () => (NAME.test(form.name.value) ? `codis-config auth add-user ${form.name.value} ${form.role.value}` : null),
    details: (
      <>
        <Field label="Name" value={form.name} check={checkName} />
        <Field label="Password" value={form.password} secret autocomplete="new-password" check={checkPassword} />
        <RoleField />
      </>
    ),
    block: () => checkName(form.name.value) ?? checkPassword(form.password.value),
    run: async () => {
      const body: AddUserRequest = { name: form.name.value, role: form.role.value, password: form.password.value };
      await call<UsersView>('POST', '/users', { body });
      form.password.value = '';
      changed();
      return { said: `${body.name} can log in as ${body.role}` };
    },
  };
  return (
    <section>
      <div class="toolbar">
        <h2>Users</h2>
        <span class="spring" />
        <ActionButton action={add} label="Add a user …" onOpen={() => clearForm('viewer')} block={adminBlock.value} />
      </div>
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Table
        caption="Users"
        columns={userColumns(changed)}
        rows={view?.users ?? []}
        rowKey={({ name }) => name}
        empty={<Empty text="No user is known." />}
      />
    </section>
  );
}

function userColumns(changed: () => void): readonly Column<UserView>[] {
  const promotion = (name: string): Action => ({
    title: `Change the role of ${name}`,
    effect: [`${name} may do from now on what the new role allows.`],
    cli: () => `codis-config auth change-user ${name} --role ${form.role.value}`,
    details: <RoleField />,
    run: async () => {
      const body: ChangeUserRequest = { role: form.role.value };
      await call<UsersView>('PUT', `/users/${encodeURIComponent(name)}`, { body });
      changed();
      return { said: `${name} is ${form.role.value} now` };
    },
  });
  const removal = (name: string): Action => ({
    title: `Remove user ${name}`,
    effect: [`${name} can’t log in any more, and is logged out where it is.`],
    cli: `codis-config auth remove-user ${name}`,
    danger: true,
    run: async () => {
      await call<UsersView>('DELETE', `/users/${encodeURIComponent(name)}`);
      changed();
      return { said: `User ${name} is gone` };
    },
  });
  return [
    { title: 'Name', cell: ({ name }) => name },
    { title: 'Role', cell: ({ role }) => role },
    { title: 'Since', cell: ({ createdAt }) => <Time at={createdAt} /> },
    {
      title: 'Change',
      cell: ({ name, role }) => (
        <span class="actions">
          <ActionButton action={promotion(name)} label="Role …" onOpen={() => clearForm(role)} block={adminBlock.value} />
          <ActionButton action={removal(name)} label="Remove …" block={adminBlock.value} />
        </span>
      ),
    },
  ];
}

export function Tokens() {
  const [changes, setChanges] = useState(0);
  const { view, problem } = useResource<TokensView>('/tokens', [changes]);
  const changed = () => setChanges((count) => count + 1);
  const checkDays = wholeNumber('The days', { min: 1, max: 3650, optional: true });
  const add: Action = {
    title: 'Add a token',
    effect: ['A program that sends it can do what the role allows. It is shown once, after it was made.'],
    cli: () =>
      NAME.test(form.name.value)
        ? `codis-config auth add-token ${form.name.value} ${form.role.value}${form.days.value.trim() === '' ? '' : ` --days ${form.days.value.trim()}`}`
        : null,
    details: (
      <>
        <Field label="Name" value={form.name} check={checkName} />
        <RoleField />
        <Field label="Expires after" unit="days" numeric value={form.days} check={checkDays} placeholder="never" />
      </>
    ),
    block: () => checkName(form.name.value) ?? checkDays(form.days.value),
    run: async () => {
      const days = form.days.value.trim();
      const body: AddTokenRequest = { name: form.name.value, role: form.role.value, expiresInDays: days === '' ? null : Number(days) };
      newToken.value = await call<TokenAddedView>('POST', '/tokens', { body });
      changed();
      return { said: `Token ${body.name} was made` };
    },
  };
  return (
    <section>
      <div class="toolbar">
        <h2>Tokens</h2>
        <span class="spring" />
        <ActionButton action={add} label="Add a token …" onOpen={() => clearForm('viewer')} block={adminBlock.value} />
      </div>
      {newToken.value === null ? null : (
        <p class="note" role="status">
          Token {newToken.value.name}, shown this once: <Copy text={newToken.value.token} label="Copy" />
        </p>
      )}
      {problem === null ? null : <ProblemBox problem={problem} />}
      <Table
        caption="Tokens"
        columns={tokenColumns(changed)}
        rows={view?.tokens ?? []}
        rowKey={({ name }) => name}
        empty={<Empty text="No token. A program needs one to use the API." />}
      />
    </section>
  );
}

function tokenColumns(changed: () => void): readonly Column<TokenView>[] {
  const removal = (name: string): Action => ({
    title: `Remove token ${name}`,
    effect: ['Programs that send it are refused from now on.'],
    cli: `codis-config auth remove-token ${name}`,
    danger: true,
    run: async () => {
      await call<TokensView>('DELETE', `/tokens/${encodeURIComponent(name)}`);
      changed();
      return { said: `Token ${name} is gone` };
    },
  });
  return [
    { title: 'Name', cell: ({ name }) => name },
    { title: 'Role', cell: ({ role }) => role },
    { title: 'Made', cell: ({ createdAt }) => <Time at={createdAt} /> },
    { title: 'Expires', cell: ({ expiresAt }) => (expiresAt === null ? 'never' : <Time at={expiresAt} />) },
    { title: 'Change', cell: ({ name }) => <ActionButton action={removal(name)} label="Remove …" block={adminBlock.value} /> },
  ];
}

/** One's own. */
export function Password() {
  const action: Action = {
    title: 'Change my password',
    effect: ['Every login of before is over, this one too: log in again with the new one.'],
    own: true,
    cli: 'codis-config auth password',
    details: (
      <>
        <Field label="Password of now" value={form.current} secret autocomplete="current-password" />
        <Field label="New password" value={form.password} secret autocomplete="new-password" check={checkPassword} />
      </>
    ),
    block: () => (form.current.value === '' ? 'Write the password of now.' : checkPassword(form.password.value)),
    run: async () => {
      const body: ChangePasswordRequest = { current: form.current.value, next: form.password.value };
      remember(await call<SessionView>('PUT', '/session/password', { body }));
      form.current.value = '';
      form.password.value = '';
      return { said: 'Your password is changed' };
    },
  };
  return (
    <p class="actions">
      <Button onClick={() => openAction(action)}>Change my password …</Button>
    </p>
  );
}
