// Settings: how it looks, who may do what, and what this is.

import { Select } from '../components/field.tsx';
import { PageHead } from '../components/layout.tsx';
import { t } from '../lib/words.ts';
import { status } from '../state/live.ts';
import { session } from '../state/session.ts';
import { setTheme, type Theme, theme } from '../state/theme.ts';
import { Password, Tokens, Users } from './accounts.tsx';

export function SettingsPage() {
  const current = session.value;
  return (
    <>
      <PageHead title={t('Settings')} />
      <section>
        <h2>{t('Appearance')}</h2>
        <Select
          label={t('Theme')}
          value={theme.value}
          options={[
            { value: 'auto', label: t('as the system') },
            { value: 'light', label: t('light') },
            { value: 'dark', label: t('dark') },
          ]}
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
      <h2>{t('Users and tokens')}</h2>
      <p class="note">
        {t(
          'There is no login (dashboard_auth = off): whoever reaches this address, which only this machine can, may do everything. With dashboard_auth = on in config.ini there are users and tokens with roles.',
        )}
      </p>
    </section>
  );
}

function Access({ admin }: { admin: boolean }) {
  if (!admin) {
    return (
      <section>
        <h2>{t('Users and tokens')}</h2>
        <p class="note">{t('Only an admin sees and changes users and tokens.')}</p>
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
      <h2>{t('About')}</h2>
      <dl class="facts">
        <dt>{t('Product')}</dt>
        <dd>{current?.product ?? '…'}</dd>
        <dt>{t('This dashboard')}</dt>
        <dd>
          {current === null
            ? '…'
            : current.elected
              ? t('the elected controller: it carries out migrations')
              : t('not the elected controller; another one carries out migrations')}
        </dd>
        <dt>{t('The API')}</dt>
        <dd>
          <a href="/api/openapi.json" target="_blank" rel="noreferrer">
            {t('its description (OpenAPI)')}
          </a>
          ,{' '}
          <a href="/api/docs" target="_blank" rel="noreferrer">
            {t('the same to read')}
          </a>
          ,{' '}
          <a href="/metrics" target="_blank" rel="noreferrer">
            {t('metrics')}
          </a>
        </dd>
      </dl>
    </section>
  );
}
