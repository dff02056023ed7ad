// What every command runs with: the options that stand anywhere on the command line, whom they name to ask, and where to print.

import type { Command } from 'commander';
import type { DryRunView } from '../api/index.ts';
import { loadSettings, type Settings } from '../settings/index.ts';
import { type Call, type CallOptions, type Client, dashboardClient } from './client.ts';
import { credentialsFor } from './credentials.ts';
import { dryRunAnswer } from './dry-run.ts';
import { badUsage } from './failures.ts';
import { type Answer, type Format, isText, render, tameText } from './output.ts';
import { storeArgs, storeSettings, storeText } from './store-address.ts';
import { explainStranger } from './stranger.ts';

/** Options of the program itself. */
export interface Globals {
  readonly config?: string;
  readonly dashboardAddr?: string;
  readonly store?: string;
  readonly tokenFile?: string;
  readonly output: Format;
}

export interface Printer {
  readonly format: Format;
  /** Prints an answer to stdout and its notes to stderr. */
  print(answer: Answer): void;
  /** As `print`, for what is not the last word: formats for programs have room for one answer only, so there only the notes are printed. */
  preview(answer: Answer): void;
  note(text: string): void;
}

export interface Session extends Printer {
  /** With --dry-run nothing is changed: `change` says what would be. */
  readonly dryRun: boolean;
  get<View>(path: string, options?: CallOptions): Promise<View>;
  /** Has the dashboard change something. With --dry-run it is asked what that would change, which is printed, and the answer is null. */
  change<View>(call: Call): Promise<View | null>;
  /** A call that changes nothing, whatever its method is. */
  look<View>(call: Call): Promise<View>;
}

/** Throws CODIS_E_BAD_CONFIG. */
export function sessionOf(command: Command): Session {
  const { dryRun = false, output } = command.optsWithGlobals<Globals & { dryRun?: boolean }>();
  const client = clientOf(command);
  const printer = printerOf(output);
  return {
    ...printer,
    dryRun,
    get: (path, options) => client.call({ method: 'GET', path, ...options }),
    look: (call) => client.call(call),
    change: async (call) => {
      if (!dryRun) return client.call(call);
      const path = `${call.path}${call.path.includes('?') ? '&' : '?'}dryRun=true`;
      printer.print(dryRunAnswer(await client.call<DryRunView>({ ...call, path })));
      return null;
    },
  };
}

/** The settings of the config file, with the store that the command line names. Throws CODIS_E_BAD_CONFIG or CODIS_E_BAD_REQUEST. */
export function storeSettingsOf(command: Command): Settings {
  const { config, store = 'config' } = command.optsWithGlobals<Globals>();
  return storeSettings(config, store);
}

/** The dashboard that the command line names. Throws CODIS_E_BAD_CONFIG. */
export function dashboardOf(command: Command): { addr: string; usualAddr: string } {
  const { config, dashboardAddr } = command.optsWithGlobals<Globals>();
  const usualAddr = loadSettings({ file: config }).settings.dashboard_addr;
  if (dashboardAddr === undefined) return { addr: usualAddr, usualAddr };
  const { settings } = loadSettings({ file: config, flags: { dashboard_addr: dashboardAddr } });
  return { addr: settings.dashboard_addr, usualAddr };
}

function clientOf(command: Command): Client {
  const { config, store, tokenFile, dashboardAddr } = command.optsWithGlobals<Globals>();
  if (store === undefined) return askingClient(dashboardOf(command), tokenFile);
  if (dashboardAddr !== undefined) {
    throw badUsage('--store reads the coordinator and asks no dashboard, so --dashboard-addr says nothing: leave out one of them');
  }
  return readingClient(config, store);
}

function askingClient({ addr, usualAddr }: { addr: string; usualAddr: string }, tokenFile: string | undefined): Client {
  const client = dashboardClient({ addr, credentials: credentialsFor(addr, tokenFile) });
  return {
    call: async <View>(call: Call) => {
      try {
        return await client.call<View>(call);
      } catch (error) {
        throw await explainStranger(error, { addr, usualAddr });
      }
    },
  };
}

/** Says so: what is read there may be older, or newer, than what a dashboard would say. Loads what it needs only now, for a person waits for the other commands. */
function readingClient(config: string | undefined, store: string): Client {
  const where = storeText(storeSettings(config, store));
  process.stderr.write(`note: read from ${where} itself, without a dashboard\n`);
  let client: Promise<Client> | undefined;
  return {
    call: async <View>(call: Call) => {
      client ??= import('./store.ts').then(({ storeClient }) => storeClient({ args: storeArgs(config, store), where }));
      return (await client).call<View>(call);
    },
  };
}

/** For commands that ask nobody. */
export function printerOf(format: Format): Printer {
  const note = (text: string) => {
    process.stderr.write(`note: ${tameText(text)}\n`);
  };
  const noteAll = ({ notes = [] }: Answer) => {
    for (const text of notes) note(text);
  };
  const print = (answer: Answer) => {
    process.stdout.write(render(answer, format));
    noteAll(answer);
  };
  return { format, note, print, preview: isText(format) ? print : noteAll };
}
