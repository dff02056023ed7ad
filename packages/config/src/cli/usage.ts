// A command line that is none: what is wrong with it, and one that is right.

import type { Command } from 'commander';
import { nearest } from '../settings/index.ts';
import { examplesOf, pathOf } from './catalogue.ts';
import { EXIT, type Failure, layout, type UsageError } from './failures.ts';

/** What people say who know another tool. By what stands in front, and the word. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  action: 'slot',
  alert: 'alerts',
  event: 'events',
  group: 'server',
  groups: 'server list',
  health: 'doctor',
  init: 'slot init',
  keys: 'key',
  locate: 'key locate',
  login: 'auth login',
  migrate: 'slot migrate',
  migrations: 'migration list',
  move: 'slot migrate',
  node: 'server',
  plans: 'plan list',
  promote: 'server promote',
  proxies: 'proxy list',
  rebalance: 'slot rebalance',
  servers: 'server list',
  slots: 'slot list',
  slow: 'slowlog',
  top: 'status',
  users: 'auth users',
  watch: 'migration watch',
  'auth logout-all': 'auth logout',
  'config backup': 'config dump',
  'config check': 'config validate',
  'config save': 'config dump',
  'migration abort': 'migration cancel',
  'migration continue': 'migration resume',
  'migration follow': 'migration watch',
  'migration start': 'slot migrate',
  'migration status': 'migration show',
  'migration stop': 'migration pause',
  'plan delete': 'plan list',
  'plan run': 'plan apply',
  'proxy add': 'proxy online',
  'proxy delete': 'proxy remove',
  'proxy status': 'proxy list',
  'proxy stop': 'proxy drain',
  'server add-replica': 'server add',
  'server create': 'server add',
  'server delete': 'server remove',
  'server del': 'server remove',
  'server failover': 'server promote',
  'server group': 'server list',
  'server status': 'status',
  'slot assign': 'slot range-set',
  'slot move': 'slot migrate',
  'slot show': 'slot info',
  'slot status': 'slot list',
};

export function usageFailure({ problem, command }: UsageError): Failure {
  const path = pathOf(command);
  const what = problem.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const said = problem.code === 'commander.unknownCommand' ? /unknown command '([^']*)'/.exec(what)?.[1] : undefined;
  if (said !== undefined) return unknownCommand(command, { path, said, guess: /Did you mean (\S+)\?/.exec(what)?.[1] });
  if (problem.code === 'commander.help') {
    const verbs = verbsOf(command).join(', ');
    return { text: layout(`${path || 'codis-config'} needs a command behind it`, `there are ${verbs}`, hintsFor(path)), exit: EXIT.usage };
  }
  return { text: layout(what, 'The command line is not one that this command takes', hintsFor(path)), exit: EXIT.usage };
}

function hintsFor(path: string): string[] {
  return [...(path === '' ? [] : examplesOf(path).slice(0, 1)), `${path} --help`.trim()].map((line) => `codis-config ${line}`);
}

function verbsOf(command: Command): string[] {
  return command.commands.map((child) => child.name()).filter((name) => !name.startsWith('_'));
}

/** `guess`: the nearest by letters. */
function unknownCommand(command: Command, { path, said, guess }: { path: string; said: string; guess: string | undefined }): Failure {
  const known = verbsOf(command);
  const near = guess ?? nearest(said, known);
  const meant = near === undefined ? OTHER_WORDS[`${path} ${said}`.trim()] : `${path} ${near}`.trim();
  const what = `unknown command '${said}'${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`;
  const why = path === '' ? 'codis-config has no such command' : `${path} has no such command: there are ${known.join(', ')}`;
  const hints = [...(meant === undefined ? [] : examplesOf(meant).slice(0, 1)), `${meant ?? path} --help`.trim()];
  return {
    text: layout(
      what,
      why,
      [...new Set(hints)].map((line) => `codis-config ${line}`),
    ),
    exit: EXIT.usage,
  };
}
