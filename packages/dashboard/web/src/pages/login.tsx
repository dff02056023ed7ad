// Logging in.

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../components/button.tsx';
import { Field } from '../components/field.tsx';
import { ProblemBox } from '../components/problem.tsx';
import { asProblem, type Problem } from '../state/api.ts';
import { login, session } from '../state/session.ts';

const user = signal('');
const password = signal('');
const problem = signal<Problem | null>(null);
const busy = signal(false);

export function LoginPage() {
  useEffect(() => {
    document.title = 'Log in · Codis';
  }, []);
  const missing = user.value === '' ? 'Write your name.' : password.value === '' ? 'Write your password.' : null;
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
      <h1 tabIndex={-1}>Log in to Codis {session.value?.product ?? ''}</h1>
      <form onSubmit={(event) => event.preventDefault()}>
        <Field label="Name" value={user} autocomplete="username" autofocus />
        <Field label="Password" value={password} secret autocomplete="current-password" />
        {problem.value === null ? null : <ProblemBox problem={problem.value} brief />}
        <Button submit primary block={busy.value ? 'You are being logged in.' : missing} onClick={() => void enter()}>
          Log in
        </Button>
      </form>
      <p class="hint">The first start of a dashboard makes the user admin and prints its password once, in its log.</p>
    </main>
  );
}
