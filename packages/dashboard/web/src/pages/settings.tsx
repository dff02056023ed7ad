// Settings: how it looks, who may do what, and what this is.

import { Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { status } from '../state/live.ts';
import { session } from '../state/session.ts';
import { setTheme, type Theme, theme } from '../state/theme.ts';
import { Password, Tokens, Users } from './accounts.tsx';

export function SettingsPage() {
  const current = session.value;
  return (
    <>
      <PageHead title="Settings" />
      <section>
        <h2>Appearance</h2>
        <Select
          label="Theme"
          value={theme.value}
          options={(['auto', 'light', 'dark'] as const).map((value) => ({ value, label: value === 'auto' ? 'as the system' : value }))}
          onChange={(value: Theme) => setTheme(value)}
        />
      </section>
      {current?.authRequired === false ? <Open /> : <Access admin={current?.role === 'admin'} />}
      <About />
    </>
  );
}

function Open() {
  return (
    <section>
      <h2>Users and tokens</h2>
      <p class="note">
        There is no login (dashboard_auth = off): whoever reaches this address, which only this machine can, may do everything. With
        dashboard_auth = on in config.ini there are users and tokens with roles.
      </p>
    </section>
  );
}

function Access({ admin }: { admin: boolean }) {
  if (!admin) {
    return (
      <section>
        <h2>Users and tokens</h2>
        <p class="note">Only an admin sees and changes users and tokens.</p>
        <Password />
      </section>
    );
  }
  return (
    <>
      <Password />
      <Users />
      <Tokens />
    </>
  );
}

function About() {
  const current = status.value;
  return (
    <section>
      <h2>About</h2>
      <dl class="facts">
        <dt>Product</dt>
        <dd>{current?.product ?? '…'}</dd>
        <dt>This dashboard</dt>
        <dd>
          {current === null
            ? '…'
            : current.elected
              ? 'the elected controller: it carries out migrations'
              : 'not the elected controller; another one carries out migrations'}
        </dd>
        <dt>The API</dt>
        <dd>
          <a href="/api/openapi.json" target="_blank" rel="noreferrer">
            its description (OpenAPI)
          </a>
          ,{' '}
          <a href="/api/docs" target="_blank" rel="noreferrer">
            the same to read
          </a>
          ,{' '}
          <a href="/metrics" target="_blank" rel="noreferrer">
            metrics
          </a>
        </dd>
      </dl>
    </section>
  );
}
