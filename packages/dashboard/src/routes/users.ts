// Users and tokens, for admins.

import type {
  AddTokenRequest,
  AddUserRequest,
  ChangeUserRequest,
  TokenAddedView,
  TokensView,
  TokenView,
  UsersView,
} from '@codis/config/api';
import { addToken, addUser, changeUser, listTokens, listUsers, removeToken, removeUser, type Token } from '@codis/config/operations';
import Type from 'typebox';
import { type App, type Context, callerOf } from '../context.ts';
import { answers, describes, nullable, object, Time, words } from '../schemas.ts';

const DAYS_MAX = 3650;
const NAME = '^[A-Za-z0-9_-]{1,32}$';
/** Of who is to be added: as the first word of a command line one with a dash would be an option. */
const NEW_NAME = '^[A-Za-z0-9_][A-Za-z0-9_-]{0,31}$';

export const RoleName = words('viewer', 'operator', 'admin');
export const UserName = Type.String({ pattern: NAME, description: 'a user' });
const TokenName = Type.String({ pattern: NAME, description: 'a token' });
const NewUserName = Type.String({ pattern: NEW_NAME, description: 'a user' });
const NewTokenName = Type.String({ pattern: NEW_NAME, description: 'a token' });
/** How long it must be is said by the operation, with the reason. */
const Password = Type.String({ maxLength: 1024 });

const UsersSchema = describes<UsersView>()(object({ users: Type.Array(object({ name: Type.String(), role: RoleName, createdAt: Time })) }));
const token = { name: Type.String(), role: RoleName, createdAt: Time, expiresAt: nullable(Time) };
const TokensSchema = describes<TokensView>()(object({ tokens: Type.Array(object(token)) }));
const TokenAddedSchema = describes<TokenAddedView>()(object({ ...token, token: Type.String() }));
const AddUserBody = describes<AddUserRequest>()(object({ name: NewUserName, role: RoleName, password: Password }));
const ChangeUserBody = describes<ChangeUserRequest>()(object({ role: Type.Optional(RoleName), password: Type.Optional(Password) }));
const AddTokenBody = describes<AddTokenRequest>()(
  object({
    name: NewTokenName,
    role: RoleName,
    expiresInDays: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: DAYS_MAX, description: 'null: never' }))),
  }),
);

export function userRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  const config = { access: 'admin' } as const;
  const params = Type.Object({ user: UserName });
  const view = async (): Promise<UsersView> => ({
    users: (await listUsers(coordinator)).map(({ name, role, createdAt }) => ({ name, role, createdAt })),
  });
  app.get('/users', { config, schema: { summary: 'All users', response: answers(UsersSchema) } }, view);
  app.post('/users', { config, schema: { summary: 'Add a user', body: AddUserBody, response: answers(UsersSchema) } }, async (request) => {
    await addUser(callerOf(context, request), request.body);
    return view();
  });
  app.put(
    '/users/:user',
    {
      config,
      schema: { summary: 'Change a user’s role or password', params, body: ChangeUserBody, response: answers(UsersSchema) },
    },
    async (request) => {
      await changeUser(callerOf(context, request), { name: request.params.user, ...request.body });
      return view();
    },
  );
  app.delete('/users/:user', { config, schema: { summary: 'Remove a user', params, response: answers(UsersSchema) } }, async (request) => {
    await removeUser(callerOf(context, request), { name: request.params.user });
    return view();
  });
  tokenRoutes(app, context);
}

function tokenRoutes(app: App, context: Context): void {
  const { coordinator } = context;
  const config = { access: 'admin' } as const;
  const view = async (): Promise<TokensView> => ({ tokens: (await listTokens(coordinator)).map(tokenView) });
  app.get('/tokens', { config, schema: { summary: 'All tokens, without their secrets', response: answers(TokensSchema) } }, view);
  app.post(
    '/tokens',
    { config, schema: { summary: 'Make a token; its secret is said this once', body: AddTokenBody, response: answers(TokenAddedSchema) } },
    async (request) => {
      const { name, role, expiresInDays = null } = request.body;
      const added = await addToken(callerOf(context, request), { name, role, expiresInDays });
      return { ...tokenView(added.token), token: added.secret };
    },
  );
  app.delete(
    '/tokens/:token',
    {
      config,
      schema: { summary: 'Remove a token', params: Type.Object({ token: TokenName }), response: answers(TokensSchema) },
    },
    async (request) => {
      await removeToken(callerOf(context, request), { name: request.params.token });
      return view();
    },
  );
}

const tokenView = ({ name, role, createdAt, expiresAt }: Token): TokenView => ({ name, role, createdAt, expiresAt });
