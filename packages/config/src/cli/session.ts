// What every command runs with: the options that stand anywhere on the command line, the dashboard they name, and where to print.

import type { Command } from 'commander';
import { loadSettings } from '../settings/index.ts';
import { type Client, dashboardClient } from './client.ts';
import { type Answer, type Format, render } from './output.ts';

/** Options of the program itself. */
export interface Globals {
  readonly config?: string;
  readonly dashboardAddr?: string;
  readonly output: Format;
}

export interface Session {
  readonly client: Client;
  readonly format: Format;
  /** Prints an answer to stdout and its notes to stderr. */
  print(answer: Answer): void;
  /** As `print`, for what is not the last word: other formats than tables have room for one answer only, so there only the notes are printed. */
  preview(answer: Answer): void;
  note(text: string): void;
}

/** Throws CODIS_E_BAD_CONFIG. */
export function sessionOf(command: Command): Session {
  const { config, dashboardAddr, output } = command.optsWithGlobals<Globals>();
  const { settings } = loadSettings({ file: config, flags: dashboardAddr === undefined ? {} : { dashboard_addr: dashboardAddr } });
  return { client: dashboardClient(settings.dashboard_addr), ...printerOf(output) };
}

/** For commands that ask nobody. */
export function printerOf(format: Format): Omit<Session, 'client'> {
  const note = (text: string) => {
    process.stderr.write(`note: ${text}\n`);
  };
  const noteAll = ({ notes = [] }: Answer) => {
    for (const text of notes) note(text);
  };
  const print = (answer: Answer) => {
    process.stdout.write(render(answer, format));
    noteAll(answer);
  };
  return { format, note, print, preview: format === 'table' ? print : noteAll };
}
