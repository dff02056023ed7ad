// codis-config alerts …: what somebody should know of without looking.

import type { Command } from 'commander';
import type { AlertsView, AlertView, SilenceAlertRequest } from '../../api/index.ts';
import { numberOption } from '../arguments.ts';
import type { Answer } from '../output.ts';
import { sessionOf } from '../session.ts';

const MINUTES_MAX = 43_200;

export function alertsCommands(program: Command): void {
  const alerts = program
    .command('alerts')
    .description('what somebody should know of, worst first')
    .action(async (_, command: Command) => {
      const session = sessionOf(command);
      session.print(answerOf(await session.get<AlertsView>('/alerts')));
    });
  alerts
    .command('acknowledge')
    .description('say that somebody looks after it')
    .argument('<alert>', 'its id, as alerts shows it')
    .action(async (id: string, _, command: Command) => {
      const session = sessionOf(command);
      const view = await session.change<AlertsView>({ method: 'POST', path: `/alerts/${encodeURIComponent(id)}/acknowledge` });
      if (view !== null) session.print({ json: view, table: `alert ${id} is acknowledged`, names: [id] });
    });
  alerts
    .command('silence')
    .description('hear nothing of it for a while')
    .argument('<alert>', 'its id, as alerts shows it')
    .option('--minutes <n>', 'for how long; 0 ends the silence', numberOption('--minutes', { min: 0, max: MINUTES_MAX }), 60)
    .action(async (id: string, { minutes }: { minutes: number }, command: Command) => {
      const session = sessionOf(command);
      const body: SilenceAlertRequest = { minutes };
      const view = await session.change<AlertsView>({ method: 'POST', path: `/alerts/${encodeURIComponent(id)}/silence`, body });
      const done = minutes === 0 ? `alert ${id} is heard again` : `alert ${id} is silent for ${minutes} minutes`;
      if (view !== null) session.print({ json: view, table: done, names: [id] });
    });
}

function answerOf(view: AlertsView): Answer {
  const { alerts, evaluatedAt } = view;
  const names = alerts.map(({ id }) => id);
  const wide = {
    head: ['ALERT', 'STATE', 'SEVERITY', 'SINCE', 'TEXT', 'WHY', 'TRY', 'ACKNOWLEDGED BY', 'SILENT UNTIL'],
    rows: alerts.map((alert) => [
      alert.id,
      alert.state,
      alert.severity,
      alert.since,
      alert.text,
      alert.why,
      hintOf(alert),
      alert.acknowledgedBy,
      alert.silencedUntil,
    ]),
  };
  const notes = evaluatedAt === null ? ['this dashboard has not looked yet; ask again in a moment'] : [];
  if (alerts.length === 0) return { json: view, table: evaluatedAt === null ? 'not known yet' : 'no alerts', wide, names, notes };
  const table = {
    head: ['ALERT', 'STATE', 'SEVERITY', 'SINCE', 'TEXT'],
    rows: alerts.map(({ id, state, severity, since, text }) => [id, state, severity, since, text]),
  };
  const hints = alerts.filter(({ state }) => state === 'firing').flatMap((alert) => hintOf(alert) ?? []);
  return { json: view, table, wide, names, notes: [...notes, ...hints.map((hint) => `try ${hint}`)] };
}

function hintOf({ try: [first] }: AlertView): string | null {
  return first === undefined ? null : (first.cli ?? first.label);
}
