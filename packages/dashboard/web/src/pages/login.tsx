// Logging in.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Field } from '../components/field.tsx';
import { LanguageSwitch } from '../components/layout.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { t } from '../lib/words.ts';
import { asProblem, type Problem } from '../state/api.ts';
import { login, session } from '../state/session.ts';

const user = signal('');
const password = signal('');
const problem = signal<Problem | null>(null);
const busy = signal(false);

export function LoginPage() {
  useEffect(() => {
    document.title = t('Log in · Codis');
  });
  const missing = user.value === '' ? t('Write your name.') : password.value === '' ? t('Write your password.') : null;
  const enter = async () => {
    busy.value = true;
    problem.value = null;
    try {
      await login({ user: user.value, password: password.value });
      password.value = '';
    } catch (error) {
      problem.value = asProblem(error);
    } finally {
      busy.value = false;
    }
  };
  return (
    <main id="main" class="login">
      <h1 tabIndex={-1}>{t('Log in to Codis {product}', { product: session.value?.product ?? '' })}</h1>
      <form onSubmit={(event) => event.preventDefault()}>
        <Field label={t('Name')} value={user} autocomplete="username" autofocus />
        <Field label={t('Password')} value={password} secret autocomplete="current-password" />
        {problem.value === null ? null : <ProblemBox problem={problem.value} brief />}
        <Button submit primary block={busy.value ? t('You are being logged in.') : missing} onClick={() => void enter()}>
          {t('Log in')}
        </Button>
      </form>
      <LanguageSwitch />
      <p class="hint">{t('The first start of a dashboard makes the user admin and prints its password once, in its log.')}</p>
    </main>
  );
}
