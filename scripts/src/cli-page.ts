// docs/cli.md, written from the commands themselves.

import { allCommands, buildProgram, CATALOGUE } from '@codis/config/cli';

type Command = ReturnType<typeof buildProgram>;

const INTRO = `# codis-config

<!-- Written from packages/config/src/cli by \`npm run docs\`; change it there. -->

The command line of a cluster. It asks the dashboard that \`config.ini\` names (\`dashboard_addr\`, or \`--dashboard-addr\`), in Codis 2.0's words, and everything that the console shows or does
can be seen and done with it. \`--help\` behind any command begins with examples.

## What it prints

Answers go to stdout, notes and errors to stderr. \`-o\` says how: \`table\` (the default), \`wide\` (every column), \`json\` and \`yaml\` (what the API answered), \`csv\` (every column), \`name\` (ids only, one
per line). There are no colours, and lines are never wrapped. What could steer a terminal, in a key's name say, is escaped or left out.

Errors say what went wrong, why, and what to try:

    error: group 1 still has slots (slot 0 for one); drain it first with: codis-config plan drain 1
    why:   The group still has slots or servers
    try:   move its slots away with: codis-config plan drain <group>, then remove its servers

\`--debug\` adds where an error comes from.

## Exit codes

| code | meaning |
| --- | --- |
| 0 | done; for \`status\` and \`doctor\`: well |
| 1 | failed |
| 2 | not a command line, or not a value, that is understood |
| 3 | not found |
| 4 | conflict: something is there already, in use, in a move, or not as it was (a stale plan) |
| 5 | the dashboard, the coordinator or a server can't be reached |
| 6 | denied: a login is wanted, the role is too small, or the dashboard is read-only |
| 7 | \`status\`, \`doctor\`: not well |
| 8 | a wait took too long; what was waited for goes on |
| 9 | cancelled: the migration that was waited for, or the answer to a question was no |

[errors.md](errors.md) has the code of every error.

## Trying first

Every command that changes something takes \`--dry-run\`: everything is checked as usual, what would be done is printed, and nothing is changed, neither in the coordinator nor at a server.

## Waiting

A migration goes on by itself. \`--wait\` shows how far it is until it has ended, \`--timeout\` gives up watching (exit code 8), and Ctrl-C only stops watching. On a terminal the progress is redrawn in
place; elsewhere it is a line every five seconds.

## Without a dashboard

\`--store config\` reads the coordinator that \`config.ini\` names, \`--store zk://host:2181\` or \`--store <directory>\` another one, and says so. It works for everything that only looks. \`doctor\` does so
by itself when no dashboard can be reached; \`config dump\` and \`config restore\` never ask one.

## Logging in

Where the dashboard wants a login (\`dashboard_auth = on\`): \`auth login <user>\` asks for the password, or reads it from a file, and keeps the login below the home directory, for its owner only.
Programs use a token: \`auth add-token\` shows one, and \`--token-file\` names the file that holds it.

## Completion

\`codis-config completion bash\`, \`zsh\` and \`fish\` print what the shell needs; ids of groups, servers, proxies, migrations, plans and alerts are completed too.
`;

const KINDS = {
  noun: '',
  read: 'Looks only.',
  change: 'Changes something; takes `--dry-run`.',
  program: '',
} as const;

export function renderCliDocs(): string {
  const commands = allCommands(buildProgram()).filter(({ path }) => path !== '' && CATALOGUE[path]?.kind !== 'noun');
  return `${INTRO}\n## Commands\n${commands.map(section).join('')}`;
}

function section({ path, command }: { path: string; command: Command }): string {
  const { kind, examples } = CATALOGUE[path] ?? { kind: 'program' as const, examples: [] };
  const about = `${sentence(command.description())} ${KINDS[kind]}`.trim();
  const usage = ['codis-config', path, ...command.registeredArguments.map((argument) => bracketed(argument.name(), argument.required))];
  const options = command.options.filter(({ hidden }) => !hidden).map(({ flags, description }) => `- \`${flags}\`: ${description}`);
  const lines = examples.map((example) => `codis-config ${example}`);
  return [
    '',
    `### \`${usage.join(' ')}\``,
    '',
    about,
    ...(options.length === 0 ? [] : ['', ...options]),
    '',
    '```sh',
    ...lines,
    '```',
    '',
  ].join('\n');
}

function bracketed(name: string, required: boolean): string {
  return required ? `<${name}>` : `[${name}]`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? '' : '.'}`;
}
