// The doctor's visit: looks at everything, and says what is wrong in a form that programs and people can read. Changes nothing. It works from the
// coordinator alone, so the command line can do it without a dashboard.

import type { DoctorView, FindingView, ScanName } from '../api/index.ts';
import { CodisError, isCodisError } from '../model/index.ts';
import { type Examiner, gatherFacts } from './facts.ts';
import { findingsOf } from './findings.ts';
import type { ShownKey } from './tally.ts';
import { command, counted } from './words.ts';

/** What a visit found, to be told to anybody: names of keys are shown as each may see them. */
export type Report = (shown: ShownKey) => DoctorView;

/** Never rejects for what is wrong with the cluster: a coordinator that can't be reached is a finding. */
export async function examine(examiner: Examiner, { scan }: { scan: ScanName }): Promise<Report> {
  const { product } = examiner;
  const readAt = new Date().toISOString();
  const report = (epoch: number | null, findings: readonly FindingView[]): DoctorView => ({
    product,
    epoch,
    scan,
    summary: summaryOf(findings),
    findings,
    readAt,
  });
  try {
    const facts = await gatherFacts(examiner, { scan: scan === 'full' });
    return (shown) => report(facts.current.epoch, findingsOf(facts, shown));
  } catch (error) {
    const finding = cannotLook(error);
    return () => report(null, [finding]);
  }
}

export function summaryOf(findings: readonly FindingView[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  if (findings.length === 0) return 'Nothing is wrong';
  return [...(errors > 0 ? [counted(errors, 'error')] : []), ...(warnings > 0 ? [counted(warnings, 'warning')] : [])].join(', ');
}

/** What keeps the doctor from looking at all, as a finding. What is no doing of the coordinator is thrown on. */
function cannotLook(error: unknown): FindingView {
  if (isCodisError(error, 'CODIS_E_NOT_INITIALISED')) {
    return {
      severity: 'error',
      kind: 'no-slot-table',
      object: 'slots',
      what: 'this product has no slot table yet',
      why: 'nothing was set up so far, or product_name is not that of your cluster',
      try: [command('slot', 'init')],
    };
  }
  if (!(error instanceof CodisError) || !error.code.startsWith('CODIS_E_COORDINATOR_')) throw error;
  return {
    severity: 'error',
    kind: error.code === 'CODIS_E_COORDINATOR_CORRUPT' ? 'coordinator-corrupt' : 'coordinator-unreachable',
    object: 'coordinator',
    what: error.message,
    why: 'proxies serve on by the last topology they know, but nothing can change, and nobody can say how things stand',
    try: [error.kind.hint],
  };
}
