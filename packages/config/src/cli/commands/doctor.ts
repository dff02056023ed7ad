// codis-config doctor: what is wrong, why, and the command that mends it. Asks the dashboard; without one it looks for itself, at the coordinator and the servers.

import type { Command } from 'commander';
import type { DoctorView, FindingView, ScanName } from '../../api/index.ts';
import { CodisError, isCodisError } from '../../model/index.ts';
import { EXIT } from '../failures.ts';
import { oneLine } from '../output.ts';
import { type Globals, type Session, sessionOf, storeSettingsOf } from '../session.ts';

/** It looks at every key of every group. */
const TIMEOUT_MS = 3_600_000;
const COORDINATOR_READY_MS = 10_000;

interface DoctorOptions {
  readonly quick?: boolean;
  readonly direct?: boolean;
}

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('what is wrong, why, and what mends it? Exit code 7 for errors')
    .option('--quick', 'do not look at every key')
    .option('--direct', 'look at coordinator and servers without asking the dashboard')
    .action(async ({ quick, direct }: DoctorOptions, command: Command) => {
      const session = sessionOf(command);
      const scan = quick ? 'none' : 'full';
      const isDirect = direct || command.optsWithGlobals<Globals>().store !== undefined;
      const view = isDirect ? await lookDirectly(command, scan) : await ask(session, command, scan);
      const text = [`${view.summary} (${aboutText(view)})`, ...view.findings.map(findingText)].join('\n\n');
      const rows = view.findings.map(({ severity, kind, object, what, why, try: hints }) => [
        severity,
        kind,
        object,
        what,
        why,
        hints[0] ?? null,
      ]);
      const wide = { head: ['SEVERITY', 'KIND', 'OBJECT', 'WHAT', 'WHY', 'TRY'], rows };
      session.print({ json: view, table: text, wide, names: view.findings.map(({ kind }) => kind) });
      if (view.findings.some(({ severity }) => severity === 'error')) process.exitCode = EXIT.unhealthy;
    });
}

async function ask(session: Session, command: Command, scan: ScanName): Promise<DoctorView> {
  try {
    return await session.get<DoctorView>(`/doctor?scan=${scan}`, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (!isCodisError(error, 'CODIS_E_DASHBOARD_UNREACHABLE')) throw error;
    session.note(`${error.message}; looking at the coordinator and the servers from here instead`);
    return lookDirectly(command, scan);
  }
}

/** Loads what it needs only now: it is heavy, and a person waits for the other commands. */
async function lookDirectly(command: Command, scan: ScanName): Promise<DoctorView> {
  const settings = storeSettingsOf(command);
  const [{ openCoordinator }, { asItIs, examine }] = await Promise.all([
    import('../../coordinator/index.ts'),
    import('../../doctor/index.ts'),
  ]);
  const coordinator = openCoordinator(settings);
  try {
    await coordinator.ready(COORDINATOR_READY_MS).catch((error: unknown) => {
      if (!(error instanceof CodisError)) throw error;
    });
    const report = await examine({ coordinator, product: settings.product_name, password: settings.product_auth }, { scan });
    return report(asItIs);
  } finally {
    await coordinator.close();
  }
}

function aboutText({ epoch, scan }: DoctorView): string {
  return `${epoch === null ? 'no topology' : `epoch ${epoch}`}, ${scan === 'full' ? 'keys were looked at' : 'keys were not looked at'}`;
}

function findingText({ severity, object, what, why, try: hints }: FindingView): string {
  return [`${severity}: ${object}: ${what}`, `why:   ${why}`, ...hints.map((hint) => `try:   ${hint}`)].map(oneLine).join('\n');
}
