// Logging in to a dashboard and out of it.

import type { LoginRequest, ProblemView, SessionView } from '../api/index.ts';
import { dashboardClient, exchange } from './client.ts';
import { credentialsFor, saveLogin } from './credentials.ts';
import { badUsage, ProblemError } from './failures.ts';

/** Logs in and keeps the login for later commands. Throws ProblemError when it is refused. */
export async function login(addr: string, body: LoginRequest): Promise<SessionView> {
  const client = dashboardClient({ addr, credentials: {} });
  await client.call<SessionView>({ method: 'GET', path: '/session' });
  const { status, text, cookies } = await exchange({ addr, credentials: {} }, { method: 'POST', path: '/login', body });
  if (status < 200 || status > 299) throw new ProblemError(JSON.parse(text) as ProblemView);
  const view = JSON.parse(text) as SessionView;
  const cookie = cookies.find((one) => one.startsWith('codis_session='));
  if (cookie === undefined || view.csrf === null) {
    throw badUsage(`the dashboard at ${addr} wants no login: everybody who reaches it may do everything`);
  }
  saveLogin(addr, { cookie, csrf: view.csrf });
  return view;
}

/** Ends the login that was kept, if there is one. */
export async function logout(addr: string): Promise<void> {
  const credentials = credentialsFor(addr, undefined);
  if (Object.keys(credentials).length > 0) await dashboardClient({ addr, credentials }).call({ method: 'POST', path: '/logout' });
}
