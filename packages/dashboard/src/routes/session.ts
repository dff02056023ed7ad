// Logging in and out, and who one is.

import type { ChangePasswordRequest, LoginRequest, SessionView } from '@codis/config/api';
import { CodisError } from '@codis/config/model';
import { changeUser, checkPassword, closeSession, openSession, SESSION_HOURS } from '@codis/config/operations';
import Type from 'typebox';
import { addressOf } from '../auth/address.ts';
import { noted, SESSION_COOKIE } from '../auth/guard.ts';
import type { Identity } from '../auth/policy.ts';
import { type App, type Context, callerOf } from '../context.ts';
import { answers, describes, nullable, object } from '../schemas.ts';
import { RoleName, UserName } from './users.ts';

/** How often one address may try to log in. */
const LOGINS = { max: 10, timeWindow: '1 minute' };
const Password = Type.String({ minLength: 1, maxLength: 256 });

const SessionSchema = describes<SessionView>()(
  object({
    authRequired: Type.Boolean(),
    readOnly: Type.Boolean(),
    user: nullable(Type.String()),
    role: nullable(RoleName),
    csrf: nullable(Type.String()),
    product: Type.String(),
  }),
);
const LoginBody = describes<LoginRequest>()(object({ user: UserName, password: Password }));
const PasswordBody = describes<ChangePasswordRequest>()(object({ current: Password, next: Password }));

export function sessionRoutes(app: App, context: Context): void {
  const { coordinator, settings } = context;
  const view = (identity: Pick<Identity, 'name' | 'role' | 'csrf' | 'via'> | null): SessionView => ({
    authRequired: settings.dashboard_auth === 'on',
    readOnly: settings.dashboard_read_only === 'on',
    user: identity && identity.via !== 'claimed' ? identity.name : null,
    role: identity?.role ?? null,
    csrf: identity?.csrf ?? null,
    product: settings.product_name,
  });
  app.get(
    '/session',
    { config: { access: 'public' }, schema: { summary: 'Who one is, and what one may do', response: answers(SessionSchema) } },
    async ({ identity }) => view(identity),
  );
  app.post(
    '/login',
    {
      config: { access: 'public', rateLimit: LOGINS },
      schema: { summary: 'Log in, for browsers: sets a cookie', body: LoginBody, response: answers(SessionSchema) },
    },
    async (request, reply) => {
      checkWanted(context);
      const { user: name, password } = request.body;
      const user = await checkPassword(coordinator, { name, password });
      if (!user) {
        const refused = new CodisError('CODIS_E_LOGIN_REQUIRED', 'there is no user with this name and password');
        await noted({ coordinator, product: settings.product_name, password: '' }, request, refused);
        throw refused;
      }
      const caller = { ...callerOf(context, request), actor: `${user.name}@${addressOf(request)}`, via: 'user' as const };
      const { secret, csrf } = await openSession(caller, { user });
      reply.setCookie(SESSION_COOKIE, secret, cookieOptions(request.protocol));
      return view({ name: user.name, role: user.role, csrf, via: 'user' });
    },
  );
  app.post(
    '/logout',
    { config: { access: 'public' }, schema: { summary: 'Log out', response: answers(SessionSchema) } },
    async (request, reply) => {
      const secret = request.cookies[SESSION_COOKIE];
      if (secret !== undefined) await closeSession(callerOf(context, request), secret);
      reply.clearCookie(SESSION_COOKIE, cookieOptions(request.protocol));
      return view(settings.dashboard_auth === 'on' ? null : request.identity);
    },
  );
  app.put(
    '/session/password',
    {
      config: { access: 'own', rateLimit: LOGINS },
      schema: { summary: 'Change one’s own password; every login of before is over', body: PasswordBody, response: answers(SessionSchema) },
    },
    async (request) => {
      const { identity } = request;
      if (identity?.via !== 'user') throw new CodisError('CODIS_E_DENIED', 'only a user who is logged in has a password');
      const { current, next } = request.body;
      if (!(await checkPassword(coordinator, { name: identity.name, password: current }))) {
        throw new CodisError('CODIS_E_DENIED', 'the current password is another');
      }
      await changeUser(callerOf(context, request), { name: identity.name, password: next });
      return view(null);
    },
  );
}

function checkWanted({ settings }: Context): void {
  if (settings.dashboard_auth === 'on') return;
  throw new CodisError('CODIS_E_BAD_REQUEST', 'this dashboard has no logins (dashboard_auth = off)');
}

function cookieOptions(protocol: string) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure: protocol === 'https', maxAge: SESSION_HOURS * 3600 } as const;
}
