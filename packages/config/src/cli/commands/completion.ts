// codis-config completion: what a shell needs to complete command lines, ids of the cluster included. The shell asks `codis-config __complete -- <words…>`, the last of
// which is what is being typed, and gets one candidate a line. It must be quick, and never fails: then there is just nothing to offer.

import type { Command, Option } from 'commander';
import type { AlertsView, GroupsView, MigrationsView, PlansView, ProxiesView } from '../../api/index.ts';
import { unreachable } from '../../model/index.ts';
import { type CallOptions, dashboardClient } from '../client.ts';
import { credentialsFor } from '../credentials.ts';
import { badUsage } from '../failures.ts';
import { dashboardOf } from '../session.ts';

/** For live ids: after this the shell gets what is known without them. */
const LIVE: CallOptions = { timeoutMs: 150 };

const SCRIPTS: Readonly<Record<string, string>> = {
  bash: `_codis_config() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [[ $word == *:* || $COMP_LINE == *:* ]]; then
    _get_comp_words_by_ref -n : words cword 2>/dev/null && words=("\${words[@]:1:cword}") && word="\${words[cword-1]}"
  fi
  COMPREPLY=($(codis-config __complete -- "\${words[@]}" 2>/dev/null))
  [[ $(type -t __ltrim_colon_completions) == function ]] && __ltrim_colon_completions "$word"
  return 0
}
complete -o default -F _codis_config codis-config
`,
  zsh: `#compdef codis-config
_codis_config() {
  local -a found
  found=("\${(@f)$(codis-config __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n $found[1] ]] && compadd -a found || _files
}
compdef _codis_config codis-config
`,
  fish: `complete -c codis-config -f -a '(codis-config __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
complete -c codis-config -n '__fish_seen_subcommand_from restore validate' -F
`,
};

export function completionCommands(program: Command): void {
  program
    .command('completion')
    .description('print what a shell needs to complete command lines')
    .argument('<shell>', Object.keys(SCRIPTS).join(', '))
    .action((shell: string) => {
      const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
      if (script === undefined) throw badUsage(`${JSON.stringify(shell)} is no shell that is known: write bash, zsh or fish`);
      process.stdout.write(script);
    });
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (words: string[], _, command: Command) => {
      const found = await candidates(program, words, () => dashboardOf(command).addr);
      process.stdout.write(found.map((word) => `${word}\n`).join(''));
    });
}

/** What could stand where the last of `words` is. */
export async function candidates(program: Command, words: readonly string[], addr: () => string): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const place = walk(program, words.slice(0, -1));
  const offered = await offers(place, typed, addr);
  return [...new Set(offered)].filter((word) => word.startsWith(typed)).sort();
}

interface Place {
  readonly program: Command;
  readonly command: Command;
  /** How many arguments stand already. */
  readonly argumentsCount: number;
  /** Whose value comes next. */
  readonly option: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let argumentsCount = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith('-'))
      option = optionsOf(program, command).find(({ long, short, required }) => required && (word === long || word === short));
    else {
      const child = argumentsCount === 0 ? command.commands.find((known) => known.name() === word) : undefined;
      if (child) command = child;
      else argumentsCount++;
    }
  }
  return { program, command, argumentsCount, option };
}

function optionsOf(program: Command, command: Command): readonly Option[] {
  return [...command.options, ...program.options];
}

async function offers({ program, command, argumentsCount, option }: Place, typed: string, addr: () => string): Promise<readonly string[]> {
  if (option !== undefined) return option.argChoices ?? (option.long === '--group' ? live('group', addr) : []);
  if (typed.startsWith('-')) return optionsOf(program, command).flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
  const children = argumentsCount === 0 ? command.commands.map((child) => child.name()).filter((name) => !name.startsWith('_')) : [];
  const argument = command.registeredArguments[argumentsCount];
  if (argument === undefined) return children;
  return [...children, ...wordsFor(command, argument.name()), ...(await live(liveKind(command, argument.name()), addr))];
}

const FIXED: Readonly<Record<string, readonly string[]>> = {
  status: ['online', 'offline'],
  shell: Object.keys(SCRIPTS),
};

function wordsFor(command: Command, argument: string): readonly string[] {
  if (argument !== 'role') return FIXED[argument] ?? [];
  return command.parent?.name() === 'auth' ? ['viewer', 'operator', 'admin'] : ['master', 'replica', 'slave'];
}

type LiveKind = 'group' | 'proxy' | 'server' | 'migration' | 'plan' | 'alert' | null;

function liveKind(command: Command, argument: string): LiveKind {
  if (argument === 'id') return command.parent?.name() === 'plan' ? 'plan' : 'migration';
  if (argument === 'addr') return 'server';
  return argument === 'group' || argument === 'proxy' || argument === 'alert' ? argument : null;
}

/** Ids of the cluster as it is; none when the dashboard does not answer at once. */
async function live(kind: LiveKind, addr: () => string): Promise<string[]> {
  if (kind === null) return [];
  try {
    const at = addr();
    const client = dashboardClient({ addr: at, credentials: credentialsFor(at, undefined) });
    const get = <View>(path: string) => client.call<View>({ method: 'GET', path, ...LIVE });
    switch (kind) {
      case 'group':
        return (await get<GroupsView>('/groups')).groups.map(({ id }) => String(id));
      case 'server':
        return (await get<GroupsView>('/groups')).groups.flatMap(({ servers }) => servers.map((server) => server.addr));
      case 'proxy':
        return (await get<ProxiesView>('/proxies')).proxies.map(({ id }) => id);
      case 'migration':
        return (await get<MigrationsView>('/migrations')).migrations.filter(({ endedAt }) => endedAt === null).map(({ id }) => String(id));
      case 'plan':
        return (await get<PlansView>('/plans')).plans.filter(({ state }) => state === 'pending').map(({ id }) => String(id));
      case 'alert':
        return (await get<AlertsView>('/alerts')).alerts.map(({ id }) => id);
      default:
        return unreachable(kind);
    }
  } catch {
    return [];
  }
}
