// codis-config auth …: logging in, users and tokens. Passwords are typed, or read from a file: a command line can be read by every user of the machine.

import type { Command } from 'commander';
import type {
  AddTokenRequest,
  AddUserRequest,
  ChangePasswordRequest,
  ChangeUserRequest,
  SessionView,
  TokenAddedView,
  TokensView,
  UserRoleName,
  UsersView,
} from '../../api/index.ts';
import { numberOption, userRoleArgument } from '../arguments.ts';
import { forgetLogin } from '../credentials.ts';
import { badUsage } from '../failures.ts';
import { login, logout } from '../login.ts';
import { askPassword } from '../prompt.ts';
import { dashboardOf, type Globals, printerOf, type Session, sessionOf } from '../session.ts';

export function authCommands(program: Command): void {
  const auth = program.command('auth').description('who may do what: logging in, users, tokens');
  loginCommands(auth);
  userCommands(auth);
  tokenCommands(auth);
}

function loginCommands(auth: Command): void {
  auth
    .command('whoami')
    .description('who the dashboard takes you for')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<SessionView>('/session');
      const { user, role, authRequired, readOnly, product } = view;
      session.print({
        json: view,
        table: {
          head: ['USER', 'ROLE', 'PRODUCT', 'LOGIN NEEDED', 'READ-ONLY'],
          rows: [[user, role, product, authRequired ? 'yes' : 'no', readOnly ? 'yes' : 'no']],
        },
        names: user === null ? [] : [user],
        notes: authRequired && role === null ? ['log in with: codis-config auth login <user>'] : [],
      });
    });
  auth
    .command('login')
    .description('log in; holds for all further commands of this user of the machine, until it ends')
    .argument('<user>', 'the name')
    .option('--password-file <file>', 'its first line is the password; asked for unless given')
    .action(async (user: string, { passwordFile }: { passwordFile?: string }, command: Command) => {
      const { addr } = dashboardOf(command);
      const password = await askPassword({ file: passwordFile, question: `password of ${user}: ` });
      const view = await login(addr, { user, password });
      const printer = printerOf(command.optsWithGlobals<Globals>().output);
      printer.print({ json: view, table: `logged in as ${user} (${view.role})`, names: [user] });
    });
  auth
    .command('logout')
    .description('end the login')
    .action(async (_, command: Command) => {
      const { addr } = dashboardOf(command);
      await logout(addr);
      forgetLogin(addr);
      printerOf(command.optsWithGlobals<Globals>().output).print({ json: { loggedOut: true }, table: 'logged out', names: [] });
    });
  auth
    .command('password')
    .description('change your own password')
    .option('--password-file <file>', 'its first line is the password of now; asked for unless given')
    .option('--new-password-file <file>', 'its first line is the new one; asked for unless given')
    .action(async (options: { passwordFile?: string; newPasswordFile?: string }, command: Command) => {
      const session = sessionOf(command);
      const current = await askPassword({ file: options.passwordFile, question: 'password of now: ' });
      const next = await askPassword({ file: options.newPasswordFile, question: 'new password: ' });
      const body: ChangePasswordRequest = { current, next };
      const view = await session.change<SessionView>({ method: 'PUT', path: '/session/password', body });
      if (view === null) return;
      forgetLogin(dashboardOf(command).addr);
      session.print({
        json: view,
        table: 'the password is changed',
        names: [],
        notes: ['log in again with: codis-config auth login <user>'],
      });
    });
}

function userCommands(auth: Command): void {
  auth
    .command('users')
    .description('everybody who may log in')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<UsersView>('/users');
      const rows = view.users.map(({ name, role, createdAt }) => [name, role, createdAt]);
      session.print({ json: view, table: { head: ['USER', 'ROLE', 'CREATED'], rows }, names: view.users.map(({ name }) => name) });
    });
  auth
    .command('add-user')
    .description('let somebody log in')
    .argument('<user>', 'the name')
    .argument('<role>', 'viewer, operator or admin', userRoleArgument)
    .option('--password-file <file>', 'its first line is the password; asked for unless given')
    .action(async (name: string, role: UserRoleName, { passwordFile }: { passwordFile?: string }, command: Command) => {
      const password = await askPassword({ file: passwordFile, question: `password for ${name}: ` });
      const body: AddUserRequest = { name, role, password };
      await changeUsers(sessionOf(command), { method: 'POST', path: '/users', body }, { name, said: `is added as ${role}` });
    });
  auth
    .command('change-user')
    .description('give somebody another role or password')
    .argument('<user>', 'the name')
    .option('--role <role>', 'viewer, operator or admin', userRoleArgument)
    .option('--new-password', 'asks for a new password')
    .option('--new-password-file <file>', 'its first line is the new password')
    .action(async (name: string, options: ChangeUserOptions, command: Command) => {
      const call = { method: 'PUT', path: `/users/${encodeURIComponent(name)}`, body: await changeOf(name, options) } as const;
      await changeUsers(sessionOf(command), call, { name, said: 'is changed' });
    });
  auth
    .command('remove-user')
    .description('let somebody log in no more')
    .argument('<user>', 'the name')
    .action(async (name: string, _, command: Command) => {
      const call = { method: 'DELETE', path: `/users/${encodeURIComponent(name)}` } as const;
      await changeUsers(sessionOf(command), call, { name, said: 'is removed' });
    });
}

interface ChangeUserOptions {
  readonly role?: UserRoleName;
  readonly newPassword?: boolean;
  readonly newPasswordFile?: string;
}

async function changeOf(name: string, { role, newPassword, newPasswordFile }: ChangeUserOptions): Promise<ChangeUserRequest> {
  const asks = newPassword === true || newPasswordFile !== undefined;
  if (!asks && role === undefined) throw badUsage('say what to change: --role, --new-password or --new-password-file');
  return {
    ...(role === undefined ? {} : { role }),
    ...(asks ? { password: await askPassword({ file: newPasswordFile, question: `new password for ${name}: ` }) } : {}),
  };
}

type UserCall = { readonly method: 'POST' | 'PUT' | 'DELETE'; readonly path: string; readonly body?: object };

async function changeUsers(session: Session, call: UserCall, { name, said }: { name: string; said: string }): Promise<void> {
  const view = await session.change<UsersView>(call);
  if (view !== null) session.print({ json: view, table: `user ${name} ${said}`, names: [name] });
}

function tokenCommands(auth: Command): void {
  auth
    .command('tokens')
    .description('what programs may call with')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      const view = await session.get<TokensView>('/tokens');
      const rows = view.tokens.map(({ name, role, createdAt, expiresAt }) => [name, role, createdAt, expiresAt ?? 'never']);
      const table = { head: ['TOKEN', 'ROLE', 'CREATED', 'EXPIRES'], rows };
      session.print({ json: view, table, names: view.tokens.map(({ name }) => name) });
    });
  auth
    .command('add-token')
    .description('make a token for a program; it is shown this once')
    .argument('<token>', 'a name for it')
    .argument('<role>', 'viewer, operator or admin', userRoleArgument)
    .option('--days <n>', 'for how long it holds; for ever unless said', numberOption('--days', { min: 1, max: 3650 }))
    .action(async (name: string, role: UserRoleName, { days }: { days?: number }, command: Command) => {
      const session = sessionOf(command);
      const body: AddTokenRequest = { name, role, ...(days === undefined ? {} : { expiresInDays: days }) };
      const view = await session.change<TokenAddedView>({ method: 'POST', path: '/tokens', body });
      if (view === null) return;
      const notes = ['it is not shown again; keep it in a file that only its user can read, and name that with --token-file'];
      session.print({ json: view, table: view.token, names: [view.token], notes });
    });
  auth
    .command('remove-token')
    .description('let a token hold no more')
    .argument('<token>', 'its name')
    .action(async (name: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.change<TokensView>({ method: 'DELETE', path: `/tokens/${encodeURIComponent(name)}` });
      if (view !== null) session.print({ json: view, table: `token ${name} is removed`, names: [name] });
    });
}
